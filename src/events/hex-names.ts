import { toHex } from './hex.ts'

// A replay meets the same few thousand keys and info hashes a million times: their hex is made once and shared, which
// also lets a Map find it by a hash that was computed before. Bounded, because they come from the network: when it is
// full it starts again.

/** 65,536 names are about 12 MB. */
const NAMES_MAX = 65_536

type Name = { readonly bytes: Uint8Array; readonly hex: string }

const names = new Map<number, Name[]>()
let nameCount = 0

function isName(name: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (name.length !== length) return false
  for (let index = 0; index < length; index++) if (name[index] !== bytes[start + index]) return false
  return true
}

/** Lower-case hex of a key or a digest: `bytes[start..start + length)`, at least four bytes. */
export function hexName(bytes: Uint8Array, start: number, length: number): string {
  // Keys and digests are as good as random, so four of their bytes are a hash; a chosen collision costs its maker's link a scan.
  const hash =
    (bytes[start] as number) |
    ((bytes[start + 1] as number) << 8) |
    ((bytes[start + 2] as number) << 16) |
    ((bytes[start + 3] as number) << 24)
  const bucket = names.get(hash)
  if (bucket !== undefined) for (const name of bucket) if (isName(name.bytes, bytes, start, length)) return name.hex
  if (nameCount >= NAMES_MAX) {
    names.clear()
    nameCount = 0
  }
  const name = { bytes: new Uint8Array(bytes.subarray(start, start + length)), hex: toHex(bytes, start, start + length) }
  const present = names.get(hash)
  if (present === undefined) names.set(hash, [name])
  else if (present.length < BUCKET_MAX) present.push(name)
  nameCount++
  return name.hex
}

/** Against chosen collisions: names past it are made anew each time. */
const BUCKET_MAX = 8

import { toHex } from './hex.ts'
import type { NodeId } from './ids.ts'

// A replay meets the same few thousand authors a million times: their hex names are made once and shared.
// Bounded, because authors come from the network: when it is full it starts again.

/** 65,536 names are about 12 MB. */
const NAMES_MAX = 65_536
const NODE_ID_BYTES = 32

type Name = { readonly key: Uint8Array; readonly id: NodeId }

const names = new Map<number, Name[]>()
let nameCount = 0

function isKey(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < NODE_ID_BYTES; index++) if (key[index] !== bytes[start + index]) return false
  return true
}

/** The node id of the 32 byte public key at `start`. */
export function authorName(bytes: Uint8Array, start: number): NodeId {
  // Public keys are as good as random, so four of their bytes are a hash; a chosen collision costs its maker's link a scan.
  const hash =
    (bytes[start] as number) +
    (bytes[start + 1] as number) * 0x100 +
    (bytes[start + 2] as number) * 0x1_0000 +
    (bytes[start + 3] as number) * 0x100_0000
  const bucket = names.get(hash)
  if (bucket !== undefined) for (const name of bucket) if (isKey(name.key, bytes, start)) return name.id
  if (nameCount >= NAMES_MAX) {
    names.clear()
    nameCount = 0
  }
  const key = new Uint8Array(bytes.subarray(start, start + NODE_ID_BYTES))
  const name = { key, id: toHex(key) as NodeId }
  const present = names.get(hash)
  if (present === undefined) names.set(hash, [name])
  else present.push(name)
  nameCount++
  return name.id
}

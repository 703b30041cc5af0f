import { toHex } from './hex.ts'

// A replay meets the same few thousand keys and info hashes a million times: their hex is made once and shared, which
// also lets a Map find it by a hash that was computed before. One place for every value of the first two bytes; a
// newcomer takes the place of the one before, so whatever the network sends, this neither grows nor slows down.

const PLACES = 65_536
const LENGTH_MAX = 32

const lengths = new Uint8Array(PLACES)
/** The bytes of all names side by side: one object, not 65,536. */
const kept = new Uint8Array(PLACES * LENGTH_MAX)
const keptView = new DataView(kept.buffer)
const names: string[] = new Array(PLACES).fill('')

/** Lower-case hex of a key or a digest: `bytes[start..start + length)`, 2 to 32 bytes, as good as random. */
export function hexName(bytes: Uint8Array, start: number, length: number): string {
  const place = (bytes[start] as number) | ((bytes[start + 1] as number) << 8)
  if (lengths[place] === length && isKept(place * LENGTH_MAX, bytes, start, length)) return names[place] as string
  const name = toHex(bytes, start, start + length)
  lengths[place] = length
  kept.set(bytes.subarray(start, start + length), place * LENGTH_MAX)
  names[place] = name
  return name
}

/** Names come from the same segment one after the other, in whatever part of it: the view of its buffer is made once. */
let view: DataView = new DataView(kept.buffer)

function isKept(at: number, bytes: Uint8Array, start: number, length: number): boolean {
  const { buffer, byteOffset } = bytes
  if (view.buffer !== buffer) view = new DataView(buffer)
  const from = byteOffset + start
  // Four bytes at a time, then what is left.
  let index = 0
  for (; index + 4 <= length; index += 4) {
    if (keptView.getInt32(at + index) !== view.getInt32(from + index)) return false
  }
  for (; index < length; index++) if (kept[at + index] !== bytes[start + index]) return false
  return true
}

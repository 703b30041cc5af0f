// Hosts as text: a replay meets the same few thousand a million times. One place for every value of a small hash; a newcomer
// takes the place of the one before, so this never grows.

const PLACES = 4096
const LENGTH_MAX = 64

const lengths = new Uint8Array(PLACES)
const kept = new Uint8Array(PLACES * LENGTH_MAX)
const names: string[] = new Array(PLACES).fill('')

/** `bytes[start..start + length)` as text, or undefined if not all of it is ASCII. */
export function asciiName(bytes: Uint8Array, start: number, length: number): string | undefined {
  let hash = length
  for (let index = start; index < start + length; index++) hash = (hash * 31 + (bytes[index] as number)) | 0
  const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
  if (lengths[place] === length && isKept(place * LENGTH_MAX, bytes, start, length)) return names[place]
  const codes = Array.from(bytes.subarray(start, start + length))
  if (codes.some((code) => code > 127)) return undefined
  const name = String.fromCharCode(...codes)
  if (length > 0 && length <= LENGTH_MAX) {
    lengths[place] = length
    kept.set(codes, place * LENGTH_MAX)
    names[place] = name
  }
  return name
}

function isKept(at: number, bytes: Uint8Array, start: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (kept[at + index] !== bytes[start + index]) return false
  return true
}

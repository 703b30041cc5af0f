import { IPV4_LENGTH_MAX, isIpv4In } from './ip-address.ts'

// Hosts as text: a replay meets the same few thousand a million times. One place for every value of a small hash; a newcomer
// takes the place of the one before, so this never grows. An address is checked when it is taken up, not each time.

const PLACES = 4096

const lengths = new Uint8Array(PLACES)
const kept = new Uint8Array(PLACES * IPV4_LENGTH_MAX)
const names: string[] = new Array(PLACES).fill('')

/** `bytes[start..start + length)` as text, or undefined if it is no IPv4 address that may be dialled. */
export function hostName(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length === 0 || length > IPV4_LENGTH_MAX) return undefined
  let hash = length
  for (let index = start; index < start + length; index++) hash = (hash * 31 + (bytes[index] as number)) | 0
  const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
  if (lengths[place] === length && isKept(place * IPV4_LENGTH_MAX, bytes, start, length)) return names[place]
  if (!isIpv4In(bytes, start, start + length)) return undefined
  const codes = bytes.subarray(start, start + length)
  const name = String.fromCharCode(...codes)
  lengths[place] = length
  kept.set(codes, place * IPV4_LENGTH_MAX)
  names[place] = name
  return name
}

function isKept(at: number, bytes: Uint8Array, start: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (kept[at + index] !== bytes[start + index]) return false
  return true
}

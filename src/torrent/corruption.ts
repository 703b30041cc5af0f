/**
 * True for this share of pieces, the same ones at every call: 32 bit FNV-1a of salt and index, in 10,000 steps.
 * @param percent 0 to 100
 */
export function isCorrupted(salt: string, index: number, percent: number): boolean {
  let hash = 0x811c9dc5
  const text = `${salt}:${index}`
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  // FNV's low bits follow the last character; the final mix spreads them (murmur3's finalizer).
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % 10_000 < percent * 100
}

/** A copy of a block with its first byte flipped. */
export function flipped(block: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(block)
  copy[0] = (copy[0] ?? 0) ^ 0xff
  return copy
}

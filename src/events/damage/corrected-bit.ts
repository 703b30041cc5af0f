// One bit that flipped is found by the checksum alone: crc-32 is linear, so the difference between what stands there and
// what is computed is that of the flipped bit, and each place has another one (up to 2^32 bits).

const POLYNOMIAL = 0xedb88320

/** Crc-32 (IEEE 802.3) after a zero byte, without the inversions at both ends, which cancel out in a difference. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/**
 * The bit that must be flipped in `length` bytes for their crc-32 to be `wanted` instead of `found`.
 * @returns byte and mask; undefined if no single bit does it. A flipped bit of the stored checksum itself is `byte` -1
 */
export function flippedBit(length: number, found: number, wanted: number): { byte: number; mask: number } | undefined {
  const difference = (found ^ wanted) >>> 0
  if (difference === 0) return undefined
  if ((difference & (difference - 1)) === 0) return { byte: -1, mask: difference }
  const ofBits = Uint32Array.from({ length: 8 }, (_, bit) => TABLE[1 << bit] as number)
  for (let byte = length - 1; byte >= 0; byte--) {
    const bit = ofBits.indexOf(difference)
    if (bit >= 0) return { byte, mask: 1 << bit }
    for (let place = 0; place < 8; place++) {
      const value = ofBits[place] as number
      ofBits[place] = (value >>> 8) ^ (TABLE[value & 255] as number)
    }
  }
  return undefined
}

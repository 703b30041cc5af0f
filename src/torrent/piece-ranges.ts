import type { PieceRange } from '../events/index.ts'

/** Sorted, merged ranges of piece indexes given in any order; duplicates count once. */
export function rangesOf(indexes: Iterable<number>): PieceRange[] {
  const ranges: PieceRange[] = []
  let last: PieceRange | undefined
  for (const index of [...indexes].sort((a, b) => a - b)) {
    if (last !== undefined && index < last.first + last.count) continue
    if (last !== undefined && index === last.first + last.count) last.count++
    else {
      last = { first: index, count: 1 }
      ranges.push(last)
    }
  }
  return ranges
}

/** A bitfield as BEP 3 sends it: ceil(n/8) bytes, high bit first. Ranges beyond `pieceCount` are cut. */
export function bitfieldOf(ranges: readonly PieceRange[], pieceCount: number): Uint8Array {
  const bitfield = new Uint8Array(Math.ceil(pieceCount / 8))
  for (const { first, count } of ranges) {
    const end = Math.min(first + count, pieceCount)
    for (let index = Math.max(first, 0); index < end; index++) setBit(bitfield, index)
  }
  return bitfield
}

export function setBit(bitfield: Uint8Array, index: number): void {
  bitfield[index >> 3] = (bitfield[index >> 3] ?? 0) | (0x80 >> (index & 7))
}

export const hasBit = (bitfield: Uint8Array, index: number): boolean =>
  ((bitfield[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0

/** How many bits are set. */
export function countBits(bitfield: Uint8Array): number {
  let count = 0
  for (const byte of bitfield) {
    let rest = byte
    while (rest !== 0) {
      rest &= rest - 1
      count++
    }
  }
  return count
}

/** The set bits as ranges. */
export function rangesOfBitfield(bitfield: Uint8Array, pieceCount: number): PieceRange[] {
  const ranges: PieceRange[] = []
  let first = -1
  for (let index = 0; index <= pieceCount; index++) {
    const set = index < pieceCount && hasBit(bitfield, index)
    if (set && first < 0) first = index
    if (!set && first >= 0) {
      ranges.push({ first, count: index - first })
      first = -1
    }
  }
  return ranges
}

import type { PieceRange } from '../../events/index.ts'

/**
 * The union of both lists as ascending runs that neither touch nor overlap.
 * `into` must be such a list already; `added` may be any.
 */
export function mergeRanges(into: readonly PieceRange[], added: readonly PieceRange[]): PieceRange[] {
  const sorted = [...into, ...added].sort((a, b) => a.first - b.first)
  const merged: PieceRange[] = []
  for (const { first, count } of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && first <= last.first + last.count) {
      last.count = Math.max(last.count, first + count - last.first)
    } else {
      merged.push({ first, count })
    }
  }
  return merged
}

/** Pieces in a list of runs that do not overlap. */
export function pieceCount(ranges: readonly PieceRange[]): number {
  return ranges.reduce((sum, range) => sum + range.count, 0)
}

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

/** True if every piece of `needed` is in `runs`; both are ascending runs with gaps between them. */
export function covers(runs: readonly PieceRange[], needed: readonly PieceRange[]): boolean {
  let at = 0
  return needed.every(({ first, count }) => {
    if (count === 0) return true
    while (at < runs.length && endOf(runs[at]) <= first) at++
    const run = runs[at]
    return run !== undefined && run.first <= first && endOf(run) >= first + count
  })
}

/** How many pieces are in both; both are ascending runs with gaps between them. */
export function countInBoth(some: readonly PieceRange[], others: readonly PieceRange[]): number {
  let [count, at] = [0, 0]
  for (const run of some) {
    while (at < others.length && endOf(others[at]) <= run.first) at++
    for (let place = at; place < others.length; place++) {
      const other = others[place]
      if (other === undefined || other.first >= endOf(run)) break
      count += Math.min(endOf(run), endOf(other)) - Math.max(run.first, other.first)
    }
  }
  return count
}

const endOf = (run: PieceRange | undefined): number => (run === undefined ? 0 : run.first + run.count)

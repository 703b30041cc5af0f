/** Segments of about one size that are merged to one. */
const FAN_IN = 4
/** Sizes of one tier differ by no more than this. */
const TIER = 4
/** Segments that are left where there is time to merge more. */
const RESTING_MAX = 3

/**
 * Which segments to merge next, oldest first; they stand in a row. Those of one size together, so that each document is
 * written a few times however many come; at rest also the newest, since a search asks every segment.
 * @param sizes entries of each, oldest first
 * @returns undefined if none
 */
export function planMerge(sizes: readonly number[], atRest: boolean): { from: number; to: number } | undefined {
  for (let to = sizes.length; to >= FAN_IN; to--) {
    const row = sizes.slice(to - FAN_IN, to)
    if (Math.max(...row) < TIER * Math.max(1, Math.min(...row))) return { from: to - FAN_IN, to }
  }
  if (!atRest || sizes.length <= RESTING_MAX) return undefined
  return { from: sizes.length - (sizes.length - RESTING_MAX + 1), to: sizes.length }
}

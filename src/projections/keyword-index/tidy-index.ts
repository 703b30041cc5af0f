import type { TidyWork } from '../disk-projection.ts'
import type { KeywordIndexState } from './index-state.ts'
import { recountAuthors } from './recounts.ts'
import { planMerge } from './segments/merge-plan.ts'
import { mergeSegments } from './segments/merge-segments.ts'
import type { SegmentMark } from './segments/segment.ts'
import { SegmentWriter } from './segments/segment-writer.ts'
import { writeMemtable } from './segments/write-memtable.ts'

/** Listings in memory before a segment is written of them. */
export const MEMTABLE_MAX = 16_384
/** New listings since the last time where there is nothing else to do. */
const RESTING_MAX = 64
/** Rows that are written at once. */
const ROWS_A_WRITE = 512

/** What the index leaves for later: authors who count or count no more, listings in memory, segments to be merged. */
export async function tidyIndex(state: KeywordIndexState, work: TidyWork, memtableMax: number): Promise<void> {
  await recountAuthors(state, work)
  const { listings } = state
  let wrote = false
  // One that could not be written is written first.
  while (listings.frozen !== undefined || listings.memtable.size >= memtableMax) {
    listings.freeze()
    if (!(await writeFrozen(state, work))) return
    wrote = true
  }
  const isAtRest = !wrote && listings.memtable.size - listings.sizeTidied < RESTING_MAX
  listings.sizeTidied = listings.memtable.size
  let merged = false
  for (;;) {
    const plan = planMerge(
      listings.segments.map(({ mark }) => mark.entries),
      isAtRest,
    )
    if (plan === undefined || !(await merge(state, plan, work))) break
    merged = true
  }
  if (merged) await listings.clearOthers()
}

async function writeFrozen(state: KeywordIndexState, work: TidyWork): Promise<boolean> {
  const { listings } = state
  if (listings.frozen === undefined) return true
  const number = listings.nextSegment++
  const writer = new SegmentWriter(number)
  const steps = writeMemtable(listings.frozen.memtable, listings.serials.isDead, writer)
  const mark = await written(state, writer, steps, work)
  if (mark === undefined) return false
  listings.written(mark)
  return work.commit()
}

async function merge(state: KeywordIndexState, { from, to }: { from: number; to: number }, work: TidyWork): Promise<boolean> {
  const { listings } = state
  const before = listings.segments.slice(from, to)
  const writer = new SegmentWriter(listings.nextSegment++)
  // A listing that ends meanwhile is taken along, and found out by whoever comes upon it.
  const steps = mergeSegments(
    before.map(({ mark }) => listings.uncached(mark)),
    listings.serials.isDead,
    writer,
  )
  const mark = await written(state, writer, steps, work)
  if (mark === undefined) return false
  listings.merged(before, mark)
  return work.commit()
}

/** Goes the steps in turns, and stores the rows that come together. @returns undefined if it was called off */
async function written(
  { rows }: KeywordIndexState,
  writer: SegmentWriter,
  steps: Generator<void, SegmentMark>,
  { turns, signal }: TidyWork,
): Promise<SegmentMark | undefined> {
  for (;;) {
    if (signal.aborted) return undefined
    const { value, done } = steps.next()
    if (writer.rowCount >= ROWS_A_WRITE || done === true) await rows.putApart(writer.takeRows())
    if (done === true) return value
    if (turns?.isOver) await turns.next()
  }
}

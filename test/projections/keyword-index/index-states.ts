import type { Envelope, NodeId } from '../../../src/events/index.ts'
import { type KeywordIndexState, keywordIndexProjection } from '../../../src/projections/index.ts'
import { mergeSegments } from '../../../src/projections/keyword-index/segments/merge-segments.ts'
import type { SegmentMark } from '../../../src/projections/keyword-index/segments/segment.ts'
import { SegmentWriter } from '../../../src/projections/keyword-index/segments/segment-writer.ts'
import { writeMemtable } from '../../../src/projections/keyword-index/segments/write-memtable.ts'
import { MemoryTable } from '../../../src/projections/row-table.memory.ts'
import { sha256Of } from '../../../src/projections/sha256.system.ts'

// The index over a table in memory, for tests: its segments are written and merged at once, where a node does so in the
// background.

export const fold = keywordIndexProjection(sha256Of)

export const newTable = (): MemoryTable => new MemoryTable(fold.version)

export const openOver = (table: MemoryTable): KeywordIndexState => fold.open(table, () => undefined)

export function folded(envelopes: readonly Envelope[], state: KeywordIndexState = openOver(newTable())): KeywordIndexState {
  for (const envelope of envelopes) fold.apply(state, envelope)
  return state
}

/** What a commit leaves, opened again. */
export async function reopened(state: KeywordIndexState): Promise<KeywordIndexState> {
  fold.flush(state)
  const table = state.rows as MemoryTable
  await table.commit(table.checkpoint + 1)
  return openOver(table.reopened())
}

function drain(state: KeywordIndexState, writer: SegmentWriter, steps: Generator<void, SegmentMark>): SegmentMark {
  for (;;) {
    const { value, done } = steps.next()
    for (const [key, row] of writer.takeRows()) state.rows.put(key, row)
    if (done === true) return value
  }
}

/** Writes what is in memory as a segment. */
export function writeSegment(state: KeywordIndexState): void {
  const { listings } = state
  listings.freeze()
  if (listings.frozen === undefined) return
  const writer = new SegmentWriter(listings.nextSegment++)
  listings.written(drain(state, writer, writeMemtable(listings.frozen.memtable, listings.serials.isDead, writer)))
}

/** Makes one segment of those from `from` to before `to`. */
export function mergeFrom(state: KeywordIndexState, from = 0, to = state.listings.segments.length): void {
  const { listings } = state
  const before = listings.segments.slice(from, to)
  if (before.length === 0) return
  const writer = new SegmentWriter(listings.nextSegment++)
  listings.merged(before, drain(state, writer, mergeSegments(before, listings.serials.isDead, writer)))
}

/** All that was said, by info hash and author, without the places in this log. */
export function said(state: KeywordIndexState): string {
  const documents = [...state.documents.all()].filter(({ offers }) => offers.length > 0)
  const lines = documents.map(({ infoHash, offers }) => {
    const spelled = offers.map((offer) => ({
      ...offer,
      placed: offer.placed.map(({ by, partitions }) => ({ by, partitions })),
    }))
    return JSON.stringify([infoHash, spelled])
  })
  return lines
    .sort()
    .join('\n')
    .replaceAll(/"(?:seq|since)":\d+/g, '')
}

/** Counts somebody in or out whose standing has changed, as a node does in the background. */
export async function recounted(state: KeywordIndexState, partyOf: (author: NodeId) => string | undefined): Promise<void> {
  const { recountAuthors, weigh } = await import('../../../src/projections/keyword-index/recounts.ts')
  weigh(state, partyOf)
  await recountAuthors(state, { commit: async () => true, signal: new AbortController().signal })
}

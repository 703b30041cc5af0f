import assert from 'node:assert/strict'
import type { KeptSegment } from '../../../src/events/damage/salvaged-chains.ts'
import { summaryOfFrames } from '../../../src/events/damage/verify-log.ts'
import type { SignedEvent, Signer } from '../../../src/events/index.ts'
import { digestAfter, encodeFrame, thinFrames } from '../../../src/events/segments/segment.ts'
import {
  DIGEST_BYTES,
  type KnownRun,
  NO_KINDS,
  type Removal,
  type SegmentSummary,
} from '../../../src/events/segments/segment-summary.ts'
import { chainDigest } from '../../../src/events/segments/segment-value.level.ts'
import { foreign, signerOf } from '../samples.ts'

export const [ME, BOB, EVE] = [signerOf(1), signerOf(2), signerOf(3)] as const

/** A segment of a log, with the events of which it is made. */
export type Made = {
  readonly first: number
  readonly summary: SegmentSummary
  readonly frames: Uint8Array
  readonly preface: { readonly before: Uint8Array }
  readonly events: readonly SignedEvent[]
}

const START = new Uint8Array(DIGEST_BYTES)

/** A segment of these events behind another one; each list is a frame. */
export function segmentOf(
  before: Pick<SegmentSummary, 'first' | 'count' | 'after'> | undefined,
  ...commits: readonly (readonly SignedEvent[])[]
): Made {
  const first = before === undefined ? 1 : before.first + before.count
  const frames = Uint8Array.from(commits.flatMap((events) => [...encodeFrame(events)]))
  const digest = before?.after ?? START
  const place = { first, before: digest, after: digestAfter(digest, frames, chainDigest) }
  const summary = summaryOfFrames(frames, place) ?? assert.fail('no events')
  return { first, summary, frames, preface: { before: digest }, events: commits.flat() }
}

/** Gossip of one author, numbered and stamped from `from` on. */
export const gossip = (signer: Signer, from: number, count: number): SignedEvent[] =>
  Array.from({ length: count }, (_, index) => foreign(signer, from + index, from + index))

/** A private event. */
export const secret = (signer: Signer, authorSeq: number): SignedEvent =>
  foreign(signer, authorSeq, 1, { stream: 'local', event: { kind: 'node.stopped', reason: 'x' } })

/** A log of segments with so many events each, all gossip of one author. */
export function logOf(signer: Signer, ...counts: readonly number[]): Made[] {
  const segments: Made[] = []
  let next = 1
  for (const count of counts) {
    segments.push(segmentOf(segments.at(-1)?.summary, gossip(signer, next, count)))
    next += count
  }
  return segments
}

/** The same segment without the events at these places. */
export function thinned(
  { summary, frames, first }: Made,
  ...gone: readonly number[]
): Pick<Made, 'summary' | 'frames' | 'first'> {
  const left = thinFrames(frames, first, (seq) => gone.includes(seq))
  const { lamportMin, lamportMax } = summary
  const known: KnownRun[] = gone.map((seq) => ({
    author: summary.runs[0]?.author ?? ME.id,
    stream: 'gossip',
    authorSeq: seq,
    count: 1,
  }))
  const of = summaryOfFrames(left, summary) ?? assert.fail()
  const removal: Removal = { what: 'thinned', content: chainDigest(new Uint8Array(), left), known }
  return { first, frames: left, summary: { ...of, lamportMin, lamportMax, removal } }
}

/** A stretch of which nothing is left. */
export const hole = ({ summary }: Pick<Made, 'summary'>, what: 'pruned' | 'lost'): SegmentSummary => ({
  ...summary,
  kinds: NO_KINDS,
  runs: [],
  removal: { what, content: START, known: [] },
})

export const kept = ({ summary, frames }: Pick<Made, 'summary' | 'frames'>, isCurrent = true): KeptSegment => ({
  ...{ summary, frames: () => frames, isCurrent },
})

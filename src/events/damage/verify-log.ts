import { scanBody } from '../codec/body.ts'
import { BodyError } from '../codec/body-scan.ts'
import { VarintError } from '../codec/varint.ts'
import type { DamagedRange } from '../log/event-log.ts'
import type { HeadMark, HeadRecord } from '../log/head-record.ts'
import { damageByRecord, provenMark } from '../log/head-record.ts'
import { runsOfEvents } from '../log/log-state.ts'
import type { Header } from '../model/envelope.ts'
import { toHex } from '../model/hex.ts'
import { type Chain, digestAfter, framesOf, signedEventsOf } from '../segments/segment.ts'
import type { Preface } from '../segments/segment-preface.ts'
import {
  DIGEST_BYTES,
  encodeSummary,
  hasFrames,
  NO_KINDS,
  type Removal,
  type SegmentSummary,
  withKind,
} from '../segments/segment-summary.ts'

// The audit of a log, without its files: segments go in one after the other, damaged ranges come out.

export type LogVerdict = {
  readonly intact: boolean
  /** Events found, whole or not. */
  readonly events: number
  readonly segments: number
  /** Chain digest after the last event, hex; what the head file should say. */
  readonly headDigest: string
  readonly ranges: readonly DamagedRange[]
  /** What is known to be gone, and is no damage: lost and written down by a repair, or pruned. */
  readonly holes: readonly KnownHole[]
  /** Events that were pruned, also from segments of which others are left. */
  readonly pruned: number
  /** What is wrong besides events: the database's own complaint, a missing head file. Sentences. */
  readonly problems: readonly string[]
  /** Events whose signature was checked. */
  readonly signaturesChecked: number
}

/** A run of sequences, inclusive, of which nothing is left. */
export type KnownHole = { readonly from: number; readonly to: number; readonly what: 'lost' | 'pruned' }

/** A segment as it was found; `frames` undefined where its value is gone, null where it fails its checksum. */
export type FoundSegment = {
  readonly first: number
  readonly summary: SegmentSummary | undefined
  readonly frames: Uint8Array | undefined | null
  /** What the segment says of itself; undefined where it has no frames, or cannot be read. */
  readonly preface: Preface | undefined
}

type Mismatch = { readonly range: DamagedRange; readonly summary: SegmentSummary; readonly frames: Uint8Array }

/** Swapped segments are looked for among this many that do not fit; more are altered, whatever else they are. */
const MISMATCHES_COMPARED_MAX = 64

const hexOf = (digest: Uint8Array | undefined): string | undefined => digest && toHex(digest)

export class LogAudit {
  readonly #chain: Chain
  readonly #mark: HeadMark | undefined
  /** After a repair LevelDB may bring back rows that were removed; those that repeat what is there are passed over. */
  readonly #repaired: boolean
  readonly #ranges: DamagedRange[] = []
  readonly #mismatches: Mismatch[] = []
  readonly #holes: KnownHole[] = []
  #pruned = 0
  #next = 1
  #events = 0
  #segments = 0
  /** Running digest; undefined after a hole, until the next summary says where it goes on. */
  #digest: Uint8Array | undefined = new Uint8Array(DIGEST_BYTES)
  #markDigest: string | undefined
  /** First sequence of a segment whose length nobody can tell. */
  #endless: number | undefined

  constructor(chain: Chain, mark: HeadMark | undefined, repaired: boolean) {
    this.#chain = chain
    this.#mark = mark
    this.#repaired = repaired
    if (mark?.seq === 0) this.#markDigest = toHex(new Uint8Array(DIGEST_BYTES))
  }

  get events(): number {
    return this.#events
  }

  /** Takes the segments in the order of their keys. */
  add(found: FoundSegment): void {
    const { first, summary } = found
    const frames = found.frames ?? undefined
    const count = (frames && eventCount(frames, first)) ?? summary?.count
    if (this.#endless !== undefined) {
      this.#report(this.#endless, first - 1, 'altered')
      this.#endless = undefined
      this.#skipTo(first)
    }
    if (first > this.#next) {
      this.#report(this.#next, first - 1, 'missing')
      this.#skipTo(first)
    }
    if (count === undefined) {
      this.#endless = first
      return
    }
    const last = first + count - 1
    if (first < this.#next) {
      if (!this.#repaired || last >= this.#next) this.#report(first, last, 'reordered')
      return
    }
    this.#next = last + 1
    if (summary !== undefined && !hasFrames(summary) && found.frames === undefined) {
      this.#checkHole(first, last, summary)
      return
    }
    this.#segments++
    if (frames === undefined) {
      this.#report(first, last, found.frames === null ? 'altered' : 'missing')
      this.#digest = summary?.after
      return
    }
    const own = summary === undefined ? ownSummary(found, this.#chain) : undefined
    const said = summary ?? own
    if (said?.removal === undefined) {
      this.#events += count
      const fits = this.#check(first, last, frames, said)
      if (fits && summary !== undefined && !agrees(found.preface, summary)) this.#report(first, last, 'altered')
    } else {
      this.#checkThinned(first, last, frames, { ...said, removal: said.removal })
    }
    // It stands there whole, as far as it says itself, and no reader finds it.
    if (own !== undefined) this.#report(first, last, 'unproven')
  }

  /** Marks an event whose signature is not its author's. */
  forged(seq: number): void {
    this.#report(seq, seq, 'altered')
  }

  finish(
    record: HeadRecord | undefined,
    boot: string | null,
    problems: readonly string[],
    signaturesChecked: number,
  ): LogVerdict {
    // What cannot be told the length of may be all that there is, up to the mark.
    const head = this.#endless === undefined ? this.#next - 1 : Math.max(this.#endless, this.#mark?.seq ?? 0)
    if (this.#endless !== undefined) this.#report(this.#endless, head, 'altered')
    this.#findSwaps()
    const byRecord = damageByRecord(record, boot, head, this.#markDigest)
    // A digest that differs because of damage that is named already says nothing new.
    for (const range of byRecord) if (range.what !== 'altered' || this.#ranges.length === 0) this.#ranges.push(range)
    if (problems.length > 0 && this.#ranges.length === 0) this.#report(1, Math.max(1, head), 'unproven')
    const ranges = joined(this.#ranges)
    return {
      intact: ranges.length === 0,
      events: this.#events,
      segments: this.#segments,
      headDigest: hexOf(this.#digest) ?? '',
      ranges,
      holes: this.#holes,
      pruned: this.#pruned,
      problems,
      signaturesChecked,
    }
  }

  /** @returns true if the chain goes over it */
  #check(first: number, last: number, frames: Uint8Array, summary: SegmentSummary | undefined): boolean {
    const before = this.#digest ?? summary?.before
    if (before === undefined || summary === undefined) {
      // Whole perhaps, but without its summary no reader finds it.
      this.#report(first, last, 'altered')
      this.#digest = before && this.#follow(before, frames, first)
      return false
    }
    const after = this.#follow(before, frames, first)
    const fits = hexOf(summary.before) === hexOf(before) && hexOf(summary.after) === hexOf(after)
    this.#digest = summary.after
    if (fits && !isSummaryOf(summary, frames)) this.#report(first, last, 'altered')
    if (!fits) this.#mismatches.push({ range: { from: first, to: last, what: 'altered' }, summary, frames: frames.slice() })
    if (this.#mismatches.length > MISMATCHES_COMPARED_MAX) {
      for (const { range } of this.#mismatches.splice(0)) this.#ranges.push(range)
    }
    return fits
  }

  #checkHole(first: number, last: number, summary: SegmentSummary): void {
    this.#passOver(first, last, summary)
    const what = summary.removal?.what === 'lost' ? 'lost' : 'pruned'
    if (what === 'pruned') this.#pruned += last - first + 1
    this.#addHole({ from: first, to: last, what })
  }

  #addHole(hole: KnownHole): void {
    const before = this.#holes.at(-1)
    if (before?.what === hole.what && before.to === hole.from - 1)
      this.#holes[this.#holes.length - 1] = { ...before, to: hole.to }
    else this.#holes.push(hole)
  }

  /** The chain as it was, and what is left by its own digest. */
  #checkThinned(first: number, last: number, frames: Uint8Array, summary: SegmentSummary & { removal: Removal }): void {
    this.#passOver(first, last, summary)
    const whole = toHex(this.#chain(NO_DIGEST, frames)) === toHex(summary.removal.content)
    const left = placesIn(frames, first)
    if (!whole || !isSummaryOf(summary, frames)) this.#report(first, last, 'altered')
    this.#events += left.size
    if (summary.removal.what === 'thinned') this.#pruned += last - first + 1 - left.size
    else for (let seq = first; seq <= last; seq++) if (!left.has(seq)) this.#addHole({ from: seq, to: seq, what: 'lost' })
  }

  /** Takes over a summary whose events cannot be digested again. */
  #passOver(first: number, last: number, summary: SegmentSummary): void {
    if (this.#digest !== undefined && toHex(this.#digest) !== toHex(summary.before)) this.#report(first, last, 'altered')
    this.#digest = summary.after
    if (this.#mark?.seq === last) this.#markDigest = toHex(summary.after)
  }

  #follow(before: Uint8Array, frames: Uint8Array, first: number): Uint8Array {
    let digest = before
    for (const frame of framesOf(frames, 0, first)) {
      digest = this.#chain(digest, frames.subarray(frame.start, frame.end))
      if (frame.first + frame.count - 1 === this.#mark?.seq) this.#markDigest = toHex(digest)
    }
    return digest
  }

  // Frames that do not fit their own place but another one's were moved, not changed.
  #findSwaps(): void {
    for (const { range, frames, summary } of this.#mismatches) {
      const moved = this.#mismatches.some(
        (other) =>
          other.summary !== summary &&
          hexOf(digestAfter(other.summary.before, frames, this.#chain)) === hexOf(other.summary.after),
      )
      this.#ranges.push(moved ? { ...range, what: 'reordered' } : range)
    }
  }

  #skipTo(first: number): void {
    this.#next = first
    this.#digest = undefined
  }

  #report(from: number, to: number, what: DamagedRange['what']): void {
    this.#ranges.push({ from, to, what })
  }
}

/** Events in frames that can be walked to their end, undefined if they cannot. */
function eventCount(frames: Uint8Array, first: number): number | undefined {
  try {
    let count = 0
    for (const frame of framesOf(frames, 0, first)) count += frame.count
    return count > 0 ? count : undefined
  } catch (error) {
    if (error instanceof VarintError) return undefined
    throw error
  }
}

/** True if a segment says nothing else of itself than its row does. */
function agrees(preface: Preface | undefined, summary: SegmentSummary): boolean {
  if (preface === undefined) return true
  if (preface.summary === undefined) return hexOf(preface.before) === hexOf(summary.before)
  return toHex(encodeSummary(preface.summary)) === toHex(encodeSummary(summary))
}

/**
 * The summary of a segment by its own word, which holds if the chain says the same; undefined where it says none.
 * Of frames of which some were pruned only what stands in the preface counts.
 * @throws VarintError if the frames cannot be walked to their end
 */
export function ownSummary({ first, frames, preface }: FoundSegment, chain: Chain): SegmentSummary | undefined {
  if (!frames || preface === undefined) return undefined
  if (preface.summary !== undefined) return preface.summary.first === first ? preface.summary : undefined
  return summaryOfFrames(frames, { first, before: preface.before, after: digestAfter(preface.before, frames, chain) })
}

const NO_DIGEST = new Uint8Array()

/** Places of whole frames at which there still is an event. */
function placesIn(frames: Uint8Array, first: number): Set<number> {
  const places = new Set<number>()
  for (const { seq } of signedEventsOf(frames, 0, first)) places.add(seq)
  return places
}

/** True if a summary says of its frames what they are: readers skip and find events by it. */
export function isSummaryOf(summary: SegmentSummary, frames: Uint8Array): boolean {
  const actual = summaryOfFrames(frames, summary)
  if (actual === undefined) return false
  const { removal, lamportMin, lamportMax } = summary
  if (removal === undefined) return toHex(encodeSummary(actual)) === toHex(encodeSummary(summary))
  // The stamps of what was pruned still count.
  const within = actual.lamportMin >= lamportMin && actual.lamportMax <= lamportMax
  return within && toHex(encodeSummary({ ...actual, removal, lamportMin, lamportMax })) === toHex(encodeSummary(summary))
}

/** The summary of frames that stand at `first` between two digests; undefined if there is an event that cannot be read. */
export function summaryOfFrames(
  frames: Uint8Array,
  place: Pick<SegmentSummary, 'first' | 'before' | 'after'>,
): SegmentSummary | undefined {
  const { first, before, after } = place
  try {
    const events: (Header & { seq: number })[] = []
    for (const { seq, body } of signedEventsOf(frames, 0, first)) events.push({ seq, ...scanBody(body) })
    return {
      first,
      count: framesOf(frames, 0, first).reduce((sum, { count }) => sum + count, 0),
      kinds: events.reduce((bits, { kind }) => withKind(bits, kind), NO_KINDS),
      lamportMin: events.reduce((lowest, { lamport }) => Math.min(lowest, lamport), Number.POSITIVE_INFINITY),
      lamportMax: events.reduce((highest, { lamport }) => Math.max(highest, lamport), 0),
      before,
      after,
      runs: runsOfEvents(events),
    }
  } catch (error) {
    if (error instanceof BodyError || error instanceof VarintError) return undefined
    throw error
  }
}

/** The mark that an audit of a log with this record has to meet. */
export const markOf = (record: HeadRecord | undefined, boot: string | null): HeadMark | undefined =>
  record && provenMark(record, boot)

/** Ranges in order, those of one kind side by side as one. */
function joined(ranges: readonly DamagedRange[]): DamagedRange[] {
  const result: DamagedRange[] = []
  for (const range of ranges.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    const last = result.at(-1)
    if (last !== undefined && last.what === range.what && range.from <= last.to + 1) last.to = Math.max(last.to, range.to)
    else result.push({ ...range })
  }
  return result
}

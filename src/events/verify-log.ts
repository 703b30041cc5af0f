import { BodyError, scanBody } from './body.ts'
import type { Header } from './envelope.ts'
import type { DamagedRange } from './event-log.ts'
import type { HeadMark, HeadRecord } from './head-record.ts'
import { damageByRecord, provenMark } from './head-record.ts'
import { toHex } from './hex.ts'
import { runsOfEvents } from './log-state.ts'
import { framesOf, signedEventsOf } from './segment.ts'
import { DIGEST_BYTES, encodeSummary, NO_KINDS, type SegmentSummary, withKind } from './segment-summary.ts'
import { VarintError } from './varint.ts'

// The audit of a log, without its files: segments go in one after the other, damaged ranges come out.

export type LogVerdict = {
  readonly intact: boolean
  /** Events found, whole or not. */
  readonly events: number
  readonly segments: number
  /** Chain digest after the last event, hex; what the head file should say. */
  readonly headDigest: string
  readonly ranges: readonly DamagedRange[]
  /** What is wrong besides events: the database's own complaint, a missing head file. Sentences. */
  readonly problems: readonly string[]
  /** Events whose signature was checked. */
  readonly signaturesChecked: number
}

/** A segment as it was found; `frames` undefined where its value is gone, null where it fails its checksum. */
export type FoundSegment = {
  readonly first: number
  readonly summary: SegmentSummary | undefined
  readonly frames: Uint8Array | undefined | null
}

type Mismatch = { readonly range: DamagedRange; readonly summary: SegmentSummary; readonly frames: Uint8Array }

/** Swapped segments are looked for among this many that do not fit; more are altered, whatever else they are. */
const MISMATCHES_COMPARED_MAX = 64

const hexOf = (digest: Uint8Array | undefined): string | undefined => digest && toHex(digest)

export class LogAudit {
  readonly #chain: (before: Uint8Array, frame: Uint8Array) => Uint8Array
  readonly #mark: HeadMark | undefined
  /** After a repair LevelDB may bring back rows that were removed; those that repeat what is there are passed over. */
  readonly #repaired: boolean
  readonly #ranges: DamagedRange[] = []
  readonly #mismatches: Mismatch[] = []
  #next = 1
  #events = 0
  #segments = 0
  /** Running digest; undefined after a hole, until the next summary says where it goes on. */
  #digest: Uint8Array | undefined = new Uint8Array(DIGEST_BYTES)
  #markDigest: string | undefined
  /** First sequence of a segment whose length nobody can tell. */
  #endless: number | undefined

  constructor(chain: (before: Uint8Array, frame: Uint8Array) => Uint8Array, mark: HeadMark | undefined, repaired: boolean) {
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
    this.#segments++
    this.#next = last + 1
    if (frames === undefined) {
      this.#report(first, last, found.frames === null ? 'altered' : 'missing')
      this.#digest = summary?.after
      return
    }
    this.#events += count
    this.#check(first, last, frames, summary)
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
    if (this.#endless !== undefined) this.#report(this.#endless, Math.max(this.#endless, this.#mark?.seq ?? 0), 'altered')
    this.#findSwaps()
    const head = Math.max(this.#next, this.#endless ?? 0) - 1
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
      problems,
      signaturesChecked,
    }
  }

  #check(first: number, last: number, frames: Uint8Array, summary: SegmentSummary | undefined): void {
    const before = this.#digest ?? summary?.before
    if (before === undefined || summary === undefined) {
      // Whole perhaps, but without its summary no reader finds it.
      this.#report(first, last, 'altered')
      this.#digest = before && this.#follow(before, frames, first)
      return
    }
    const after = this.#follow(before, frames, first)
    const fits = hexOf(summary.before) === hexOf(before) && hexOf(summary.after) === hexOf(after)
    this.#digest = summary.after
    if (fits && isSummaryOf(summary, frames)) return
    if (fits) this.#report(first, last, 'altered')
    else this.#mismatches.push({ range: { from: first, to: last, what: 'altered' }, summary, frames: frames.slice() })
    if (this.#mismatches.length > MISMATCHES_COMPARED_MAX) {
      for (const { range } of this.#mismatches.splice(0)) this.#ranges.push(range)
    }
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
        (other) => other.summary !== summary && hexOf(this.#fold(other.summary.before, frames)) === hexOf(other.summary.after),
      )
      this.#ranges.push(moved ? { ...range, what: 'reordered' } : range)
    }
  }

  #fold(before: Uint8Array, frames: Uint8Array): Uint8Array {
    return framesOf(frames, 0, 1).reduce((digest, { start, end }) => this.#chain(digest, frames.subarray(start, end)), before)
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

/** True if a summary says of its frames what they are: readers skip and find events by it. */
function isSummaryOf(summary: SegmentSummary, frames: Uint8Array): boolean {
  try {
    const events: (Header & { seq: number })[] = []
    for (const { seq, body } of signedEventsOf(frames, 0, summary.first)) events.push({ seq, ...scanBody(body) })
    const lamports = events.map(({ lamport }) => lamport)
    const actual: SegmentSummary = {
      ...summary,
      count: events.length,
      kinds: events.reduce((bits, { kind }) => withKind(bits, kind), NO_KINDS),
      lamportMin: lamports.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
      lamportMax: lamports.reduce((a, b) => Math.max(a, b), 0),
      runs: runsOfEvents(events),
    }
    return toHex(encodeSummary(actual)) === toHex(encodeSummary(summary))
  } catch (error) {
    if (error instanceof BodyError || error instanceof VarintError) return false
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

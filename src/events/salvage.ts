import type { HeadMark } from './head-record.ts'
import { fromHex, toHex } from './hex.ts'
import { type Chain, digestAfter, framesOf } from './segment.ts'
import { DIGEST_BYTES, hasFrames, type KnownRun, NO_KINDS, type SegmentSummary } from './segment-summary.ts'
import { VarintError } from './varint.ts'
import { type FoundSegment, isSummaryOf, ownSummary, summaryOfFrames } from './verify-log.ts'

// What can be kept of a damaged log: segments go in one after the other, out come those that the chain of digests proves,
// and what is gone between them. A repair writes the first and records the second.

/** A stretch of places, inclusive, whose events are gone. */
export type LostRange = {
  readonly from: number
  readonly to: number
  /** Whose events they were, as far as their summaries still say. */
  readonly known: readonly KnownRun[]
  /** How many more there were, of which nothing is known. */
  readonly unknown: number
}

/** A row of the log to be: its summary, and the key of the frames that belong to it. */
export type KeptSegment = { readonly summary: SegmentSummary; readonly framesAt: number | undefined }

export type Salvaged = {
  /** In order and without a gap: lost stretches stand there as summaries without frames. */
  readonly rows: readonly KeptSegment[]
  readonly lost: readonly LostRange[]
  readonly end: HeadMark
  readonly eventsKept: number
}

/** Frames that are whole and belong nowhere yet are kept in memory up to this many. */
const STRAYS_MAX = 64

type Stray = { readonly first: number; readonly frames: Uint8Array; readonly count: number }

const same = (a: Uint8Array, b: Uint8Array): boolean => toHex(a) === toHex(b)
const lastOf = ({ first, count }: { first: number; count: number }): number => first + count - 1

export class Salvage {
  readonly #chain: Chain
  readonly #good: KeptSegment[] = []
  readonly #strays: Stray[] = []
  /** Summaries whose frames are not there, or not theirs. */
  readonly #bare: SegmentSummary[] = []

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** Takes the segments in the order of their keys. */
  add(found: FoundSegment): void {
    const { first, summary, frames } = found
    const count = frames ? countOf(frames, first) : undefined
    if (summary !== undefined && !hasFrames(summary) && frames === undefined) {
      this.#good.push({ summary, framesAt: undefined })
      return
    }
    if (frames && count !== undefined) {
      const proven = summary === undefined ? this.#provenAlone(found, frames) : this.#proven(summary, frames)
      if (proven !== undefined) {
        this.#good.push({ summary: proven, framesAt: first })
        return
      }
      if (this.#strays.length < STRAYS_MAX) this.#strays.push({ first, frames: frames.slice(), count })
    }
    if (summary !== undefined) this.#bare.push(summary)
  }

  /** @param mark how far the log must have reached */
  finish(mark: HeadMark | undefined): Salvaged {
    for (const summary of this.#bare) {
      const stray = this.#strays.find(({ frames, count }) => count === summary.count && this.#proven(summary, frames))
      if (stray !== undefined) this.#good.push({ summary, framesAt: stray.first })
    }
    const ordered = this.#good.toSorted((a, b) => a.summary.first - b.summary.first || b.summary.count - a.summary.count)
    const rows: KeptSegment[] = []
    const lost: LostRange[] = []
    let end: { seq: number; digest: Uint8Array } = { seq: 0, digest: new Uint8Array(DIGEST_BYTES) }
    for (const row of ordered) {
      const { first, before } = row.summary
      // Covered already: a repair of the database may bring back small segments that were joined.
      if (first <= end.seq) continue
      if (first > end.seq + 1) end = this.#bridge(rows, lost, end, { seq: first - 1, digest: before })
      if (!same(end.digest, before)) continue
      rows.push(row)
      end = { seq: lastOf(row.summary), digest: row.summary.after }
    }
    const proven = mark && { seq: mark.seq, digest: fromHex(mark.digest) }
    if (proven !== undefined && proven.seq > end.seq) end = this.#bridge(rows, lost, end, proven)
    else this.#append(rows, end, undefined)
    const last = rows.at(-1)?.summary
    return {
      rows,
      lost,
      end: { seq: last === undefined ? 0 : lastOf(last), digest: toHex(last?.after ?? new Uint8Array(DIGEST_BYTES)) },
      eventsKept: rows.reduce((sum, { summary }) => sum + summary.runs.reduce((events, run) => events + run.count, 0), 0),
    }
  }

  /** Fills the places between two digests: with strays that lead from one to the other, else with a record of the loss. */
  #bridge(
    rows: KeptSegment[],
    lost: LostRange[],
    from: { seq: number; digest: Uint8Array },
    to: { seq: number; digest: Uint8Array },
  ): { seq: number; digest: Uint8Array } {
    if (this.#append(rows, from, to)) return to
    const first = from.seq + 1
    const within = this.#bare.filter((summary) => summary.first >= first && lastOf(summary) <= to.seq)
    const known: KnownRun[] = []
    let next = first
    let lamportMax = rows.at(-1)?.summary.lamportMax ?? 1
    let told = 0
    for (const summary of within.toSorted((a, b) => a.first - b.first)) {
      if (summary.first < next) continue
      next = summary.first + summary.count
      told += summary.count
      lamportMax = Math.max(lamportMax, summary.lamportMax)
      known.push(...summary.runs.map(({ author, stream, authorSeq, count }) => ({ author, stream, authorSeq, count })))
    }
    const count = to.seq - from.seq
    const runs = coalesce(known)
    rows.push({
      framesAt: undefined,
      summary: {
        ...{ first, count, kinds: NO_KINDS, lamportMin: 1 },
        // Stamps that nobody knows of are passed over: each lost event may have moved the clock by one.
        lamportMax: lamportMax + count - told,
        ...{ before: from.digest, after: to.digest, runs: [] },
        removal: { what: 'lost', content: new Uint8Array(DIGEST_BYTES), known: runs },
      },
    })
    lost.push({ from: first, to: to.seq, known: runs, unknown: count - told })
    return to
  }

  // Frames without a summary: their place is proven when the chain goes over them from digest to digest. At the end of
  // a log whose head record is gone nothing is left to lead to.
  #append(rows: KeptSegment[], from: { seq: number; digest: Uint8Array }, to: { seq: number; digest: Uint8Array } | undefined) {
    const found: KeptSegment[] = []
    let { seq, digest } = from
    for (;;) {
      const stray = this.#strays.find(({ first }) => first === seq + 1)
      if (stray === undefined) break
      const after = digestAfter(digest, stray.frames, this.#chain)
      const summary = summaryOfFrames(stray.frames, { first: stray.first, before: digest, after })
      if (summary === undefined) break
      found.push({ summary, framesAt: stray.first })
      seq = lastOf(summary)
      digest = after
    }
    const arrives = to === undefined || (seq === to.seq && same(digest, to.digest))
    if (arrives) rows.push(...found)
    return arrives
  }

  /** Its row is gone: what the segment says of itself. It stands if its digests are those of its neighbours. */
  #provenAlone(found: FoundSegment, frames: Uint8Array): SegmentSummary | undefined {
    const summary = ownSummary(found, this.#chain)
    return summary && this.#proven(summary, frames)
  }

  /** The summary, mended where it says something wrong of its events, if these are the frames that it was made for. */
  #proven(summary: SegmentSummary, frames: Uint8Array): SegmentSummary | undefined {
    if (summary.removal !== undefined) {
      const fits = same(this.#chain(new Uint8Array(), frames), summary.removal.content) && isSummaryOf(summary, frames)
      return fits ? summary : undefined
    }
    if (!same(digestAfter(summary.before, frames, this.#chain), summary.after)) return undefined
    return isSummaryOf(summary, frames) ? summary : summaryOfFrames(frames, summary)
  }
}

function countOf(frames: Uint8Array, first: number): number | undefined {
  try {
    return framesOf(frames, 0, first).reduce((sum, { count }) => sum + count, 0)
  } catch (error) {
    if (error instanceof VarintError) return undefined
    throw error
  }
}

/** Runs of one (author, stream) that touch as one, in the order of author, stream and author sequence. */
export function coalesce(runs: readonly KnownRun[]): KnownRun[] {
  const sorted = runs.toSorted(
    (a, b) =>
      (a.author < b.author ? -1 : a.author > b.author ? 1 : 0) ||
      (a.stream < b.stream ? -1 : a.stream > b.stream ? 1 : 0) ||
      a.authorSeq - b.authorSeq,
  )
  const joined: { -readonly [K in keyof KnownRun]: KnownRun[K] }[] = []
  for (const run of sorted) {
    const last = joined.at(-1)
    if (last?.author === run.author && last.stream === run.stream && run.authorSeq <= last.authorSeq + last.count)
      last.count = Math.max(last.count, run.authorSeq + run.count - last.authorSeq)
    else joined.push({ ...run })
  }
  return joined
}

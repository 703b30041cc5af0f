import { VarintError } from '../codec/varint.ts'
import type { HeadMark } from '../log/head-record.ts'
import type { AuthorRun } from '../log/log-state.ts'
import { fromHex, toHex } from '../model/hex.ts'
import type { NodeId } from '../model/ids.ts'
import { type Chain, digestAfter } from '../segments/segment.ts'
import { DIGEST_BYTES, hasFrames, type KnownRun, NO_KINDS, type SegmentSummary } from '../segments/segment-summary.ts'
import { eventNames, type FoundEvents, findEvents, type IsSigned, tornFrame } from './found-events.ts'
import { eventsOf, type FrameSource, isForeign, type KeptSegment, SalvagedChains } from './salvaged-chains.ts'
import { type FoundSegment, isSummaryOf, ownSummary, summaryOfFrames } from './verify-log.ts'

// What can be kept of a damaged log: everything that is found in its files goes in, also what was replaced or moved; out
// come the segments that the chain of digests proves, the single events of those that are damaged, and what is gone.
// A repair writes the first two and records the third.

/** A stretch of places, inclusive, whose events are gone. */
export type LostRange = {
  readonly from: number
  readonly to: number
  /** Whose events they were, as far as their summaries still say. */
  readonly known: readonly KnownRun[]
  /** How many more there were, of which nothing is known. */
  readonly unknown: number
}

export type Salvaged = {
  /** In order and without a gap: lost stretches stand there as summaries without frames. */
  readonly rows: readonly KeptSegment[]
  readonly lost: readonly LostRange[]
  readonly end: HeadMark
  readonly eventsKept: number
}

/** A value that is found under a segment's key. */
export type FoundValue = Pick<FoundSegment, 'first' | 'frames' | 'preface'> & { readonly isCurrent: boolean }

export type SalvageTools = {
  readonly chain: Chain
  /** Whose log it is. */
  readonly author: NodeId
  readonly isSigned: IsSigned
}

const lastOf = ({ first, count }: { first: number; count: number }): number => first + count - 1
const same = (a: Uint8Array, b: Uint8Array): boolean => toHex(a) === toHex(b)

export class Salvage {
  readonly #tools: SalvageTools
  /** By the digest before them, hex: a segment says that of itself, whatever key it is found under. */
  readonly #summaries = new Map<string, SegmentSummary[]>()
  readonly #byFirst = new Map<number, SegmentSummary[]>()
  readonly #rows: KeptSegment[] = []
  readonly #current = new Set<SegmentSummary>()
  /** Of what single events may be found in. */
  readonly #raw: FrameSource[] = []

  constructor(tools: SalvageTools) {
    this.#tools = tools
  }

  /** All summaries go in before the first segment. */
  addSummary(summary: SegmentSummary, isCurrent: boolean): void {
    push(this.#summaries, toHex(summary.before), summary)
    push(this.#byFirst, summary.first, summary)
    if (isCurrent) this.#current.add(summary)
    if (!hasFrames(summary)) this.#rows.push({ summary, frames: undefined, isCurrent })
  }

  /**
   * @param source reads the frames again
   * @returns false for frames that nothing proves
   */
  addSegment(found: FoundValue, source: FrameSource): boolean {
    const row = found.frames ? this.#rowOf(found, found.frames) : undefined
    if (row !== undefined) this.#rows.push({ ...row, frames: source, isCurrent: found.isCurrent })
    return row !== undefined
  }

  /** Bytes in which single events may be left: what fails its checksum, or stands nowhere. */
  addRaw(source: FrameSource): void {
    this.#raw.push(source)
  }

  /** @param mark how far the log must have reached */
  finish(mark: HeadMark | undefined): Salvaged {
    this.#addTorn()
    const chains = new SalvagedChains(this.#rows, this.#tools.author, mark)
    const rows: KeptSegment[] = []
    const lost: LostRange[] = []
    let end = { seq: 0, digest: new Uint8Array(DIGEST_BYTES) as Uint8Array }
    for (;;) {
      const row = chains.after(end)
      if (row !== undefined) {
        rows.push(row)
        lost.push(...tornRanges(row.summary, this.#byFirst))
        end = { seq: lastOf(row.summary), digest: row.summary.after }
        continue
      }
      const next = chains.nextAfter(end.seq)
      if (next !== undefined) end = this.#bridge(rows, lost, end, { seq: next.first - 1, digest: next.before })
      else if (mark !== undefined && mark.seq > end.seq)
        end = this.#bridge(rows, lost, end, { seq: mark.seq, digest: fromHex(mark.digest) })
      else break
    }
    return {
      rows,
      lost,
      end: { seq: end.seq, digest: toHex(end.digest) },
      eventsKept: rows.reduce((sum, { summary }) => sum + eventsOf(summary), 0),
    }
  }

  /** The summary that these frames prove, mended where it says something wrong of its events. */
  #rowOf(found: FoundValue, frames: Uint8Array): Pick<KeptSegment, 'summary' | 'isByOwnWord'> | undefined {
    const before = found.preface?.summary?.before ?? found.preface?.before
    const candidates = new Set([
      ...(this.#byFirst.get(found.first) ?? []),
      ...((before && this.#summaries.get(toHex(before))) ?? []),
    ])
    try {
      for (const summary of candidates) {
        const proven = this.#proven(summary, frames)
        if (proven !== undefined) return { summary: proven }
      }
      // Its row is gone: what the segment says of itself. It stands if its digests are those of its neighbours.
      const own = ownSummary({ ...found, summary: undefined }, this.#tools.chain)
      const summary = own && this.#proven(own, frames)
      return summary && { summary, isByOwnWord: true }
    } catch (error) {
      if (error instanceof VarintError) return undefined
      throw error
    }
  }

  #proven(summary: SegmentSummary, frames: Uint8Array): SegmentSummary | undefined {
    if (summary.removal !== undefined) {
      const fits = same(this.#tools.chain(new Uint8Array(), frames), summary.removal.content) && isSummaryOf(summary, frames)
      return fits ? summary : undefined
    }
    if (!same(digestAfter(summary.before, frames, this.#tools.chain), summary.after)) return undefined
    return isSummaryOf(summary, frames) ? summary : summaryOfFrames(frames, summary)
  }

  /** The single events of segments that are not there as a whole. */
  #addTorn(): void {
    if (this.#raw.length === 0 && !this.#rows.some(({ isByOwnWord }) => isByOwnWord)) return
    const spans = new Set(this.#rows.map(({ summary }) => spanOf(summary)))
    const missed = [...this.#byFirst.values()].flat().filter((each) => hasFrames(each) && !spans.has(spanOf(each)))
    const wanted = new Set(missed.flatMap((summary) => Array.from(eventNames(summary), ([name]) => name)))
    const events: FoundEvents = new Map()
    // Also in segments that were joined to one that is damaged.
    const beside = this.#rows.filter(({ summary }) =>
      missed.some((each) => summary.first <= lastOf(each) && lastOf(summary) >= each.first),
    )
    for (const read of [...this.#raw, ...beside.flatMap(({ frames }) => frames ?? [])])
      findEvents(read(), wanted, this.#tools.isSigned, events)
    for (const summary of missed) {
      const frames = tornFrame(summary, events)
      const left = frames && summaryOfFrames(frames, summary)
      if (frames === undefined || left === undefined) continue
      const content = this.#tools.chain(new Uint8Array(), frames)
      const gone = placesOf(summary).filter((seq) => !placesOf(left).includes(seq))
      const known = coalesce(runsAt(summary, gone).map(({ seq: _, ...run }) => run))
      const { lamportMin, lamportMax } = summary
      const row = { ...left, lamportMin, lamportMax, removal: { what: 'torn', content, known } as const }
      // Where some were pruned, an older copy that has them all is no cure.
      const isCurrent = summary.removal !== undefined && this.#current.has(summary)
      this.#rows.push({ summary: row, frames: () => frames, isCurrent })
    }
  }

  /** Records that the places between two digests are lost. */
  #bridge(rows: KeptSegment[], lost: LostRange[], from: Place, to: Place): Place {
    const known: KnownRun[] = []
    const first = from.seq + 1
    let next = first
    let lamportMax = rows.at(-1)?.summary.lamportMax ?? 1
    let told = 0
    for (const summary of this.#summariesWithin(first, to.seq)) {
      if (summary.first < next) continue
      next = summary.first + summary.count
      told += summary.count
      lamportMax = Math.max(lamportMax, summary.lamportMax)
      known.push(...summary.runs.map(({ author, stream, authorSeq, count }) => ({ author, stream, authorSeq, count })))
    }
    const count = to.seq - from.seq
    const runs = coalesce(known)
    rows.push({
      frames: undefined,
      isCurrent: true,
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

  /** Of this log, the longest first where several begin at one place. */
  #summariesWithin(first: number, last: number): SegmentSummary[] {
    return [...this.#byFirst.values()]
      .flat()
      .filter((summary) => summary.first >= first && lastOf(summary) <= last && !isForeign(summary, this.#tools.author))
      .sort((a, b) => a.first - b.first || b.count - a.count)
  }
}

type Place = { readonly seq: number; readonly digest: Uint8Array }

const spanOf = (summary: SegmentSummary): string =>
  `${summary.first} ${summary.count} ${toHex(summary.before)} ${toHex(summary.after)}`

const placesOf = ({ runs }: SegmentSummary): number[] =>
  runs.flatMap(({ seq, count }) => Array.from({ length: count }, (_, index) => seq + index))

/** The stretches that are gone of a torn segment. */
function tornRanges(torn: SegmentSummary, byFirst: ReadonlyMap<number, readonly SegmentSummary[]>): LostRange[] {
  if (torn.removal?.what !== 'torn') return []
  const here = new Set(placesOf(torn))
  const whole = byFirst.get(torn.first)?.find(({ count, after }) => count === torn.count && same(after, torn.after))
  const ranges: LostRange[] = []
  for (let seq = torn.first; seq <= lastOf(torn); seq++) {
    if (here.has(seq)) continue
    const from = seq
    while (seq < lastOf(torn) && !here.has(seq + 1)) seq++
    const places = Array.from({ length: seq - from + 1 }, (_, index) => from + index)
    const known = coalesce(runsAt(whole ?? torn, places).map(({ seq: _, ...run }) => run))
    ranges.push({ from, to: seq, known, unknown: places.length - known.reduce((sum, { count }) => sum + count, 0) })
  }
  return ranges
}

/** What a summary says of the events at these places. */
function runsAt({ runs }: SegmentSummary, places: readonly number[]): AuthorRun[] {
  return places.flatMap((seq) => {
    const run = runs.find((each) => seq >= each.seq && seq < each.seq + each.count)
    return run === undefined ? [] : [{ ...run, seq, authorSeq: run.authorSeq + seq - run.seq, count: 1 }]
  })
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
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

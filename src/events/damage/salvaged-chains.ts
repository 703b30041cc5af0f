import type { HeadMark } from '../log/head-record.ts'
import { toHex } from '../model/hex.ts'
import type { NodeId } from '../model/ids.ts'
import { DIGEST_BYTES, type SegmentSummary } from '../segments/segment-summary.ts'

// Which of the segments that were found belong to this log, and in which order. Each leads from one chain digest to
// another, so those that belong together hang together. Files may hold more than one history: tables of another node's log,
// or small segments beside the one that they were joined to.

/** A row of the log to be: its summary, and what reads its frames; undefined where nothing of it is left. */
export type KeptSegment = {
  readonly summary: SegmentSummary
  readonly frames: FrameSource | undefined
  /** Nothing has replaced it: what was there before it must not come back, it may have been pruned. */
  readonly isCurrent: boolean
  /** Only the segment itself says where it stands and what it leads to; its summary is gone, or says otherwise. */
  readonly isByOwnWord?: boolean
}
export type FrameSource = () => Uint8Array

/** Private events are always their own node's: a segment with those of another comes from another log. */
export const isForeign = ({ runs }: SegmentSummary, author: NodeId): boolean =>
  runs.some((run) => run.stream === 'local' && run.author !== author)

export const eventsOf = ({ runs }: SegmentSummary): number => runs.reduce((events, { count }) => events + count, 0)

const lastOf = ({ first, count }: SegmentSummary): number => first + count - 1
const ZERO = toHex(new Uint8Array(DIGEST_BYTES))

/** A digest at its place: where a segment ends and the next one begins. */
const pointName = (seq: number, digest: string): string => `${seq} ${digest}`
const beginOf = ({ first, before }: SegmentSummary): string => pointName(first - 1, toHex(before))
const endOf = (summary: SegmentSummary): string => pointName(lastOf(summary), toHex(summary.after))

/** Segments that hang together; `trust`: 2 it meets the head mark, 1 it has private events of this node, 0 neither. */
type Component = { readonly rows: KeptSegment[]; trust: number; events: number; from: number; to: number }

export class SalvagedChains {
  /** By where they begin. */
  readonly #beginning = new Map<string, KeptSegment[]>()
  /** In the order of their places. */
  readonly #rows: readonly KeptSegment[]
  /** Events that can be kept from a point on without a gap. */
  readonly #reach = new Map<string, number>()

  constructor(found: readonly KeptSegment[], author: NodeId, mark: HeadMark | undefined) {
    const own = unreplaced(uncontradicted(ownRows(found, author, mark), mark))
    this.#rows = own.sort((a, b) => a.summary.first - b.summary.first)
    for (const row of this.#rows) {
      const begin = beginOf(row.summary)
      this.#beginning.set(begin, [...(this.#beginning.get(begin) ?? []), row])
    }
    // From the end on, so that what follows is known.
    for (const { summary } of this.#rows.toReversed()) this.#reach.set(beginOf(summary), this.#reachFrom(beginOf(summary)))
  }

  /** What goes on from here and keeps most. */
  after({ seq, digest }: { readonly seq: number; readonly digest: Uint8Array }): KeptSegment | undefined {
    const rows = this.#beginning.get(pointName(seq, toHex(digest))) ?? []
    return rows.reduce<KeptSegment | undefined>(
      (best, row) => (best === undefined || this.#worth(row) > this.#worth(best) ? row : best),
      undefined,
    )
  }

  /** The first segment that begins beyond the place after `seq`. */
  nextAfter(seq: number): SegmentSummary | undefined {
    const next = this.#rows.find(({ summary }) => summary.first > seq + 1)
    if (next === undefined) return undefined
    const beside = this.#rows.filter(({ summary }) => summary.first === next.summary.first)
    return beside.reduce((best, row) => (this.#worth(row) > this.#worth(best) ? row : best)).summary
  }

  #reachFrom(begin: string): number {
    return (this.#beginning.get(begin) ?? []).reduce((most, row) => Math.max(most, this.#worth(row)), 0)
  }

  #worth({ summary }: KeptSegment): number {
    return eventsOf(summary) + (this.#reach.get(endOf(summary)) ?? 0)
  }
}

/**
 * Without what was replaced by something that is there: that is all of it, or some of it was pruned since, and must not come
 * back.
 */
function unreplaced(rows: readonly KeptSegment[]): KeptSegment[] {
  const current = rows.filter(({ isCurrent }) => isCurrent).map(({ summary }) => summary)
  const covered = spansOf(current)
  const pruned = spansOf(current.filter(({ removal }) => removal !== undefined))
  const isReplaced = ({ summary }: KeptSegment): boolean =>
    (spanUpTo(covered, summary.first)?.to ?? 0) >= lastOf(summary) ||
    (spanUpTo(pruned, lastOf(summary))?.to ?? 0) >= summary.first
  return rows.filter((row) => row.isCurrent || !isReplaced(row))
}

/**
 * Without what stands by its own word alone and leads to a digest that is not the one at its end, by what follows it or by
 * the mark: changed frames with a good checksum would else displace what is whole behind them.
 */
function uncontradicted(rows: readonly KeptSegment[], mark: HeadMark | undefined): KeptSegment[] {
  const points = new Set(rows.map(({ summary }) => beginOf(summary)))
  if (mark !== undefined) points.add(pointName(mark.seq, mark.digest))
  const places = new Set(rows.map(({ summary }) => summary.first - 1).concat(mark?.seq ?? []))
  return rows.filter(
    ({ summary, isByOwnWord }) => isByOwnWord !== true || points.has(endOf(summary)) || !places.has(lastOf(summary)),
  )
}

type Span = { readonly from: number; to: number }

/** The places of segments as stretches without a gap, in order. */
function spansOf(summaries: readonly SegmentSummary[]): Span[] {
  const spans: Span[] = []
  for (const summary of summaries.toSorted((a, b) => a.first - b.first)) {
    const last = spans.at(-1)
    if (last !== undefined && summary.first <= last.to + 1) last.to = Math.max(last.to, lastOf(summary))
    else spans.push({ from: summary.first, to: lastOf(summary) })
  }
  return spans
}

/** The last stretch that begins at this place or before it. */
function spanUpTo(spans: readonly Span[], seq: number): Span | undefined {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((spans[middle] as Span).from <= seq) low = middle + 1
    else high = middle
  }
  return spans[low - 1]
}

/** Without what hangs together with private events of another node, or stands where something that is trusted more does. */
function ownRows(found: readonly KeptSegment[], author: NodeId, mark: HeadMark | undefined): KeptSegment[] {
  const components = componentsOf(found)
    .filter(({ rows }) => !rows.some(({ summary }) => isForeign(summary, author)))
    .map((component) => measured(component, author, mark))
    .sort((a, b) => b.trust - a.trust || b.events - a.events)
  const taken: Component[] = []
  const isAnyTrusted = components.some(({ trust }) => trust > 0)
  for (const one of components) {
    // From files that are none of the database, and nothing ties it to what is ours.
    if (isAnyTrusted && one.trust === 0 && !one.rows.some(({ isCurrent }) => isCurrent)) continue
    const isBeside = taken.every((other) => one.from > other.to || one.to < other.from)
    if (isBeside || taken.length === 0) taken.push(one)
  }
  return taken.flatMap(({ rows }) => rows)
}

function measured(component: Component, author: NodeId, mark: HeadMark | undefined): Component {
  const point = mark && pointName(mark.seq, mark.digest)
  for (const { summary } of component.rows) {
    const isOwn = summary.runs.some((run) => run.stream === 'local' && run.author === author)
    component.trust = Math.max(component.trust, endOf(summary) === point ? 2 : isOwn ? 1 : 0)
    component.events += eventsOf(summary)
    component.from = Math.min(component.from, summary.first)
    component.to = Math.max(component.to, lastOf(summary))
  }
  return component
}

function componentsOf(found: readonly KeptSegment[]): Component[] {
  const parent = new Map<string, string>()
  const rootOf = (point: string): string => {
    let root = point
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up
    if (root !== point) parent.set(point, root)
    return root
  }
  for (const { summary } of found) {
    const [begin, end] = [rootOf(beginOf(summary)), rootOf(endOf(summary))]
    // Every log begins with the same digest: that joins nothing.
    if (begin !== end && begin !== pointName(0, ZERO)) parent.set(end, begin)
  }
  const components = new Map<string, Component>()
  for (const row of found) {
    const begin = beginOf(row.summary)
    const root = rootOf(begin === pointName(0, ZERO) ? endOf(row.summary) : begin)
    const component = components.get(root) ?? { rows: [], trust: 0, events: 0, from: Number.POSITIVE_INFINITY, to: 0 }
    component.rows.push(row)
    components.set(root, component)
  }
  return [...components.values()]
}

import type { Upcast } from '../codec/upcasting.ts'
import { coalesce } from '../damage/salvage.ts'
import { summaryOfFrames } from '../damage/verify-log.ts'
import { runsOfEvents } from '../log/log-state.ts'
import type { Envelope } from '../model/envelope.ts'
import { readSegment, thinFrames, type WantedKinds } from '../segments/segment.ts'
import { DIGEST_BYTES, type KnownRun, type SegmentSummary } from '../segments/segment-summary.ts'

/** A segment without what was pruned; `frames` undefined if nothing is left. */
export type Thinned = {
  readonly summary: SegmentSummary
  readonly frames: Uint8Array | undefined
  readonly events: number
  readonly bytes: number
  readonly dropped: readonly KnownRun[]
}

/**
 * Takes events out of a segment.
 * @returns undefined if none goes
 * @throws VarintError | BodyError | PayloadError if the bytes are not what was written
 */
export function thin(
  summary: SegmentSummary,
  frames: Uint8Array,
  choice: { readonly to: number; readonly wanted: WantedKinds; readonly drop: (envelope: Envelope) => boolean },
  tools: { readonly upcast: Upcast; readonly digest: (bytes: Uint8Array) => Uint8Array },
): Thinned | undefined {
  const candidates: Envelope[] = []
  const range = { from: summary.first, to: choice.to, wanted: choice.wanted }
  readSegment(frames, 0, summary.first, range, tools.upcast, candidates)
  const dropped = candidates.filter(choice.drop)
  if (dropped.length === 0) return undefined
  const places = new Set(dropped.map(({ seq }) => seq))
  const left = thinFrames(frames, summary.first, (seq) => places.has(seq))
  const actual = summaryOfFrames(left, summary)
  const runs = runsOfEvents(dropped).map(({ seq: _, ...run }) => run)
  const known = coalesce([...(summary.removal?.known ?? []), ...runs])
  const isEmpty = actual === undefined || actual.runs.length === 0
  const kept = { ...summary, kinds: actual?.kinds ?? summary.kinds, runs: actual?.runs ?? [] }
  return {
    summary: {
      ...kept,
      removal: isEmpty
        ? { what: 'pruned', content: new Uint8Array(DIGEST_BYTES), known }
        : { what: 'thinned', content: tools.digest(left), known },
    },
    frames: isEmpty ? undefined : left,
    events: dropped.length,
    bytes: frames.length - (isEmpty ? 0 : left.length),
    dropped: runs,
  }
}

/** Two pruned stretches side by side as one: what years leave behind is a handful of rows. */
export function joinPruned(a: SegmentSummary, b: SegmentSummary): SegmentSummary | undefined {
  if (a.removal?.what !== 'pruned' || b.removal?.what !== 'pruned' || a.first + a.count !== b.first) return undefined
  return {
    ...a,
    count: a.count + b.count,
    lamportMin: Math.min(a.lamportMin, b.lamportMin),
    lamportMax: Math.max(a.lamportMax, b.lamportMax),
    after: b.after,
    removal: { ...a.removal, known: coalesce([...a.removal.known, ...b.removal.known]) },
  }
}

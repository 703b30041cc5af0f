import type { NodeId, PeerId } from '../../events/index.ts'
import { Forgetting, HEARSAY_BOUNDS, type HearsayBounds, type HearsayClass } from './hearsay.ts'
import type { PieceWindow } from './piece-window.ts'
import type { Policy } from './policy.ts'

// What is known of peers, as counters: evidence, and where it crossed a line. What to think of it is in judge.ts.

/** Counters stop here, so that no flood of reports makes them inexact. */
export const COUNT_MAX = 2 ** 40

export type Tally = { good: number; bad: number }

/** What one reporter says; last with the event `seq`; `weighed` once it has weight here; `unsaved` since it last went to the store. */
export type Report = Tally & { seq: number; weighed: boolean; unsaved: boolean }

/** How often a reporter's opinion of a peer, given before mine, turned out to be mine (or not). */
export type Agreement = { agree: number; disagree: number }
/** With the event at which that changed last. */
export type Reporter = Agreement & { changedAt: number }

/** By which rule a ban came about. */
export type BanRule = 'sum' | 'rate' | 'thin-ice' | 'quorum' | 'gossip'

export type Subject = {
  readonly id: PeerId
  /** Own attributable verdicts. */
  readonly own: Tally
  window: PieceWindow | undefined
  /** Own suspicions since it last sent a good piece; above 0 it is on parole. */
  suspicions: number
  readonly reports: Map<NodeId, Report>
  /** One of the reports is of a reporter with weight, which gives way to none without. */
  isWeighed: boolean
  /** The event at which others spoke of it last, and how it is held while only others do (hearsay.ts); neither is stored. */
  heardAt: number
  heldAs: HearsayClass | undefined
  /** The event at which it crossed a line; stays until the operator lifts it. */
  ban: { readonly seq: number; readonly rule: BanRule } | undefined
  /** The operator's last word. */
  operator: { readonly decision: 'banned' | 'unbanned'; readonly seq: number; readonly reason: string } | undefined
}

export type Ledger = {
  readonly own: NodeId
  policy: Policy
  readonly subjects: Map<PeerId, Subject>
  readonly reporters: Map<NodeId, Reporter>
  readonly forgetting: Forgetting
}

export const newLedger = (own: NodeId, policy: Policy, bounds: HearsayBounds = HEARSAY_BOUNDS): Ledger => ({
  ...{ own, policy },
  ...{ subjects: new Map(), reporters: new Map(), forgetting: new Forgetting(bounds) },
})

export function subjectOf(ledger: Ledger, id: PeerId): Subject {
  let subject = ledger.subjects.get(id)
  if (subject === undefined) {
    subject = newSubject(id)
    ledger.subjects.set(id, subject)
  }
  return subject
}

export const newSubject = (id: PeerId): Subject => ({
  id,
  own: { good: 0, bad: 0 },
  window: undefined,
  suspicions: 0,
  reports: new Map(),
  isWeighed: false,
  heardAt: 0,
  heldAs: undefined,
  ban: undefined,
  operator: undefined,
})

/** True for a peer that this node judged or suspected itself, or that it decided about: not one that only others spoke of. */
export const isMet = ({ own, suspicions, ban, operator, window }: Subject): boolean =>
  own.good + own.bad + suspicions > 0 || window !== undefined || ban !== undefined || operator !== undefined

export function count(tally: Tally, good: number, bad: number): void {
  const goodNow = tally.good + good
  const badNow = tally.bad + bad
  // Not Math.min, which would make every counter a floating-point number.
  tally.good = goodNow > COUNT_MAX ? COUNT_MAX : goodNow
  tally.bad = badNow > COUNT_MAX ? COUNT_MAX : badNow
}

/** Points that a tally is worth. */
export const points = (tally: Tally, policy: Policy): number => tally.good * policy.good - tally.bad * policy.bad

/** What whoever keeps this tally thinks of the peer: 1 good, -1 bad, 0 nothing. */
export const opinion = (tally: Tally, policy: Policy): number => Math.sign(points(tally, policy))

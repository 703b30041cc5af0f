import type { Envelope, NodeId, PeerId } from '../../events/index.ts'
import { fold, type Touched } from './fold.ts'
import { type IsRevoked, type Judgement, judge } from './judge.ts'
import { type Ledger, newLedger } from './ledger.ts'
import { type Policy, SEED_V1 } from './policy.ts'

export type ReputationReplay = {
  /** Whose judgement. */
  readonly own: NodeId
  /** Holds from the first event to the last, instead of the policies that were adopted. */
  readonly policy?: Policy
  /** As if these nodes had never said anything. */
  readonly without?: ReadonlySet<NodeId>
  /** Nodes that were put out: their word weighs nothing. */
  readonly isRevoked?: IsRevoked
  /** As it stood after this sequence. */
  readonly until?: number
  /** As if these events (sequences) had never been. */
  readonly except?: ReadonlySet<number>
}

const UNTOUCHED: Touched = { subject() {}, report() {}, reporter() {}, policy() {} }

/**
 * One more event, into a ledger that nobody stores.
 * @param policy holds from the first event to the last
 * @returns false if it was left out, since this policy holds instead
 */
export function foldInto(ledger: Ledger, envelope: Envelope, policy?: Policy): boolean {
  if (policy !== undefined && envelope.event.kind === 'policy.adopted') return false
  fold(ledger, envelope, UNTOUCHED)
  return true
}

/** Folds verdicts into a new ledger; give it events in the log's order, one after the other. */
export class ReputationReplayer {
  readonly ledger: Ledger
  readonly #options: ReputationReplay

  constructor(options: ReputationReplay) {
    this.#options = options
    this.ledger = newLedger(options.own, options.policy ?? SEED_V1)
  }

  /** @returns false if the replay leaves this event out */
  take(envelope: Envelope): boolean {
    const { policy, without, until, except } = this.#options
    if (until !== undefined && envelope.seq > until) return false
    if (without?.has(envelope.author) === true || except?.has(envelope.seq) === true) return false
    return foldInto(this.ledger, envelope, policy)
  }

  /** Everyone's score and standing, in the order of their ids. */
  judgements(): Map<PeerId, Judgement> {
    return judgements(this.ledger, this.#options.isRevoked)
  }
}

/** What a ledger says of everyone in it, in the order of their ids. */
export function judgements(ledger: Ledger, isRevoked: IsRevoked = () => false): Map<PeerId, Judgement> {
  return new Map([...ledger.subjects.keys()].sort().map((peer) => [peer, judge(ledger, peer, { isRevoked })]))
}

/** Scores again from the log, under another policy, without a reporter, or as of the past. */
export function replayReputation(envelopes: Iterable<Envelope>, options: ReputationReplay): Map<PeerId, Judgement> {
  const replayer = new ReputationReplayer(options)
  for (const envelope of envelopes) replayer.take(envelope)
  return replayer.judgements()
}

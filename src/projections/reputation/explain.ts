import type { Envelope, NodeId, PeerId } from '../../events/index.ts'
import { type IsRevoked, type Judgement, judge, type Standing } from './judge.ts'
import type { BanRule } from './ledger.ts'
import { points } from './ledger.ts'
import { type Policy, SEED_V1 } from './policy.ts'
import { ReputationReplayer } from './replay-reputation.ts'

/** One event that was about the peer, in the order it was learnt. */
export type ExplainedVerdict = {
  readonly seq: number
  readonly lamport: number
  readonly at: number
  readonly reporter: NodeId
  readonly kind: string
  /** What was seen, a sentence. */
  readonly evidence: string
  readonly good: number
  readonly bad: number
  readonly scoreAfter: number
  readonly standingAfter: Standing
  /** True for the event at which it was banned. */
  readonly decisive: boolean
}

export type Explanation = {
  readonly peer: PeerId
  readonly policy: string
  readonly judgement: Judgement
  readonly verdicts: readonly ExplainedVerdict[]
  /** The event that banned it, and by which rule; undefined where it is not banned. */
  readonly ban: { readonly seq: number; readonly rule: BanRule | 'operator' } | undefined
  /** The smallest set of events that made the ban, given all the good that was known; ascending sequences. */
  readonly decisive: readonly number[]
}

type Told = { readonly envelope: Envelope; readonly good: number; readonly bad: number }

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)

function about(envelope: Envelope, peer: PeerId): Told | undefined {
  const { event } = envelope
  switch (event.kind) {
    case 'piece.judged':
      if (event.subject !== peer) return undefined
      return { envelope, good: sum(event.good.map((range) => range.count)), bad: event.bad.length }
    case 'piece.suspected':
      return event.sources.includes(peer) ? { envelope, good: 0, bad: 0 } : undefined
    case 'operator.banned':
    case 'operator.unbanned':
      return event.subject === peer ? { envelope, good: 0, bad: 0 } : undefined
    default:
      return undefined
  }
}

function evidenceOf({ envelope, good, bad }: Told): string {
  const { event } = envelope
  switch (event.kind) {
    case 'piece.judged': {
      const pieces = event.bad
        .slice(0, 4)
        .map((piece) =>
          piece.evidence === 'sole-source'
            ? `piece ${piece.index} came from it alone and hashed to ${piece.received.slice(0, 12)} instead of ${piece.expected.slice(0, 12)}`
            : `its block at ${piece.offset} of piece ${piece.index} hashed to ${piece.received.slice(0, 12)}, the good copy to ${piece.expected.slice(0, 12)}`,
        )
      if (bad > pieces.length) pieces.push(`and ${bad - pieces.length} more`)
      const counted = `${good} good, ${bad} bad of torrent ${event.infoHash.slice(0, 12)}`
      return pieces.length === 0 ? counted : `${counted}: ${pieces.join('; ')}`
    }
    case 'piece.suspected':
      return `piece ${event.index} failed with ${event.sources.length} sources, nobody can be blamed yet`
    case 'operator.banned':
    case 'operator.unbanned':
      return event.reason
    default:
      return ''
  }
}

/** The fewest events that make the ban: heaviest first, the newest of equals, the one at which it happened always. */
function smallestSet(told: readonly Told[], rule: BanRule | 'operator', banSeq: number, own: NodeId, policy: Policy): number[] {
  const known = told.filter(({ envelope }) => envelope.seq <= banSeq)
  const mine = known.filter(({ envelope }) => envelope.author === own && envelope.event.kind === 'piece.judged')
  const heaviest = (list: readonly Told[]): Told[] =>
    list.filter(({ bad }) => bad > 0).sort((a, b) => b.bad - a.bad || b.envelope.seq - a.envelope.seq)
  const until = (list: readonly Told[], enough: (bad: number) => boolean): number[] => {
    const last = list.filter(({ envelope }) => envelope.seq === banSeq)
    let bad = sum(last.map((one) => one.bad))
    const taken = [...last]
    for (const one of list) {
      if (enough(bad)) break
      if (one.envelope.seq === banSeq) continue
      taken.push(one)
      bad += one.bad
    }
    return taken.map(({ envelope }) => envelope.seq).sort((a, b) => a - b)
  }
  switch (rule) {
    case 'sum': {
      const good = sum(mine.map((one) => one.good))
      return until(heaviest(mine), (bad) => policy.start + points({ good, bad }, policy) < 0)
    }
    case 'rate':
      // The newest bad ones: those that stood in the window.
      return until(mine.filter(({ bad }) => bad > 0).reverse(), (bad) => bad >= policy.windowBad)
    case 'gossip':
      return heaviest(known.filter(({ envelope }) => envelope.author !== own))
        .map(({ envelope }) => envelope.seq)
        .sort((a, b) => a - b)
    case 'thin-ice':
      return [
        ...heaviest(known)
          .filter(({ envelope }) => envelope.author !== own)
          .map(({ envelope }) => envelope.seq),
        banSeq,
      ].sort((a, b) => a - b)
    case 'quorum':
      return known
        .filter(({ envelope, bad }) => bad > 0 && policy.trusted.includes(envelope.author))
        .map(({ envelope }) => envelope.seq)
    case 'operator':
      return [banSeq]
  }
}

/** What an explanation is made under. */
export type ExplainOptions = { readonly own: NodeId; readonly policy?: Policy; readonly isRevoked?: IsRevoked }

/**
 * Why a peer stands as it does: every event about it with the score after it, the terms, and the events that made a ban.
 * Give it the events that hold the verdicts, in the log's order, as `own` saw them: it keeps those about the peer alone.
 */
export class Explainer {
  readonly #peer: PeerId
  readonly #options: ExplainOptions
  readonly #replayer: ReputationReplayer
  readonly #isShared: boolean
  readonly #told: Told[] = []
  readonly #verdicts: Omit<ExplainedVerdict, 'decisive'>[] = []
  #policyAtBan: Policy
  #isBanned = false

  /** @param shared a replay that its owner gives each event first, so that several explanations need one; default: its own */
  constructor(peer: PeerId, options: ExplainOptions, shared?: ReputationReplayer) {
    this.#peer = peer
    this.#options = options
    this.#isShared = shared !== undefined
    this.#replayer = shared ?? new ReputationReplayer(options)
    this.#policyAtBan = options.policy ?? SEED_V1
  }

  /** @returns true if it was about the peer */
  take(envelope: Envelope): boolean {
    const { ledger } = this.#replayer
    if (!this.#isShared) this.#replayer.take(envelope)
    const one = about(envelope, this.#peer)
    if (one === undefined) return false
    this.#told.push(one)
    const { score, standing } = judge(ledger, this.#peer, this.#judging)
    if (standing === 'banned' && !this.#isBanned) this.#policyAtBan = ledger.policy
    this.#isBanned = standing === 'banned'
    const { seq, lamport, at, author: reporter } = envelope
    const { good, bad } = one
    this.#verdicts.push({
      ...{ seq, lamport, at, reporter, kind: envelope.event.kind, evidence: evidenceOf(one), good, bad },
      ...{ scoreAfter: score, standingAfter: standing },
    })
    return true
  }

  get #judging(): { isRevoked?: IsRevoked } {
    const { isRevoked } = this.#options
    return isRevoked === undefined ? {} : { isRevoked }
  }

  /** From all that it was given until now. */
  get explanation(): Explanation {
    const { ledger } = this.#replayer
    const judgement = judge(ledger, this.#peer, this.#judging)
    const ban = judgement.standing === 'banned' ? banOf(this.#replayer, this.#peer) : undefined
    return {
      peer: this.#peer,
      policy: ledger.policy.id,
      judgement,
      verdicts: this.#verdicts.map((verdict) => ({ ...verdict, decisive: verdict.seq === ban?.seq })),
      ban,
      decisive: ban === undefined ? [] : smallestSet(this.#told, ban.rule, ban.seq, this.#options.own, this.#policyAtBan),
    }
  }
}

/** The same of events that are all at hand. */
export function explain(envelopes: Iterable<Envelope>, peer: PeerId, options: ExplainOptions): Explanation {
  const explainer = new Explainer(peer, options)
  for (const envelope of envelopes) explainer.take(envelope)
  return explainer.explanation
}

function banOf({ ledger }: ReputationReplayer, peer: PeerId): Explanation['ban'] {
  const subject = ledger.subjects.get(peer)
  if (subject?.operator?.decision === 'banned') return { seq: subject.operator.seq, rule: 'operator' }
  return subject?.operator === undefined ? subject?.ban : undefined
}

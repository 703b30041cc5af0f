import { isAddressId, type NodeId, type PeerId } from '../../events/index.ts'
import { type Agreement, type BanRule, type Ledger, newSubject, points, type Subject } from './ledger.ts'
import type { Policy } from './policy.ts'

/** `thin-ice`: others' word has taken it below 0. It is on parole, unchoked last, and banned at its first bad piece here. */
export type Standing = 'good' | 'thin-ice' | 'banned'

/** A named part of a score: points that it adds, and why, as a phrase. Terms of 0 points explain a standing. */
export type Term = { readonly name: TermName; readonly value: number; readonly because: string }
export type TermName = 'start' | 'first-hand' | 'gossip' | 'rate' | 'quorum' | 'thin-ice' | 'operator' | 'parole' | 'revoked'

export type Judgement = {
  readonly score: number
  readonly standing: Standing
  readonly because: readonly Term[]
}

/** Weights are in thousandths. */
const FULL_WEIGHT = 1000
/** A disagreement costs what four agreements bring, and a reporter starts as if it had disagreed once. */
const DISAGREEMENT = 4

/**
 * How much of a reporter's word counts, in thousandths: 0 for a key that never judged a peer before me, rising with
 * each time that my own verdicts came out as it had said. Agreeing after me earns nothing: an echo knows nothing.
 */
export function weightOf(agreement: Agreement | undefined): number {
  if (agreement === undefined) return 0
  const { agree, disagree } = agreement
  return Math.floor((FULL_WEIGHT * agree) / (agree + DISAGREEMENT * (disagree + 1)))
}

/** The same under a policy, which may give every reporter some weight. */
export const weightUnder = (policy: Policy, agreement: Agreement | undefined): number =>
  Math.max(policy.strangerWeight, weightOf(agreement))

export type GossipTerm = { points: number; reporters: number; clamped: number }

/** True for a node whose admission the owner took back: what it says weighs nothing, whenever it was said. */
export type IsRevoked = (node: NodeId) => boolean
const NOBODY: IsRevoked = () => false

/**
 * What others' verdicts add: each reporter's points clamped, then weighted, rounded towards 0. Unless the policy lets praise
 * lift, the sum never lifts a score: praise answers slander and nothing else, so a ring that praises itself gains nothing.
 */
export function gossipOf(ledger: Ledger, subject: Subject, policy: Policy, isRevoked: IsRevoked = NOBODY): GossipTerm {
  let sum = 0
  let reporters = 0
  let clamped = 0
  for (const [reporter, tally] of subject.reports) {
    const weight = weightUnder(policy, ledger.reporters.get(reporter))
    if (weight === 0 || isRevoked(reporter)) continue
    const said = points(tally, policy)
    const within = Math.max(-policy.reporterClamp, Math.min(policy.reporterClamp, said))
    reporters += 1
    if (within !== said) clamped += 1
    sum += Math.trunc((within * weight) / FULL_WEIGHT)
  }
  return { points: policy.praiseLifts === 1 ? sum : Math.min(0, sum), reporters, clamped }
}

/** Trusted keys whose own evidence would ban the peer by itself. */
export function trustedAgainst(subject: Subject, policy: Policy, isRevoked: IsRevoked = NOBODY): number {
  return policy.trusted.filter((id) => {
    if (isRevoked(id)) return false
    const tally = subject.reports.get(id)
    return tally !== undefined && policy.start + points(tally, policy) < 0
  }).length
}

/** The rule that own evidence breaks as it stands, with `moreBad` own bad pieces that no event has told yet. */
export function brokenRule(subject: Subject, policy: Policy, moreBad = 0): 'sum' | 'rate' | undefined {
  const own = { good: subject.own.good, bad: subject.own.bad + moreBad }
  // Without a bad piece of its own nobody is banned, whatever the policy's start is.
  if (own.bad === 0) return undefined
  if (policy.start + points(own, policy) < 0) return 'sum'
  const pieces = (subject.window?.size ?? 0) + moreBad
  const bad = (subject.window?.bad ?? 0) + moreBad
  return pieces >= policy.windowPiecesMin && bad >= policy.windowBad ? 'rate' : undefined
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function ruleTerm(rule: BanRule, subject: Subject, policy: Policy, isRevoked: IsRevoked): Term | undefined {
  switch (rule) {
    case 'sum':
      return undefined
    case 'rate':
      return {
        name: 'rate',
        value: 0,
        because: `${policy.windowBad} or more bad among its last ${policy.windowPieces} pieces here`,
      }
    case 'thin-ice':
      return { name: 'thin-ice', value: 0, because: "a bad piece here while others' word had it below 0" }
    case 'gossip':
      return { name: 'gossip', value: 0, because: "others' word alone had it below 0" }
    case 'quorum':
      return { name: 'quorum', value: 0, because: `the evidence of ${trustedAgainst(subject, policy, isRevoked)} trusted keys` }
  }
}

/** How many of a peer's reporters weigh nothing since they were put out. */
function revokedReporters(subject: Subject, isRevoked: IsRevoked): number {
  let count = 0
  for (const reporter of subject.reports.keys()) if (isRevoked(reporter)) count += 1
  return count
}

/**
 * True if only the word of some that were put out since made this ban: without them the peer would not have been on thin
 * ice at its bad piece, or too few trusted keys speak against it. What own evidence made is looked at by nobody's word.
 */
function isVoid(
  rule: BanRule | undefined,
  subject: Subject,
  gossip: GossipTerm,
  policy: Policy,
  isRevoked: IsRevoked,
): boolean {
  switch (rule) {
    case 'thin-ice':
      return policy.start + points({ good: subject.own.good, bad: subject.own.bad - 1 }, policy) + gossip.points >= 0
    case 'gossip':
      return policy.start + points(subject.own, policy) + gossip.points >= 0
    case 'quorum':
      return policy.trusted.some(isRevoked) && trustedAgainst(subject, policy, isRevoked) < policy.quorum
    default:
      return false
  }
}

export type JudgeOptions = {
  /** Default: the ledger's own. */
  readonly policy?: Policy | undefined
  /** Own bad pieces that were seen and are not in the log yet. */
  readonly moreBad?: number
  /** Default: nobody. */
  readonly isRevoked?: IsRevoked
}

/**
 * The score of a peer, its standing and the terms of both. Pure, whole numbers only.
 *
 * Score: start + own points + gossip (never above 0). Banned: an operator's ban, or the mark of the event at which a
 * rule was broken, which only an operator lifts (nothing is downloaded from a banned peer, so no own verdict could; and
 * what others say must not). A ban that the word of others made holds only as long as these are admitted. Thin ice: score
 * below 0 without a ban. An operator's `unbanned` holds against every rule.
 * Source: reputation policy seed-v1.
 */
export function judge(ledger: Ledger, peer: PeerId, options: JudgeOptions = {}): Judgement {
  const { policy = ledger.policy, moreBad = 0, isRevoked = NOBODY } = options
  const subject = ledger.subjects.get(peer) ?? newSubject(peer)
  const ownBad = subject.own.bad + moreBad
  const own = points({ good: subject.own.good, bad: ownBad }, policy)
  const gossip = gossipOf(ledger, subject, policy, isRevoked)
  const revoked = revokedReporters(subject, isRevoked)
  const score = policy.start + own + gossip.points
  const because: Term[] = [{ name: 'start', value: policy.start, because: 'where every peer starts' }]
  if (subject.own.good + ownBad > 0) {
    const seen = `${plural(subject.own.good, 'good piece')} and ${ownBad} bad seen here`
    because.push({ name: 'first-hand', value: own, because: seen })
  }
  if (gossip.reporters > 0) {
    const clamped = gossip.clamped > 0 ? `, ${gossip.clamped} clamped to ${policy.reporterClamp} points` : ''
    because.push({
      name: 'gossip',
      value: gossip.points,
      because: `${plural(gossip.reporters, 'reporter')} with weight${clamped}`,
    })
  }
  if (revoked > 0) {
    const whose = `what ${plural(revoked, 'reporter')} said weighs nothing: put out of the network by its owner`
    because.push({ name: 'revoked', value: 0, because: whose })
  }
  if (subject.suspicions > 0) {
    because.push({ name: 'parole', value: 0, because: `suspected of ${plural(subject.suspicions, 'piece')}, not cleared yet` })
  }

  const { operator } = subject
  if (operator !== undefined) {
    because.push({ name: 'operator', value: 0, because: `${operator.decision} by the operator: ${operator.reason}` })
    if (operator.decision === 'banned') return { score, standing: 'banned', because }
  } else {
    const wasThin = moreBad > 0 && score + moreBad * policy.bad < 0
    const lifted = revoked > 0 && isVoid(subject.ban?.rule, subject, gossip, policy, isRevoked)
    // What own evidence alone says by now has left no mark behind the one that is void.
    const unmarked = moreBad > 0 || lifted
    const rule =
      (lifted ? undefined : subject.ban?.rule) ??
      (unmarked ? (brokenRule(subject, policy, moreBad) ?? (wasThin ? 'thin-ice' : undefined)) : undefined)
    if (rule !== undefined) {
      const term = ruleTerm(rule, subject, policy, isRevoked)
      if (term !== undefined) because.push(term)
      return { score, standing: 'banned', because }
    }
  }
  return { score, standing: score < 0 && operator === undefined ? 'thin-ice' : 'good', because }
}

/** The term that decides, as one line for a person. */
export function summary({ because }: Judgement): string {
  const order: readonly TermName[] = ['operator', 'rate', 'thin-ice', 'quorum', 'first-hand', 'gossip', 'start']
  for (const name of order) {
    const term = because.find((candidate) => candidate.name === name)
    if (term !== undefined) return term.because
  }
  return ''
}

/** True for peers whose verdicts mean something to others: an address is somebody else tomorrow. */
export const travels = (peer: PeerId): boolean => !isAddressId(peer)

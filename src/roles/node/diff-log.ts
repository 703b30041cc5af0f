import { type Envelope, eventId, isNodeId, type LogView, type NodeId, type PeerId } from '../../events/index.ts'
import { type AdmissionsState, isRevoked } from '../../projections/index.ts'
import {
  Explainer,
  type Explanation,
  type IsRevoked,
  type Ledger,
  PARAMETERS,
  type ParameterName,
  REPUTATION_KINDS,
  ReputationReplayer,
  weightOf,
} from '../../projections/reputation/index.ts'
import type { DiffReason, DiffResult, DiffRow } from '../services.ts'
import { eventRow } from './event-rows.ts'
import type { LogQueriesParts } from './log-queries.ts'
import { OtherLog } from './other-log.fs.ts'
import { scoreRow } from './score-rows.ts'
import { type WalkOptions, walkLog } from './walk-log.ts'

/** Peers of which the reasons are told, and reasons of each. */
export const PEERS_TOLD_MAX = 20
export const REASONS_TOLD_MAX = 50

type Side = {
  readonly name: 'here' | 'there'
  readonly own: NodeId
  readonly ledger: Ledger
  readonly isRevoked: IsRevoked
  /** Of the peers whose reasons are told. */
  readonly explanations: Map<PeerId, Explanation>
  /** Events about the peers that are told, by their place in that log. */
  readonly events: Map<number, Envelope>
  /** Names of events that the other side decided by, and that are held here. */
  readonly holds: Set<string>
}

/**
 * Why this node bans and another does not, or the other way round, by a bundle of the other's log: down to the events that one of
 * them lacks or weighs otherwise.
 * @throws ServiceError `usage`, `damaged`
 */
export async function diffLog(
  { log, states, joined }: Pick<LogQueriesParts, 'log' | 'states' | 'joined'>,
  file: string,
  options: WalkOptions,
): Promise<DiffResult> {
  const to = states.applied
  const other = await OtherLog.open(file, joined, log)
  const replayer = new ReputationReplayer({ own: other.author })
  const admissions = other.newAdmissions()
  await other.read((envelope) => {
    admissions.take(envelope)
    replayer.take(envelope)
  }, options)
  const here = sideOf('here', log.author, states.state('reputation'), states.state('admissions'))
  const there = sideOf('there', other.author, replayer.ledger, admissions.state)
  const differing = peersThatDiffer(here, there)
  const told = differing.slice(0, PEERS_TOLD_MAX)

  // First who decided by which events, then which of them the other side holds.
  await explainAll(here, told, (visit) => walkOwn(log, to, visit, options))
  const wanted = new Set(
    [...here.explanations.values()].flatMap((one) => decidedBy(one, here.own).map((seq) => nameIn(here, seq))),
  )
  await explainAll(there, told, (visit) =>
    other.read((envelope) => {
      visit(envelope)
      if (wanted.has(eventId(envelope))) there.holds.add(eventId(envelope))
    }, options),
  )
  for (const envelope of there.events.values()) if (log.has(envelope)) here.holds.add(eventId(envelope))

  const parameters = (Object.keys(PARAMETERS) as ParameterName[])
    .map((name) => ({ name, here: here.ledger.policy[name], there: there.ledger.policy[name] }))
    .filter((row) => row.here !== row.there)
  return {
    here: here.own,
    there: there.own,
    policy: { here: here.ledger.policy.id, there: there.ledger.policy.id, parameters },
    differing: differing.length,
    peers: told.map((peer) => rowOf(here, there, peer)),
  }
}

const sideOf = (name: Side['name'], own: NodeId, ledger: Ledger, admissions: AdmissionsState): Side => ({
  ...{ name, own, ledger, explanations: new Map(), events: new Map(), holds: new Set() },
  isRevoked: (node) => isRevoked(admissions, node),
})

function peersThatDiffer(here: Side, there: Side): PeerId[] {
  const peers = new Set([...here.ledger.subjects.keys(), ...there.ledger.subjects.keys()])
  const standing = ({ ledger, isRevoked }: Side, peer: PeerId) => scoreRow(ledger, peer, isRevoked).standing
  return [...peers].filter((peer) => standing(here, peer) !== standing(there, peer)).sort()
}

async function explainAll(
  side: Side,
  peers: readonly PeerId[],
  walk: (visit: (envelope: Envelope) => void) => Promise<void>,
): Promise<void> {
  const options = { own: side.own, isRevoked: side.isRevoked }
  const replayer = new ReputationReplayer(options)
  const explainers = peers.map((peer) => new Explainer(peer, options, replayer))
  await walk((envelope) => {
    replayer.take(envelope)
    // Several may be about one event: a suspicion names some.
    for (const explainer of explainers) if (explainer.take(envelope)) side.events.set(envelope.seq, envelope)
  })
  for (const { explanation } of explainers) side.explanations.set(explanation.peer, explanation)
}

const nameIn = ({ events }: Side, seq: number): string => {
  const envelope = events.get(seq)
  return envelope === undefined ? '' : eventId(envelope)
}

const walkOwn = (log: LogView, to: number, visit: (envelope: Envelope) => void, options: WalkOptions): Promise<void> =>
  walkLog(
    log,
    { to, kinds: REPUTATION_KINDS },
    (envelope) => {
      visit(envelope)
      return true
    },
    options,
  )

/** What made a ban; of thin ice, the reports against it. */
function decidedBy({ decisive, judgement, verdicts }: Explanation, own: NodeId): number[] {
  if (judgement.standing === 'good') return []
  const against = verdicts.filter(({ reporter, bad }) => reporter !== own && bad > 0).map(({ seq }) => seq)
  return (decisive.length > 0 ? decisive : against).slice(-REASONS_TOLD_MAX)
}

function rowOf(here: Side, there: Side, peer: PeerId): DiffRow {
  const told = ({ ledger, isRevoked }: Side) => {
    const { score, standing, because } = scoreRow(ledger, peer, isRevoked)
    return { score, standing, because }
  }
  const reasons = [...reasonsOf(here, there, peer), ...reasonsOf(there, here, peer)].slice(0, REASONS_TOLD_MAX)
  return { peer, here: told(here), there: told(there), reasons }
}

/** Why `side` holds against the peer what `other` does not. */
function reasonsOf(side: Side, other: Side, peer: PeerId): DiffReason[] {
  const explanation = side.explanations.get(peer)
  if (explanation === undefined || explanation.judgement.standing === 'good') return []
  const reasons: DiffReason[] = []
  const taken = other.ledger.subjects.get(peer)?.operator
  if (taken?.decision === 'unbanned')
    reasons.push({ what: 'operator', side: other.name, event: null, text: `its operator took it back: ${taken.reason}` })
  for (const seq of decidedBy(explanation, side.own)) {
    const envelope = side.events.get(seq)
    if (envelope !== undefined) reasons.push(reasonOf(envelope, side, other, peer))
  }
  return reasons
}

function reasonOf(envelope: Envelope, side: Side, other: Side, peer: PeerId): DiffReason {
  const { author, event } = envelope
  const row = { side: other.name, event: eventRow(envelope) }
  if (event.kind === 'operator.banned')
    return { ...row, what: 'operator', text: `the operator ${side.name} banned it: ${event.reason}` }
  if (!other.holds.has(eventId(envelope))) {
    const why = envelope.stream === 'local' ? ', which is not told to others' : ''
    return { ...row, what: 'lacks', text: `lacks this event${why}` }
  }
  if (other.isRevoked(author) && !side.isRevoked(author))
    return { ...row, what: 'revoked', text: 'knows that its author was put out' }
  if (peer === other.own) return { ...row, what: 'weighs', text: 'nobody judges itself' }
  if (author === peer) return { ...row, what: 'weighs', text: 'nobody is a witness in its own case' }
  return { ...row, what: 'weighs', text: `${worth(side, author)} ${side.name}, ${worth(other, author)} ${other.name}` }
}

function worth({ own, ledger }: Side, author: NodeId): string {
  if (author === own) return 'seen by the node itself'
  const weight = isNodeId(author) ? Math.max(ledger.policy.strangerWeight, weightOf(ledger.reporters.get(author))) : 0
  return weight === 0 ? 'the word of one that weighs nothing' : `hearsay with ${weight / 10} % of full weight`
}

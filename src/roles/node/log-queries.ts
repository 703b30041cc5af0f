import {
  addressId,
  type Clock,
  decodeGenesis,
  isAddressId,
  isInfoHash,
  isIpAddress,
  isNodeId,
  type JoinedNetwork,
  type LogView,
  type NodeId,
  type PeerId,
} from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { isRevoked, type Member, members, type ProjectionRunner, type Turns } from '../../projections/index.ts'
import { Explainer, type IsRevoked, type Ledger, REPUTATION_KINDS, VerdictTable } from '../../projections/reputation/index.ts'
import type { NewSha256 } from '../../projections/sha256.ts'
import { auditLog } from '../audit/audit-log.ts'
import {
  type EventRow,
  type Explanation,
  type LogFilter,
  type LogQueries,
  type MemberRow,
  type NetworkView,
  type Progressive,
  type ProjectionDigests,
  type ScoreRow,
  ServiceError,
  type VerifyProgress,
  type VerifyResult,
  type WalkProgress,
} from '../services.ts'
import { bisectLog } from './bisect-log.ts'
import { diffLog } from './diff-log.ts'
import { eventRow } from './event-rows.ts'
import { hindsightOf, hindsightRow } from './hindsight.ts'
import { logPosition } from './log-position.ts'
import { logStats } from './log-stats.ts'
import { matchingEvents } from './matching-events.ts'
import { networkView } from './network-view.ts'
import { relevantEvents } from './relevant-events.ts'
import { prepareReplay } from './replay-log.ts'
import { findPeer, scoreRows } from './score-rows.ts'
import { walkLog } from './walk-log.ts'
import { withProgress } from './with-progress.ts'

export type LogQueriesParts = {
  log: LogView
  states: ProjectionRunner<ProjectionStates>
  newSha256: NewSha256
  /** Turns of a walk that begins now. */
  newTurns(): Turns
  joined: JoinedNetwork
  clock: Clock
  /** Signs for the purpose `audit`, as this node. @throws where its key cannot be read */
  sign(bytes: Uint8Array): Uint8Array
  verifyLog(options: { signatures: boolean }): Progressive<VerifyProgress, VerifyResult>
}

/** Signed events read at a time. */
const SIGNED_BATCH = 256

/** What can be read from a log and the projections of it, whether its node runs or not. */
export function createLogQueries(parts: LogQueriesParts): LogQueries {
  const { log, states, newTurns, joined, clock, verifyLog } = parts
  const names = () => states.checkpoints().map(({ name }) => name)
  const within = (at: number): void => {
    if (Number.isSafeInteger(at) && at >= 0 && at <= log.head) return
    throw new ServiceError('usage', `the log has events 1 to ${log.head}, not ${at}`)
  }
  const stateAsOf = async <K extends keyof ProjectionStates>(name: K, at: number | undefined): Promise<ProjectionStates[K]> => {
    if (at === undefined) return states.state(name)
    within(at)
    return states.stateAt(name, at)
  }

  const revokedAsOf = async (at: number | undefined): Promise<IsRevoked> => {
    const admissions = await stateAsOf('admissions', at)
    return (node) => isRevoked(admissions, node)
  }

  return {
    async head() {
      return { seq: log.head, lamport: log.lamport }
    },
    events: (filter) => rows(log, filter, newTurns()),
    signed: (filter) => signed(log, filter, newTurns()),
    stats: (options) => logStats(log, newTurns(), options),
    verify: verifyLog,
    place: (when) => logPosition(log, when, newTurns()),
    async scores({ at } = {}): Promise<ScoreRow[]> {
      return scoreRows(await stateAsOf('reputation', at), await revokedAsOf(at))
    },
    async explain(peer, { at } = {}): Promise<Explanation> {
      const ledger = await stateAsOf('reputation', at)
      const isPutOut = await revokedAsOf(at)
      return explanationOf(log, { ledger, isRevoked: isPutOut }, peerNamed(ledger, peer), at ?? log.head, newTurns())
    },
    async *hindsight({ at } = {}) {
      const judging = { ledger: await stateAsOf('reputation', at), isRevoked: await revokedAsOf(at) }
      const to = at ?? states.applied
      return yield* walked(to, (onProgress, signal) => hindsightOf(log, judging, to, { turns: newTurns(), signal, onProgress }))
    },
    async *bisect(peer, { at } = {}) {
      const judging = { ledger: await stateAsOf('reputation', at), isRevoked: await revokedAsOf(at) }
      const asked = { peer: peerNamed(judging.ledger, peer), to: at ?? states.applied }
      return yield* walked(asked.to, (onProgress, signal) =>
        bisectLog(log, judging, asked, { turns: newTurns(), signal, onProgress }),
      )
    },
    async *diff({ file }) {
      return yield* walked(states.applied, (onProgress, signal) =>
        diffLog(parts, file, { turns: newTurns(), signal, onProgress }),
      )
    },
    async *audit(about) {
      const [ledger, admissions, to] = [states.state('reputation'), states.state('admissions'), states.applied]
      const whom = isInfoHash(about) ? about : peerNamed(ledger, about)
      if (!isInfoHash(whom) && !ledger.subjects.has(whom))
        throw new ServiceError('usage', `nothing is known of ${whom}: there is no evidence about it`)
      return yield* walked(to, (onProgress, signal) =>
        auditLog({ ...parts, ledger, admissions, to }, whom, { turns: newTurns(), signal, onProgress }),
      )
    },
    async *replay(request) {
      const work = prepareReplay(parts, request)
      return yield* walked(work.head, (onProgress, signal) => work.run({ turns: newTurns(), signal, onProgress }))
    },
    async members({ at } = {}): Promise<MemberRow[]> {
      const isPutOut = await revokedAsOf(at)
      return members(await stateAsOf('liveness', at)).map((member) => memberRow(member, log.author, isPutOut(member.id)))
    },
    async digests({ at }): Promise<ProjectionDigests> {
      const digests: Record<string, string> = {}
      if (at === undefined) {
        // In one turn, so that all are of the same moment.
        for (const name of names()) digests[name] = states.digest(name)
        return { at: states.applied, digests }
      }
      within(at)
      for (const name of names()) digests[name] = await states.digestAt(name, at)
      return { at, digests }
    },
    async network(): Promise<NetworkView> {
      return networkView(joined.network, decodeGenesis(joined.genesis), states.state('admissions'), clock.now())
    },
  }
}

async function* rows(log: LogView, filter: LogFilter, turns: Turns): AsyncGenerator<EventRow> {
  for await (const envelope of matchingEvents(log, filter, turns)) yield eventRow(envelope)
}

async function* signed(
  log: LogView,
  filter: LogFilter,
  turns: Turns,
): AsyncGenerator<{ seq: number; body: string; signature: string }> {
  let seqs: number[] = []
  const flush = async function* () {
    const events = await log.readSignedAt(seqs)
    for (const [index, event] of events.entries()) {
      yield {
        seq: seqs[index] as number,
        body: Buffer.from(event.body).toString('base64'),
        signature: Buffer.from(event.signature).toString('base64'),
      }
    }
    seqs = []
  }
  for await (const { seq } of matchingEvents(log, filter, turns)) {
    seqs.push(seq)
    if (seqs.length >= SIGNED_BATCH) yield* flush()
  }
  if (seqs.length > 0) yield* flush()
}

/** @throws ServiceError if nobody, or more than one, is meant */
export function peerNamed(ledger: Ledger, text: string): PeerId {
  const found = findPeer(ledger, text)
  if (found === 'several') throw new ServiceError('usage', `more than one peer begins with ${text}: give more of the id`)
  if (found !== 'none') return found
  if (isNodeId(text)) return text
  if (isAddressId(text)) {
    const peer = addressId(text.slice(3))
    if (isIpAddress(peer.slice(3))) return peer
    throw new ServiceError('usage', `${text} names no address: give an IPv4 or IPv6 address after ip:`)
  }
  throw new ServiceError('failed', `nothing is known of a peer ${text}; see \`p2pt reputation list\``)
}

async function explanationOf(
  log: LogView,
  { ledger, isRevoked }: { ledger: Ledger; isRevoked: IsRevoked },
  peer: PeerId,
  to: number,
  turns: Turns,
): Promise<Explanation> {
  const isRelevant = relevantEvents(ledger, peer)
  const explainer = new Explainer(peer, { own: log.author, isRevoked })
  const table = new VerdictTable()
  let isWhole = true
  await walkLog(
    log,
    { to, kinds: REPUTATION_KINDS },
    (envelope) => {
      if (!isRelevant(envelope)) return true
      explainer.take(envelope)
      isWhole &&= table.add(envelope)
      return true
    },
    { turns },
  )
  const { explanation } = explainer
  const decisive = new Set(explanation.decisive)
  return {
    peer,
    policy: ledger.policy.id,
    score: explanation.judgement.score,
    standing: explanation.judgement.standing,
    terms: explanation.judgement.because.map(({ name, value, because }) => ({ name, value, because })),
    verdicts: explanation.verdicts.map((verdict) => ({ ...verdict, decisive: decisive.has(verdict.seq) })),
    decisive: [...explanation.decisive],
    now: isWhole ? await hindsightRow(log, { ledger, isRevoked }, table, peer, turns) : null,
  }
}

/** A walk over a log up to `total`, as a progressive call that ends when its caller goes. */
function walked<R>(
  total: number,
  run: (onProgress: (seq: number) => void, signal: AbortSignal) => Promise<R>,
): Progressive<WalkProgress, R> {
  return withProgress((report, signal) => run((done) => report({ done, total }), signal))
}

function memberRow(member: Member, self: NodeId, isPutOut: boolean): MemberRow {
  return {
    id: member.id,
    role: member.role,
    state: isPutOut ? 'revoked' : member.state,
    host: member.host,
    port: member.port,
    incarnation: member.incarnation,
    since: member.sinceAt,
    byWord: member.byWord,
    roundTripMs: member.roundTrips === undefined ? null : member.roundTrips.microsMedian / 1000,
    self: member.id === self,
  }
}

import {
  addressId,
  type Clock,
  decodeGenesis,
  type Envelope,
  isAddressId,
  isNodeId,
  type JoinedNetwork,
  type LogView,
  type NodeId,
  type PeerId,
} from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { type Member, members, type ProjectionRunner } from '../../projections/index.ts'
import {
  explain,
  judge,
  type Ledger,
  policyOf,
  REPUTATION_KINDS,
  ReputationReplayer,
  reputationProjection,
} from '../../projections/reputation/index.ts'
import { digestRows, type NewSha256 } from '../../projections/sha256.ts'
import {
  type EventRow,
  type Explanation,
  type LogFilter,
  type LogQueries,
  type LogStats,
  type MemberRow,
  type NetworkView,
  type Progressive,
  type ProjectionDigests,
  type ReplayRequest,
  type ReplayResult,
  type ScoreRow,
  ServiceError,
  type VerifyProgress,
  type VerifyResult,
} from '../services.ts'
import { bearingOn } from './bearing.ts'
import { authorOf, eventKinds, eventRow } from './event-rows.ts'
import { networkView } from './network-view.ts'
import { placeOf } from './places.ts'
import { findPeer, scoreRow, scoreRows } from './score-rows.ts'

export type LogQueriesParts = {
  log: LogView
  states: ProjectionRunner<ProjectionStates>
  newSha256: NewSha256
  joined: JoinedNetwork
  clock: Clock
  verifyLog(options: { signatures: boolean }): Progressive<VerifyProgress, VerifyResult>
}

/** Signed events read at a time. */
const SIGNED_BATCH = 256

/** What can be read from a log and the projections of it, whether its node runs or not. */
export function createLogQueries({ log, states, newSha256, joined, clock, verifyLog }: LogQueriesParts): LogQueries {
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

  return {
    events: (filter) => rows(log, filter),
    signed: (filter) => signed(log, filter),
    stats: () => statsOf(log),
    verify: verifyLog,
    place: (when) => placeOf(log, when),
    async scores({ at } = {}): Promise<ScoreRow[]> {
      return scoreRows(await stateAsOf('reputation', at))
    },
    async explain(peer, { at } = {}): Promise<Explanation> {
      const ledger = await stateAsOf('reputation', at)
      return explanationOf(log, ledger, peerNamed(ledger, peer), at)
    },
    replay: (request) => replay(log, states, newSha256, request),
    async members({ at } = {}): Promise<MemberRow[]> {
      return members(await stateAsOf('liveness', at)).map((member) => memberRow(member, log.author))
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

async function* matching(log: LogView, filter: LogFilter): AsyncGenerator<Envelope> {
  const kinds = eventKinds(filter.kinds)
  const author = authorOf(filter)
  const { from, to, limit = Number.POSITIVE_INFINITY } = filter
  let left = limit
  if (left <= 0) return
  const range = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(kinds === undefined ? {} : { kinds }),
  }
  for await (const batch of log.readBatches(range)) {
    for (const envelope of batch) {
      if (author !== undefined && envelope.author !== author) continue
      yield envelope
      left -= 1
      if (left <= 0) return
    }
  }
}

async function* rows(log: LogView, filter: LogFilter): AsyncGenerator<EventRow> {
  for await (const envelope of matching(log, filter)) yield eventRow(envelope)
}

async function* signed(log: LogView, filter: LogFilter): AsyncGenerator<{ seq: number; body: string; signature: string }> {
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
  for await (const { seq } of matching(log, filter)) {
    seqs.push(seq)
    if (seqs.length >= SIGNED_BATCH) yield* flush()
  }
  if (seqs.length > 0) yield* flush()
}

async function statsOf(log: LogView): Promise<LogStats> {
  const byKind = new Map<string, { kind: string; events: number; bytes: number }>()
  const authors = new Set<NodeId>()
  let events = 0
  let bytes = 0
  let firstAt: number | null = null
  let lastAt: number | null = null
  for await (const batch of log.readBatches()) {
    const bodies = await log.readSignedAt(batch.map(({ seq }) => seq))
    batch.forEach((envelope, index) => {
      const size = (bodies[index]?.body.length ?? 0) + (bodies[index]?.signature.length ?? 0)
      const row = byKind.get(envelope.event.kind) ?? { kind: envelope.event.kind, events: 0, bytes: 0 }
      byKind.set(row.kind, { kind: row.kind, events: row.events + 1, bytes: row.bytes + size })
      authors.add(envelope.author)
      events += 1
      bytes += size
      firstAt ??= envelope.at
      lastAt = envelope.at
    })
  }
  const sorted = [...byKind.values()].sort((a, b) => b.bytes - a.bytes)
  return {
    ...{ events, bytes, lamport: log.lamport, authors: authors.size, firstAt, lastAt, byKind: sorted },
    bytesOnDisk: (await log.bytesOnDisk?.()) ?? 0,
    gone: log.head - events,
    growthPerDay: growthOf(log, events === 0 ? 0 : bytes / events),
  }
}

const DAY_MS = 86_400_000

/** By the log's own times of arrival, so that what was pruned since counts as well. */
function growthOf({ arrivals = [] }: LogView, bytesEach: number): LogStats['growthPerDay'] {
  const last = arrivals.at(-1)
  const since = arrivals.find(({ at }) => last !== undefined && at >= last.at - 7 * DAY_MS)
  if (last === undefined || since === undefined || since.at === last.at) return null
  const events = ((last.seq - since.seq) / (last.at - since.at)) * DAY_MS
  return { events: Math.round(events), bytes: Math.round(events * bytesEach) }
}

/** @throws ServiceError if nobody, or more than one, is meant */
export function peerNamed(ledger: Ledger, text: string): PeerId {
  const found = findPeer(ledger, text)
  if (found === 'several') throw new ServiceError('usage', `more than one peer begins with ${text}: give more of the id`)
  if (found !== 'none') return found
  if (isNodeId(text)) return text
  if (isAddressId(text)) return addressId(text.slice(3))
  throw new ServiceError('failed', `nothing is known of a peer ${text}; see \`p2pt reputation list\``)
}

async function explanationOf(log: LogView, ledger: Ledger, peer: PeerId, to = log.head): Promise<Explanation> {
  const bears = bearingOn(ledger, peer)
  const envelopes: Envelope[] = []
  for await (const batch of log.readBatches({ to, kinds: REPUTATION_KINDS })) {
    for (const envelope of batch) if (bears(envelope)) envelopes.push(envelope)
  }
  const explanation = explain(envelopes, peer, { own: log.author })
  const decisive = new Set(explanation.decisive)
  return {
    peer,
    policy: ledger.policy.id,
    score: explanation.judgement.score,
    standing: explanation.judgement.standing,
    terms: explanation.judgement.because.map(({ name, value, because }) => ({ name, value, because })),
    verdicts: explanation.verdicts.map((verdict) => ({ ...verdict, decisive: decisive.has(verdict.seq) })),
    decisive: [...explanation.decisive],
  }
}

async function replay(
  log: LogView,
  states: ProjectionRunner<ProjectionStates>,
  newSha256: NewSha256,
  { without, until, policy }: ReplayRequest,
): Promise<ReplayResult> {
  if (without !== undefined && !isNodeId(without)) {
    throw new ServiceError('usage', `--without takes a whole node id (64 hex digits), not ${without}`)
  }
  const startedAt = performance.now()
  const head = states.applied
  const live = states.state('reputation')
  const liveStanding = new Map([...live.subjects.keys()].map((peer) => [peer, judge(live, peer).standing]))
  const liveDigest = states.digest('reputation')
  const replayer = new ReputationReplayer({
    own: log.author,
    ...(policy === undefined ? {} : { policy: policyOf({ policy: policy.id, parameters: policy.parameters }) }),
    ...(without === undefined ? {} : { without: without as NodeId }),
    ...(until === undefined ? {} : { until }),
  })
  // The whole fold once more from the first event, for the digest that must equal the live one.
  const projection = reputationProjection(log.author)
  let state = projection.initial()
  let events = 0
  for await (const batch of log.readBatches({ to: head, kinds: REPUTATION_KINDS })) {
    for (const envelope of batch) {
      state = projection.apply(state, envelope)
      if (replayer.take(envelope)) events += 1
    }
  }
  const scores = [...replayer.judgements()].map(([peer, judgement]) => scoreRow(replayer.ledger, peer, judgement))
  return {
    policy: replayer.ledger.policy.id,
    events,
    elapsedMs: Math.round(performance.now() - startedAt),
    scores,
    changed: scores.flatMap(({ peer, standing }) => {
      const was = liveStanding.get(peer) ?? 'good'
      return was === standing ? [] : [{ peer, live: was, replayed: standing }]
    }),
    liveDigest,
    replayedDigest: digestRows(projection.rows(state), newSha256),
  }
}

function memberRow(member: Member, self: NodeId): MemberRow {
  return {
    id: member.id,
    role: member.role,
    state: member.state,
    host: member.host,
    port: member.port,
    incarnation: member.incarnation,
    since: member.sinceAt,
    byWord: member.byWord,
    roundTripMs: member.roundTrips === undefined ? null : member.roundTrips.microsMedian / 1000,
    self: member.id === self,
  }
}

import {
  type Clock,
  type Envelope,
  isInfoHash,
  type JoinedNetwork,
  type LogView,
  type NodeId,
  type PeerId,
  type SignedEvent,
  toHex,
} from '../../events/index.ts'
import { sha256 } from '../../events/keys/signer.sodium.ts'
import { type AdmissionsState, isRevoked } from '../../projections/index.ts'
import { judge, type Ledger, REPUTATION_KINDS } from '../../projections/reputation/index.ts'
import type { NewSha256 } from '../../projections/sha256.ts'
import { relevantEvents } from '../node/relevant-events.ts'
import { type WalkOptions, walkLog } from '../node/walk-log.ts'
import { ServiceError } from '../services.ts'
import {
  AUDIT_EVENTS_MAX,
  AUDIT_FORMAT,
  AUDIT_PEERS_MAX,
  type AuditBundle,
  type AuditHead,
  signedHead,
} from './audit-bundle.ts'
import { replayAudit } from './audit-replay.ts'

export type AuditParts = {
  readonly log: LogView
  readonly joined: JoinedNetwork
  readonly clock: Clock
  readonly newSha256: NewSha256
  /** The node's signature for the purpose `audit`. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
  readonly ledger: Ledger
  readonly admissions: AdmissionsState
  /** The last event that `ledger` and `admissions` know. */
  readonly to: number
}

const KINDS_TAKEN = [...REPUTATION_KINDS, 'node.admitted', 'access.revoked'] as const
/** Signed events read at a time. */
const SIGNED_BATCH = 512

/**
 * The evidence for what this node thinks of a peer, or of those that sent bad pieces of a torrent.
 * @param about a whole peer, or an info hash
 * @throws ServiceError `usage` if nobody was judged for pieces of the torrent, `failed` if there is too much for a bundle
 */
export async function auditLog(parts: AuditParts, about: PeerId | string, options: WalkOptions): Promise<AuditBundle> {
  const { log, joined, clock, ledger, admissions, to } = parts
  const peers = isInfoHash(about) ? await peersOf(log, about, to, options) : [about as PeerId]
  const envelopes = await eventsAbout(parts, peers, options)
  const replay = replayAudit(envelopes, { own: log.author, peers, admissions, newSha256: parts.newSha256 })
  for (const { peer, score, standing } of replay.verdicts) {
    const live = judge(ledger, peer, { isRevoked: (node) => isRevoked(admissions, node) })
    // Where others' word is forgotten by bounds that only the whole log shows.
    if (live.score !== score || live.standing !== standing)
      throw new ServiceError(
        'failed',
        `the events about ${peer} alone do not come to what this node thinks of it: export the whole log with \`p2pt log export\``,
      )
  }
  const signed = await signedOf(log, envelopes, options)
  const head: AuditHead = {
    format: AUDIT_FORMAT,
    genesis: toHex(joined.genesis),
    node: log.author,
    about,
    ...{ head: to, at: clock.now() },
    policy: replay.policy.id,
    index: envelopes.map(({ seq }, index) => [seq, toHex(sha256((signed[index] as SignedEvent).body))]),
    verdicts: replay.verdicts,
    digest: replay.digest,
  }
  return {
    p2pt: 'audit',
    head,
    signature: base64(parts.sign(signedHead(head))),
    events: signed.map(({ body, signature }) => [base64(body), base64(signature)]),
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** Who was judged for bad pieces of a torrent, by anybody. */
async function peersOf(log: LogView, infoHash: string, to: number, options: WalkOptions): Promise<PeerId[]> {
  const peers = new Set<PeerId>()
  await walkLog(
    log,
    { to, kinds: ['piece.judged'] },
    ({ event }) => {
      if (event.kind === 'piece.judged' && event.infoHash === infoHash && event.bad.length > 0) peers.add(event.subject)
      return peers.size <= AUDIT_PEERS_MAX
    },
    options,
  )
  if (peers.size === 0) throw new ServiceError('usage', `nobody is known to have sent bad pieces of the torrent ${infoHash}`)
  if (peers.size > AUDIT_PEERS_MAX)
    throw new ServiceError(
      'failed',
      `more than ${AUDIT_PEERS_MAX} peers sent bad pieces of the torrent ${infoHash}: name one of them`,
    )
  return [...peers].sort()
}

async function eventsAbout(
  { log, ledger, to }: AuditParts,
  peers: readonly PeerId[],
  options: WalkOptions,
): Promise<Envelope[]> {
  const isRelevant = peers.map((peer) => relevantEvents(ledger, peer))
  const verdicts: Envelope[] = []
  const admissions: Envelope[] = []
  const authors = new Set<NodeId>([log.author])
  await walkLog(
    log,
    { to, kinds: KINDS_TAKEN },
    (envelope) => {
      if (envelope.event.kind === 'node.admitted' || envelope.event.kind === 'access.revoked') admissions.push(envelope)
      else if (isRelevant.some((is) => is(envelope))) {
        verdicts.push(envelope)
        authors.add(envelope.author)
      }
      return verdicts.length <= AUDIT_EVENTS_MAX
    },
    options,
  )
  const certificates = admissions.filter(({ event, author }) => event.kind === 'access.revoked' || authors.has(author))
  const all = [...verdicts, ...certificates].sort((a, b) => a.seq - b.seq)
  if (all.length > AUDIT_EVENTS_MAX) {
    const advice = 'take the whole log with `p2pt log export --format bundle`'
    throw new ServiceError('failed', `more than ${AUDIT_EVENTS_MAX.toLocaleString('en')} events bear on it: ${advice}`)
  }
  return all
}

async function signedOf(log: LogView, envelopes: readonly Envelope[], { turns, signal }: WalkOptions): Promise<SignedEvent[]> {
  const signed: SignedEvent[] = []
  for (let from = 0; from < envelopes.length; from += SIGNED_BATCH) {
    signed.push(...(await log.readSignedAt(envelopes.slice(from, from + SIGNED_BATCH).map(({ seq }) => seq))))
    if (turns.isOver) await turns.next()
    signal?.throwIfAborted()
  }
  return signed
}

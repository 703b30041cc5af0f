import { upcastSteps } from '../../../migrations/index.ts'
import {
  BodyError,
  CredentialError,
  decodeGenesis,
  type Envelope,
  eventId,
  fromHex,
  type Genesis,
  type NetworkId,
  type NodeId,
  networkIdOf,
  PayloadError,
  readableEvent,
  type ScannedBody,
  scanBody,
  toHex,
  upcaster,
} from '../../events/index.ts'
import { sha256, verifierOf } from '../../events/keys/signer.sodium.ts'
import { type AdmissionsState, admissionsProjection } from '../../projections/index.ts'
import type { Explanation, Policy } from '../../projections/reputation/index.ts'
import { newSha256 } from '../../projections/sha256.system.ts'
import { ServiceError } from '../services.ts'
import { type AuditBundle, type AuditVerdict, parseAuditBundle, signedHead } from './audit-bundle.ts'
import { replayAudit } from './audit-replay.ts'

export type AuditedPeer = AuditVerdict & { readonly explanation: Explanation }

/** What a bundle proves, after all of it was checked. */
export type AuditReport = {
  readonly network: { readonly id: NetworkId; readonly name: string; readonly open: boolean }
  readonly node: NodeId
  readonly about: string
  readonly at: number
  readonly events: number
  readonly policy: Policy
  /** Who the authors of the events are, by the owner's word. */
  readonly certificates: readonly {
    readonly node: NodeId
    readonly invitedAs: string
    readonly role: string
    readonly revoked: boolean
  }[]
  readonly digest: string
  readonly peers: readonly AuditedPeer[]
}

const upcast = upcaster(upcastSteps)

/**
 * Checks evidence with nothing but itself: that its node signed it, that every event is there and its author's, that these were
 * admitted to the network, and that a replay comes to the same verdicts and digest.
 * @param expected network that it must be of, where it matters
 * @throws ServiceError `damaged` that names what is wrong
 */
export function verifyAudit(text: string, { network: expected }: { network?: NetworkId } = {}): AuditReport {
  const bundle = parseAuditBundle(text)
  const { head } = bundle
  const genesis = genesisOf(head.genesis)
  const network = networkIdOf(fromHex(head.genesis), sha256)
  if (expected !== undefined && network !== expected)
    throw new ServiceError('damaged', `the evidence is of another network: "${genesis.name}" (${network})`)
  const verify = verifierOf(network)
  const isSignedBy = verify('audit', signedHead(head), fromBase64(bundle.signature), head.node)
  const envelopes = eventsOf(bundle, network)
  if (!isSignedBy)
    throw new ServiceError(
      'damaged',
      `the evidence was altered, or is signed by another key or in another network than it says: the signature is not that of node ${head.node}`,
    )
  const admissions = admissionsOf(envelopes, genesis, network)
  const certificates = certificatesOf(envelopes, admissions, genesis, head.node)
  const peers = head.verdicts.map(({ peer }) => peer)
  const replay = replayAudit(
    envelopes.filter(({ event }) => event.kind !== 'node.admitted' && event.kind !== 'access.revoked'),
    { own: head.node, peers, admissions, newSha256 },
  )
  for (const [index, claimed] of head.verdicts.entries()) {
    const found = replay.verdicts[index]
    if (JSON.stringify(found) !== JSON.stringify(pickVerdict(claimed))) {
      const [told, came] = [`${claimed.standing}, score ${claimed.score}`, `${found?.standing}, score ${found?.score}`]
      throw new ServiceError(
        'damaged',
        `the events do not come to the verdict: of ${claimed.peer} it tells ${told}, and they come to ${came}`,
      )
    }
  }
  if (replay.digest !== head.digest || replay.policy.id !== head.policy)
    throw new ServiceError('damaged', `the events come to another digest than the evidence tells: ${replay.digest}`)
  return {
    network: { id: network, name: genesis.name, open: genesis.open },
    ...{ node: head.node, about: head.about, at: head.at, events: envelopes.length, policy: replay.policy },
    ...{ certificates, digest: replay.digest },
    peers: replay.verdicts.map((verdict, index) => ({ ...verdict, explanation: replay.explanations[index] as Explanation })),
  }
}

const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
const pickVerdict = ({ peer, score, standing, decisive }: AuditVerdict): AuditVerdict => ({ peer, score, standing, decisive })

function genesisOf(hex: string): Genesis {
  try {
    return decodeGenesis(fromHex(hex))
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    throw new ServiceError('damaged', `the evidence was altered: the record of its network cannot be read (${cause.message})`, {
      cause,
    })
  }
}

/** The events, each checked by itself and against the index. */
function eventsOf({ head, events }: AuditBundle, network: NetworkId): Envelope[] {
  const verify = verifierOf(network)
  const given = new Map<string, { body: Uint8Array; signature: Uint8Array }>()
  for (const [body, signature] of events) {
    const bytes = fromBase64(body)
    given.set(toHex(sha256(bytes)), { body: bytes, signature: fromBase64(signature) })
  }
  const names = new Set<string>()
  let last = 0
  const envelopes = head.index.map(([seq, hash]) => {
    if (seq <= last) throw new ServiceError('damaged', `the evidence was altered: event ${seq} stands after event ${last}`)
    last = seq
    const event = given.get(hash)
    given.delete(hash)
    if (event === undefined) throw new ServiceError('damaged', `the evidence lacks event ${seq}, or has another in its place`)
    const scanned = scan(event.body, seq)
    if (!verify('event', event.body, event.signature, scanned.author))
      throw new ServiceError(
        'damaged',
        `event ${seq} of the evidence is forged, or of another network: its signature is not that of ${scanned.author}`,
      )
    const name = eventId(scanned)
    if (names.has(name)) throw new ServiceError('damaged', `event ${seq} of the evidence stands in it twice`)
    names.add(name)
    if (scanned.stream === 'local' && scanned.author !== head.node)
      throw new ServiceError('damaged', `event ${seq} of the evidence is private to another node`)
    const { payload, ...header } = scanned
    return { ...header, seq, payloadBytes: payload.length, event: readable(scanned, seq) } as Envelope
  })
  if (given.size > 0)
    throw new ServiceError('damaged', `the evidence was altered: ${given.size} events of it are not in its index`)
  return envelopes
}

function scan(body: Uint8Array, seq: number): ScannedBody {
  try {
    return scanBody(body)
  } catch (cause) {
    if (!(cause instanceof BodyError)) throw cause
    throw new ServiceError('damaged', `event ${seq} of the evidence is no event (${cause.message})`, { cause })
  }
}

function readable(scanned: ScannedBody, seq: number): Envelope['event'] {
  try {
    return readableEvent(scanned, upcast, 'stored')
  } catch (cause) {
    if (!(cause instanceof PayloadError)) throw cause
    throw new ServiceError('damaged', `event ${seq} of the evidence cannot be read (${cause.message})`, { cause })
  }
}

function admissionsOf(envelopes: readonly Envelope[], genesis: Genesis, network: NetworkId): AdmissionsState {
  const projection = admissionsProjection(genesis.owner, verifierOf(network))
  let state = projection.initial()
  for (const envelope of envelopes)
    if (envelope.event.kind === 'node.admitted' || envelope.event.kind === 'access.revoked')
      state = projection.apply(state, envelope)
  return state
}

/** @throws ServiceError `damaged` where an author has none, in a network that one is invited to */
function certificatesOf(
  envelopes: readonly Envelope[],
  admissions: AdmissionsState,
  genesis: Genesis,
  node: NodeId,
): AuditReport['certificates'] {
  const authors = new Set([
    node,
    ...envelopes.filter(({ event }) => event.kind !== 'access.revoked').map(({ author }) => author),
  ])
  return [...authors].flatMap((author) => {
    const shown = admissions.admitted.get(author)?.[0]
    if (shown === undefined) {
      if (genesis.open) return []
      throw new ServiceError('damaged', `the evidence lacks the certificate of node ${author}, whose word it takes`)
    }
    const isPutOut =
      admissions.revoked.has(author) || (admissions.admitted.get(author) ?? []).every(({ key }) => admissions.revoked.has(key))
    return [{ node: author, invitedAs: shown.name, role: shown.role, revoked: isPutOut }]
  })
}

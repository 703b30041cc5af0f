import { isInfoHash, isNodeId, type NodeId, type PeerId } from '../../events/index.ts'
import { ServiceError } from '../services.ts'

// The bundle, one JSON object. What is signed is the head, in this order of fields: it names each event by the SHA-256 of its body,
// so that what is missing or exchanged can be named too.

export const AUDIT_FORMAT = 1
/** A bundle has so many events, of verdicts and of certificates. */
export const AUDIT_EVENTS_MAX = 20_000
/** Of a torrent: peers that sent bad pieces of it. */
export const AUDIT_PEERS_MAX = 50
/** Of a bundle's text: 20,000 events of the usual size have 15 MB. */
export const AUDIT_TEXT_BYTES_MAX = 64 * 1024 * 1024

export type AuditHead = {
  readonly format: typeof AUDIT_FORMAT
  /** The genesis record of the network, hex. */
  readonly genesis: string
  /** Whose judgement it is. */
  readonly node: NodeId
  /** A peer, or the info hash of a torrent. */
  readonly about: string
  /** The last event of the node's log that it takes into account, and when it was made, ms since 1970. */
  readonly head: number
  readonly at: number
  /** The policy that holds at the end. */
  readonly policy: string
  /** Ascending places in the node's log, each with the SHA-256 of the event's body, hex. */
  readonly index: readonly (readonly [seq: number, sha256: string])[]
  readonly verdicts: readonly AuditVerdict[]
  /** SHA-256 of the rows of reputation about these peers, as a replay of the events leaves them. */
  readonly digest: string
}
export type AuditVerdict = {
  readonly peer: PeerId
  readonly score: number
  readonly standing: string
  readonly decisive: readonly number[]
}

export type AuditBundle = {
  readonly p2pt: 'audit'
  readonly head: AuditHead
  /** Of the head, by the node, base64. */
  readonly signature: string
  /** In the order of the index: body and signature, base64. */
  readonly events: readonly (readonly [body: string, signature: string])[]
}

/** What the node signs. */
export function signedHead({ format, genesis, node, about, head, at, policy, index, verdicts, digest }: AuditHead): Uint8Array {
  const told = verdicts.map(({ peer, score, standing, decisive }) => ({ peer, score, standing, decisive }))
  return new TextEncoder().encode(
    JSON.stringify({ format, genesis, node, about, head, at, policy, index, verdicts: told, digest }),
  )
}

const HEX64 = /^[0-9a-f]{64}$/
const GENESIS = /^([0-9a-f]{2}){1,256}$/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const PEER_LENGTH_MAX = 64
const POLICY_LENGTH_MAX = 128
const EVENT_TEXT_MAX = 8 * 1024 * 1024

type Fields = Record<string, unknown>
const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined

const isPlace = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1
const isText = (value: unknown, lengthMax: number): value is string => typeof value === 'string' && value.length <= lengthMax
const isListOf = (value: unknown, countMax: number, is: (item: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.length <= countMax && value.every(is)

/** @throws ServiceError `damaged` for what is no bundle, or one with a field that is not as it should be */
export function parseAuditBundle(text: string): AuditBundle {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ServiceError('damaged', 'this is no evidence of p2pt, or it was cut off: it is not JSON', { cause })
  }
  const bundle = fieldsOf(value)
  if (bundle?.p2pt !== 'audit') throw new ServiceError('damaged', 'this is no evidence of p2pt: it does not say so')
  const head = fieldsOf(bundle.head)
  if (typeof head?.format === 'number' && head.format > AUDIT_FORMAT)
    throw new ServiceError(
      'damaged',
      `the evidence has format ${head.format}, this version reads up to ${AUDIT_FORMAT}: use a newer p2pt`,
    )
  const wrong = wrongFieldOf(bundle, head)
  if (wrong !== undefined)
    throw new ServiceError('damaged', `the evidence was altered: its field "${wrong}" is not as it should be`)
  return value as AuditBundle
}

function wrongFieldOf(bundle: Fields, head: Fields | undefined): string | undefined {
  if (head === undefined) return 'head'
  const checks: readonly [string, boolean][] = [
    ['format', head.format === AUDIT_FORMAT],
    ['genesis', isText(head.genesis, 512) && GENESIS.test(head.genesis)],
    ['node', typeof head.node === 'string' && isNodeId(head.node)],
    ['about', typeof head.about === 'string' && isAbout(head.about)],
    ['head', Number.isSafeInteger(head.head) && (head.head as number) >= 0],
    ['at', Number.isSafeInteger(head.at) && Math.abs(head.at as number) <= TIME_MAX],
    ['policy', isText(head.policy, POLICY_LENGTH_MAX)],
    ['index', isListOf(head.index, AUDIT_EVENTS_MAX, isIndexEntry)],
    ['verdicts', isListOf(head.verdicts, AUDIT_PEERS_MAX, isVerdict)],
    ['digest', typeof head.digest === 'string' && HEX64.test(head.digest)],
    ['signature', isText(bundle.signature, 88) && BASE64.test(bundle.signature)],
    ['events', isListOf(bundle.events, AUDIT_EVENTS_MAX, isSigned)],
  ]
  return checks.find(([, isRight]) => !isRight)?.[0]
}

/** The last time that a Date has, ms. */
const TIME_MAX = 8.64e15

const isAbout = (text: string): boolean =>
  text.length <= PEER_LENGTH_MAX && (isInfoHash(text) || isNodeId(text) || text.startsWith('ip:'))

const isIndexEntry = (item: unknown): boolean =>
  Array.isArray(item) && item.length === 2 && isPlace(item[0]) && typeof item[1] === 'string' && HEX64.test(item[1])

const isSigned = (item: unknown): boolean =>
  Array.isArray(item) &&
  item.length === 2 &&
  isText(item[0], EVENT_TEXT_MAX) &&
  BASE64.test(item[0]) &&
  isText(item[1], 88) &&
  BASE64.test(item[1])

function isVerdict(item: unknown): boolean {
  const verdict = fieldsOf(item)
  if (verdict === undefined) return false
  const { peer, score, standing, decisive } = verdict
  if (!isText(peer, PEER_LENGTH_MAX) || !isAbout(peer) || !Number.isSafeInteger(score)) return false
  if (standing !== 'good' && standing !== 'thin-ice' && standing !== 'banned') return false
  return isListOf(decisive, AUDIT_EVENTS_MAX, isPlace)
}

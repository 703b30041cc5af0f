// The setting for plain 64 bit numbers must be in force before a generated codec loads.
import { FieldReader } from '../events/codec/field-reader.ts'
import { Writer } from '../events/codec/protobuf.ts'
import {
  fromHex,
  isMemberAddress,
  type MemberAddress,
  type NodeId,
  type NodeRole,
  type SignedEvent,
  TRAVELLING_BODY_BYTES_MAX,
} from '../events/index.ts'
import { p2pt } from './generated/wire.js'
import { MESSAGE_BYTES_MAX } from './transport.ts'

// Messages between nodes (proto/wire.proto) as TypeScript sees them. Whatever arrives was sent by a stranger: decoding
// checks each length and range and answers with a reason, it never throws.

const proto = p2pt.wire

export const WIRE_VERSION = 1
/** Longest body of a request or an answer, in bytes: what fits a message with its frame. */
export const EXCHANGE_BODY_BYTES_MAX = 60 * 1024
/** Names, heads or ranges in one message. */
export const WIRE_ITEMS_MAX = 1_400
export const SUMMARY_BUCKETS = 64
export const BUCKET_HASH_BYTES = 6

const HOST_BYTES_MAX = 255
const SOFTWARE_BYTES_MAX = 128
const METHOD_BYTES_MAX = 64
const HOPS_MAX = 255

export type EventName = { readonly author: NodeId; readonly authorSeq: number; readonly hops: number }
export type Head = { readonly author: NodeId; readonly authorSeq: number }
export type AuthorRange = { readonly author: NodeId; readonly from: number; readonly to: number }

/** What one node believes of another: 0 nothing, then as the member events say. */
export type Belief = 'unknown' | 'alive' | 'suspect' | 'dead' | 'left'

export type HelloMessage = {
  type: 'hello'
  version: number
  role: NodeRole
  host: string
  port: number
  dhtPort: number
  software: string
  transient: boolean
  heard: boolean
}

export type BeaconMessage = {
  type: 'beacon'
  root: NodeId
  client: boolean
  distance: number
  beat: number
  parent: boolean
}

export type GossipMessage =
  | { type: 'push'; events: readonly { event: SignedEvent; hops: number }[] }
  | { type: 'have'; names: readonly EventName[] }
  | { type: 'graft'; names: readonly EventName[] }
  | { type: 'prune' }
  | BeaconMessage
  | { type: 'summary'; salt: number; buckets: Uint8Array }
  | { type: 'vector'; buckets: Uint8Array; heads: readonly Head[]; reply: boolean }
  | { type: 'fetch'; id: number; ranges: readonly AuthorRange[] }
  | { type: 'supply'; id: number; events: readonly SignedEvent[]; last: boolean; gone?: readonly AuthorRange[] }

export type MembershipMessage =
  | { type: 'ping'; seq: number; belief: Belief; incarnation: number }
  | { type: 'pong'; seq: number }
  | { type: 'nack'; seq: number }
  | { type: 'ping-request'; seq: number; target: NodeId; belief: Belief; incarnation: number }

export type ResponseStatus = 'ok' | 'refused' | 'unknown-method' | 'overloaded'

export type MessengerMessage =
  | { type: 'request'; id: number; method: string; body: Uint8Array }
  | { type: 'response'; id: number; status: ResponseStatus; body: Uint8Array }
  | { type: 'cancel'; id: number }

export type WireMessage = HelloMessage | GossipMessage | MembershipMessage | MessengerMessage

/** `unknown`: well-formed, but of a type that this version does not have. */
export type WireRejection = { type: 'rejected'; rejected: 'malformed' | 'unknown' }

const fields = new FieldReader((sentence, options) => new RangeError(sentence, options))
const limited = <T>(items: readonly T[] | null | undefined): readonly T[] => fields.list(items, WIRE_ITEMS_MAX, 'items')

const ROLES: readonly NodeRole[] = ['bootstrap', 'index', 'client']
const BELIEFS: readonly Belief[] = ['unknown', 'alive', 'suspect', 'dead', 'left']
const STATUSES: readonly ResponseStatus[] = ['ok', 'refused', 'unknown-method', 'overloaded']

/**
 * The bytes of a message.
 * @throws RangeError if they are more than MESSAGE_BYTES_MAX: whoever builds messages keeps the bounds above
 */
export function encodeWire(message: WireMessage): Uint8Array {
  const bytes = proto.Wire.encode(shapeOf(message) as never, Writer.create() as never).finish()
  if (bytes.length > MESSAGE_BYTES_MAX) throw new RangeError(`a ${message.type} message of ${bytes.length} bytes is too long`)
  return bytes
}

/** The message of these bytes, or why they are none. Byte fields are views into `bytes`. Never throws. */
export function decodeWire(bytes: Uint8Array): WireMessage | WireRejection {
  if (bytes.length > MESSAGE_BYTES_MAX) return { type: 'rejected', rejected: 'malformed' }
  try {
    return messageOf(proto.Wire.decode(bytes)) ?? { type: 'rejected', rejected: 'unknown' }
  } catch {
    return { type: 'rejected', rejected: 'malformed' }
  }
}

function shapeOf(message: WireMessage): p2pt.wire.Wire.$Properties {
  switch (message.type) {
    case 'hello':
      return { hello: message }
    case 'push':
      return { push: { events: message.events.map(({ event }) => event), hops: message.events.map(({ hops }) => hops) } }
    case 'have':
      return { have: { names: byAuthor(message.names) } }
    case 'graft':
      return { graft: { names: byAuthor(message.names) } }
    case 'prune':
      return { prune: {} }
    case 'beacon':
      return { beacon: { ...message, root: fromHex(message.root) } }
    case 'summary':
      return { summary: message }
    case 'vector': {
      const heads = message.heads.map(({ author, authorSeq }) => ({ author: fromHex(author), authorSeq }))
      return { vector: { buckets: message.buckets, heads, reply: message.reply } }
    }
    case 'fetch':
      return { fetch: { id: message.id, ranges: message.ranges.map(wireRange) } }
    case 'supply':
      return {
        supply: { id: message.id, events: [...message.events], last: message.last, gone: message.gone?.map(wireRange) ?? [] },
      }
    case 'ping':
      return { ping: { seq: message.seq, state: BELIEFS.indexOf(message.belief), incarnation: message.incarnation } }
    case 'pong':
      return { pong: message }
    case 'nack':
      return { nack: message }
    case 'ping-request':
      return { pingRequest: { ...message, target: fromHex(message.target), state: BELIEFS.indexOf(message.belief) } }
    case 'request':
      return { request: message }
    case 'response':
      return { response: { id: message.id, status: STATUSES.indexOf(message.status), body: message.body } }
    case 'cancel':
      return { cancel: message }
  }
}

function messageOf(wire: p2pt.wire.Wire.$Properties): WireMessage | undefined {
  if (wire.hello != null) return helloOf(wire.hello)
  if (wire.push != null) {
    const hops = wire.push.hops ?? []
    return {
      type: 'push',
      events: (wire.push.events ?? []).map((event, at) => ({ event: signed(event), hops: hop(hops[at]) })),
    }
  }
  if (wire.have != null) return { type: 'have', names: namesOf(wire.have.names) }
  if (wire.graft != null) return { type: 'graft', names: namesOf(wire.graft.names) }
  if (wire.prune != null) return { type: 'prune' }
  if (wire.beacon != null) {
    const { root, client, distance, beat, parent } = wire.beacon
    const flags = { client: client ?? false, parent: parent ?? false }
    return { type: 'beacon', root: fields.node(root), distance: fields.count(distance), beat: fields.count(beat), ...flags }
  }
  if (wire.summary != null) {
    const buckets = fields.bytes(wire.summary.buckets, SUMMARY_BUCKETS * BUCKET_HASH_BYTES, 'a summary')
    return { type: 'summary', salt: fields.count(wire.summary.salt), buckets }
  }
  if (wire.vector != null) {
    const heads = limited(wire.vector.heads).map((head) => ({
      author: fields.node(head.author),
      authorSeq: fields.count(head.authorSeq),
    }))
    return {
      type: 'vector',
      buckets: fields.bytes(wire.vector.buckets, SUMMARY_BUCKETS / 8, 'a choice of buckets'),
      heads,
      reply: wire.vector.reply ?? false,
    }
  }
  if (wire.fetch != null)
    return { type: 'fetch', id: fields.count(wire.fetch.id), ranges: limited(wire.fetch.ranges).map(rangeOf) }
  if (wire.supply != null) {
    const events = limited(wire.supply.events).map(signed)
    const gone = limited(wire.supply.gone).map(rangeOf)
    const supply = { type: 'supply' as const, id: fields.count(wire.supply.id), events, last: wire.supply.last ?? false }
    return gone.length === 0 ? supply : { ...supply, gone }
  }
  return livenessOf(wire) ?? exchangeOf(wire)
}

function livenessOf(wire: p2pt.wire.Wire.$Properties): MembershipMessage | undefined {
  if (wire.ping != null) {
    return {
      type: 'ping',
      seq: fields.count(wire.ping.seq),
      belief: belief(wire.ping.state),
      incarnation: fields.count(wire.ping.incarnation),
    }
  }
  if (wire.pong != null) return { type: 'pong', seq: fields.count(wire.pong.seq) }
  if (wire.nack != null) return { type: 'nack', seq: fields.count(wire.nack.seq) }
  if (wire.pingRequest == null) return undefined
  const { seq, target, state, incarnation } = wire.pingRequest
  return {
    type: 'ping-request',
    seq: fields.count(seq),
    target: fields.node(target),
    belief: belief(state),
    incarnation: fields.count(incarnation),
  }
}

function exchangeOf(wire: p2pt.wire.Wire.$Properties): MessengerMessage | undefined {
  if (wire.request != null) {
    const { id, method, body } = wire.request
    return {
      type: 'request',
      id: fields.count(id),
      method: fields.text(method, METHOD_BYTES_MAX, 'a method'),
      body: body ?? new Uint8Array(),
    }
  }
  if (wire.response != null) {
    const status = STATUSES[fields.count(wire.response.status)] ?? 'refused'
    return { type: 'response', id: fields.count(wire.response.id), status, body: wire.response.body ?? new Uint8Array() }
  }
  if (wire.cancel != null) return { type: 'cancel', id: fields.count(wire.cancel.id) }
  return undefined
}

function helloOf(hello: p2pt.wire.Hello.$Properties): HelloMessage {
  return {
    type: 'hello',
    version: fields.count(hello.version),
    role: fields.oneOf(ROLES, hello.role, 'role'),
    ...addressOf(hello),
    software: fields.text(hello.software, SOFTWARE_BYTES_MAX, 'a version'),
    transient: hello.transient ?? false,
    heard: hello.heard ?? false,
  }
}

const wireRange = (range: AuthorRange) => ({ ...range, author: fromHex(range.author) })

function rangeOf(range: p2pt.wire.Range.$Properties): AuthorRange {
  const from = fields.count(range.from)
  const to = fields.count(range.to)
  fields.demand(from >= 1 && to >= from, 'a range ends before it begins')
  return { author: fields.node(range.author), from, to }
}

/** Names grouped by author, so that an author's key stands once a message. */
function byAuthor(names: readonly EventName[]): p2pt.wire.Names.$Properties[] {
  const groups = new Map<NodeId, { author: Uint8Array; seqs: number[]; hops: number[] }>()
  for (const { author, authorSeq, hops } of names) {
    let group = groups.get(author)
    if (group === undefined) {
      group = { author: fromHex(author), seqs: [], hops: [] }
      groups.set(author, group)
    }
    group.seqs.push(authorSeq)
    group.hops.push(hops)
  }
  return [...groups.values()]
}

function namesOf(groups: p2pt.wire.Names.$Properties[] | null | undefined): EventName[] {
  const names: EventName[] = []
  for (const group of groups ?? []) {
    const author = fields.node(group.author)
    for (const [at, seq] of (group.seqs ?? []).entries()) {
      fields.demand(names.length < WIRE_ITEMS_MAX, 'too many names')
      names.push({ author, authorSeq: fields.count(seq as number), hops: hop(group.hops?.[at]) })
    }
  }
  return names
}

function signed(event: p2pt.wire.Signed.$Properties): SignedEvent {
  const body = fields.bytesUpTo(event.body, TRAVELLING_BODY_BYTES_MAX, 'a body')
  fields.demand(body.length > 0, 'a body is empty')
  return { body, signature: fields.signature(event.signature) }
}

function addressOf({ host, port, dhtPort }: p2pt.wire.Hello.$Properties): MemberAddress {
  const address = { host: fields.text(host, HOST_BYTES_MAX, 'a host'), port: fields.port(port), dhtPort: fields.port(dhtPort) }
  fields.demand(isMemberAddress(address), 'no address that can be dialled')
  return address
}

const hop = (value: number | null | undefined): number => Math.min(HOPS_MAX, fields.count(value))
const belief = (value: number | null | undefined): Belief => BELIEFS[fields.count(value)] ?? 'unknown'

import '../../events/codec/protobuf.ts'
import { fromHex, type InfoHash, type NodeId, type SignedEvent, toHex } from '../../events/index.ts'
import { HITS_MAX, PARTITION_COUNT } from '../../projections/keyword-index/index.ts'
import { p2pt } from '../generated/index-service.js'
import { SECTION_DEPTH_MAX, SECTION_FANOUT, type Section } from './partition-sections.ts'

// The messenger's requests to index nodes: encoding, and decoding with every bound checked. Schema: proto/index-service.proto.

const proto = p2pt.index

/** Names of the methods that index nodes serve. */
export const INDEX_METHODS = {
  publish: 'index.publish',
  search: 'index.search',
  compare: 'index.compare',
  fetch: 'index.fetch',
} as const

/** What a peer sent is no such message; the messenger tells it `refused`. */
export class IndexMessageError extends Error {
  override readonly name = 'IndexMessageError'
}

export type EventName = { author: NodeId; authorSeq: number }
export type SectionDigest = Section & { digest: string }
/** What the answerer holds of a section; `split`: too many to list. */
export type SectionContent = Section & { events: readonly EventName[]; split: boolean }
export type CompareReply = { differing: SectionContent[]; compared: number }
/** `proof`: the `torrent.published` that is shown, then other events of this info hash; `seeders` is the answerer's word. */
export type WireHit = { infoHash: InfoHash; seeders: number; proof: readonly SignedEvent[] }
/** `limit`: 0 for the default. */
export type WireSearch = { text: string; limit: number; cursor: string; hops: number }
/** `cursor`: what to ask with for more, empty where that is all; `truncated` says whether there is more. */
export type WireSearchReply = { hits: WireHit[]; truncated: boolean; cursor: string; answeredBy: NodeId }
/**
 * `over-budget`: no more is kept of its author for now; it may be offered again later. `deferred`: its author's admission has not
 * come here yet; it may be offered again soon.
 */
export type PublishOutcome = 'stored' | 'duplicate' | 'refused' | 'over-budget' | 'deferred'

/** A query longer than this is nobody's search. */
export const QUERY_LENGTH_MAX = 1024
/** Room for events in one message, bytes; the rest of the 64 KiB is for the frame around them. */
export const EVENTS_BYTES_MAX = 56 * 1024
/** An event name is 37 to 45 bytes on the wire: this many stay below the message limit, with 16 bytes for each section. */
export const EVENT_NAMES_MAX = 950
/** Events that prove one hit. */
export const PROOF_MAX = 8
/** Sections in one comparison: 48 bytes each at most. */
export const SECTIONS_MAX = 1024
const OUTCOMES: readonly PublishOutcome[] = ['stored', 'duplicate', 'refused', 'over-budget', 'deferred']

type Codec = { decode(bytes: Uint8Array): unknown }

function decoded<C extends Codec>(codec: C, bytes: Uint8Array): ReturnType<C['decode']> {
  try {
    return codec.decode(bytes) as ReturnType<C['decode']>
  } catch (cause) {
    throw new IndexMessageError('not a message of the index service', { cause })
  }
}

function id(bytes: Uint8Array | null | undefined): NodeId {
  if (bytes?.length !== 32) throw new IndexMessageError('a node id must have 32 bytes')
  return toHex(bytes) as NodeId
}

function whole(value: number | null | undefined, max: number): number {
  const number = value ?? 0
  if (!Number.isSafeInteger(number) || number < 0 || number > max) throw new IndexMessageError('a number is out of range')
  return number
}

function few<T>(list: readonly T[] | null | undefined, max: number): readonly T[] {
  if ((list?.length ?? 0) > max) throw new IndexMessageError('a list is too long')
  return list ?? []
}

const eventName = (name: p2pt.index.EventName.$Shape): EventName => ({
  author: id(name.author),
  authorSeq: whole(name.authorSeq, Number.MAX_SAFE_INTEGER),
})
const eventNameMessage = (name: EventName) => ({ author: fromHex(name.author), authorSeq: name.authorSeq })
const signedEvent = (event: p2pt.index.SignedEvent.$Shape): SignedEvent => {
  if (!event.body?.length || event.signature?.length !== 64) throw new IndexMessageError('an event has no body or no signature')
  return { body: event.body, signature: event.signature }
}

export const encodePublish = (events: readonly SignedEvent[]): Uint8Array =>
  proto.PublishRequest.encode({ events: [...events] }).finish()
export const decodePublish = (bytes: Uint8Array): SignedEvent[] =>
  few(decoded(proto.PublishRequest, bytes).events, EVENT_NAMES_MAX).map(signedEvent)

export const encodePublishReply = (outcomes: readonly PublishOutcome[]): Uint8Array =>
  proto.PublishReply.encode({ outcomes: outcomes.map((outcome) => OUTCOMES.indexOf(outcome) + 1) }).finish()
export const decodePublishReply = (bytes: Uint8Array): PublishOutcome[] =>
  few(decoded(proto.PublishReply, bytes).outcomes, EVENT_NAMES_MAX).map((outcome) => OUTCOMES[outcome - 1] ?? 'refused')

export const encodeSearch = (search: WireSearch): Uint8Array => proto.SearchRequest.encode(search).finish()
export function decodeSearch(bytes: Uint8Array): WireSearch {
  const message = decoded(proto.SearchRequest, bytes)
  const text = message.text ?? ''
  const cursor = message.cursor ?? ''
  if (text.length > QUERY_LENGTH_MAX || cursor.length > QUERY_LENGTH_MAX) throw new IndexMessageError('the query is too long')
  return { text, cursor, limit: whole(message.limit, HITS_MAX), hops: whole(message.hops, 16) }
}

const hitMessage = ({ infoHash, seeders, proof }: WireHit) => ({ infoHash: fromHex(infoHash), seeders, proof: [...proof] })

/**
 * The longest run of hits from the front that fits one message; titles and tags are strangers', and may be long. The first
 * is always in it, with as much of its proof as fits.
 */
export function fittingHits(hits: readonly WireHit[], bytesMax = EVENTS_BYTES_MAX): WireHit[] {
  let bytes = 0
  const [first] = hits
  if (first !== undefined && hitBytes(first) > bytesMax) return [{ ...first, proof: fitting(first.proof, bytesMax - 64) }]
  const tooMany = hits.findIndex((hit) => {
    bytes += hitBytes(hit)
    return bytes > bytesMax
  })
  return tooMany < 0 ? [...hits] : hits.slice(0, tooMany)
}

/** Room that a hit takes at most: its events, and its other fields with what stands around them. */
const hitBytes = ({ proof }: WireHit): number => proof.reduce((bytes, event) => bytes + messageBytes(event), 64)

export const encodeSearchReply = (reply: WireSearchReply): Uint8Array =>
  proto.SearchReply.encode({
    hits: reply.hits.map(hitMessage),
    truncated: reply.truncated,
    cursor: reply.cursor,
    answeredBy: fromHex(reply.answeredBy),
  }).finish()
export function decodeSearchReply(bytes: Uint8Array): WireSearchReply {
  const message = decoded(proto.SearchReply, bytes)
  return {
    hits: few(message.hits, HITS_MAX).map((hit) => {
      if (hit.infoHash?.length !== 20) throw new IndexMessageError('an info hash must have 20 bytes')
      return {
        infoHash: toHex(hit.infoHash) as InfoHash,
        seeders: whole(hit.seeders, 2 ** 32),
        proof: few(hit.proof, PROOF_MAX).map(signedEvent),
      }
    }),
    truncated: message.truncated ?? false,
    cursor: message.cursor ?? '',
    answeredBy: id(message.answeredBy),
  }
}

type SectionFields = Pick<p2pt.index.SectionDigest.$Shape, 'partition' | 'depth' | 'prefix'>
const section = ({ partition, depth, prefix }: SectionFields): Section => {
  const levels = whole(depth, SECTION_DEPTH_MAX)
  return {
    partition: whole(partition, PARTITION_COUNT - 1),
    depth: levels,
    prefix: whole(prefix, SECTION_FANOUT ** levels - 1),
  }
}

export const encodeCompare = (sections: readonly SectionDigest[]): Uint8Array =>
  proto.CompareRequest.encode({ sections: sections.map((one) => ({ ...one, digest: fromHex(one.digest) })) }).finish()
export const decodeCompare = (bytes: Uint8Array): SectionDigest[] =>
  few(decoded(proto.CompareRequest, bytes).sections, SECTIONS_MAX).map((row) => ({
    ...section(row),
    digest: toHex(row.digest ?? new Uint8Array()),
  }))

export const encodeCompareReply = ({ differing, compared }: CompareReply): Uint8Array =>
  proto.CompareReply.encode({
    differing: differing.map((one) => ({ ...one, events: one.events.map(eventNameMessage) })),
    compared,
  }).finish()
export function decodeCompareReply(bytes: Uint8Array): CompareReply {
  const message = decoded(proto.CompareReply, bytes)
  const differing = few(message.differing, SECTIONS_MAX).map((row) => ({
    ...section(row),
    events: few(row.events, EVENT_NAMES_MAX).map(eventName),
    split: row.split ?? false,
  }))
  return { differing, compared: whole(message.compared, SECTIONS_MAX) }
}

export const encodeFetch = (events: readonly EventName[]): Uint8Array =>
  proto.FetchRequest.encode({ events: events.map(eventNameMessage) }).finish()
export const decodeFetch = (bytes: Uint8Array): EventName[] =>
  few(decoded(proto.FetchRequest, bytes).events, EVENT_NAMES_MAX).map(eventName)

export const encodeFetchReply = (events: readonly SignedEvent[]): Uint8Array =>
  proto.FetchReply.encode({ events: [...events] }).finish()
export const decodeFetchReply = (bytes: Uint8Array): SignedEvent[] =>
  few(decoded(proto.FetchReply, bytes).events, EVENT_NAMES_MAX).map(signedEvent)

/** Room that an event takes in a message, bytes: its own, and what stands around it at most. */
export const messageBytes = ({ body, signature }: SignedEvent): number => body.length + signature.length + 16

/** The longest run of events from the front that fits one message. */
export function fitting(events: readonly SignedEvent[], bytesMax = EVENTS_BYTES_MAX): SignedEvent[] {
  const taken: SignedEvent[] = []
  let bytes = 0
  for (const event of events) {
    bytes += messageBytes(event)
    if (bytes > bytesMax) break
    taken.push(event)
  }
  return taken
}

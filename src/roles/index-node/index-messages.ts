import '../../events/codec/protobuf.ts'
import { FieldReader } from '../../events/codec/field-reader.ts'
import { fromHex, type InfoHash, type NodeId, type SignedEvent, toHex } from '../../events/index.ts'
import { HITS_MAX, NEAR_WORDS_MAX, PARTITION_COUNT, parseQuery } from '../../projections/keyword-index/index.ts'
import { p2pt } from '../generated/index-service.js'
import { LEVEL_BYTES, type LevelBits } from './partition-levels.ts'
import { SECTION_DEPTH_MAX, SECTION_FANOUT, type Section } from './partition-sections.ts'

// The messenger's requests to index nodes: encoding, and decoding with every bound checked. Schema: proto/index-service.proto.

const proto = p2pt.index

/** Names of the methods that index nodes serve. */
export const INDEX_METHODS = {
  publish: 'index.publish',
  search: 'index.search',
  nearWords: 'index.nearWords',
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
/** `level`: the partitions in which the answerer is level, a bit each, see partition-levels.ts; left out: in none. */
export type CompareReply = { differing: SectionContent[]; compared: number; level?: LevelBits }
/** `proof`: the `torrent.published` that is shown, then other events of this info hash; `seeders` and `lastSeenAt` are the answerer's word. */
export type WireHit = { infoHash: InfoHash; seeders: number; lastSeenAt?: number; proof: readonly SignedEvent[] }
/** `limit`: 0 for the default. `keyword`: of whose partition the answerer is asked as an owner; left out: of all that it holds. */
export type WireSearch = { text: string; limit: number; cursor: string; hops: number; keyword?: string }
/**
 * `cursor`: what to ask with for more, empty where that is all; `truncated` says whether there is more. `notLevel`: the
 * answerer may lack what other owners have.
 */
export type WireSearchReply = {
  hits: WireHit[]
  truncated: boolean
  cursor: string
  answeredBy: NodeId
  notLevel?: boolean
  frequencies?: readonly WordCount[]
}
/**
 * Documents that have a word of the query whose partition the answerer owns. `kept`: it keeps the best so many of them; left out: it keeps
 * all.
 */
export type WordCount = { word: string; documents: number; kept?: number }
/** Why a publication is not taken. `refused`: for a reason that this version does not know. `over-budget`: for now. `below-rank`: others have its places. */
export type Refusal = 'refused' | 'over-budget' | 'malformed' | 'forged' | 'not-admitted' | 'clock-jump' | 'below-rank'
/** `deferred`: its author's admission has not come here yet; it may be offered again soon. */
export type PublishOutcome = 'stored' | 'duplicate' | 'deferred' | Refusal

/** A query of more UTF-8 bytes is nobody's search. */
export const QUERY_BYTES_MAX = 1024
/** Room for events in one message, bytes; the rest of the 64 KiB is for the frame around them. */
export const EVENTS_BYTES_MAX = 56 * 1024
/** An event name is 37 to 45 bytes on the wire: this many stay below the message limit, with 16 bytes for each section. */
export const EVENT_NAMES_MAX = 950
/** Events that prove one hit. */
export const PROOF_MAX = 8
/** Sections in one comparison: 48 bytes each at most. */
export const SECTIONS_MAX = 1024
/** Events that count in the place of one. */
export const INSTEAD_MAX = 1
/** SHA-256, or what is left of it. */
const DIGEST_BYTES_MAX = 32
/** Words of which an answer says how common they are: as many as a query may have. */
export const FREQUENCIES_MAX = 32
/** Words that are asked about at once, and their length in UTF-8 bytes. */
export const NEAR_ASKED_MAX = 8
export const NEAR_WORD_BYTES_MAX = 128
/** Hits before a page, in decimal digits. */
const CURSOR = /^[0-9]{0,9}$/
/** By their number on the wire, from 1. */
const OUTCOMES: readonly PublishOutcome[] = [
  ...(['stored', 'duplicate', 'refused', 'over-budget', 'deferred'] as const),
  ...(['malformed', 'forged', 'not-admitted', 'clock-jump', 'below-rank'] as const),
]

const fields = new FieldReader((sentence, options) => new IndexMessageError(sentence, options))

const decoded = <M>(codec: { decode(bytes: Uint8Array): M }, bytes: Uint8Array): M =>
  fields.message(codec, bytes, 'a message of the index service')

const eventName = (name: p2pt.index.EventName.$Shape): EventName => ({
  author: fields.node(name.author),
  authorSeq: fields.count(name.authorSeq),
})
const eventNameMessage = (name: EventName) => ({ author: fromHex(name.author), authorSeq: name.authorSeq })
const signedEvent = (event: p2pt.index.SignedEvent.$Shape): SignedEvent => {
  const body = event.body ?? new Uint8Array()
  fields.demand(body.length > 0, 'an event has no body')
  return { body, signature: fields.signature(event.signature) }
}

export const encodePublish = (events: readonly SignedEvent[]): Uint8Array =>
  proto.PublishRequest.encode({ events: [...events] }).finish()
export const decodePublish = (bytes: Uint8Array): SignedEvent[] =>
  fields.list(decoded(proto.PublishRequest, bytes).events, EVENT_NAMES_MAX, 'events').map(signedEvent)

/** @param instead see `PublishReply` */
export const encodePublishReply = (outcomes: readonly PublishOutcome[], instead: readonly SignedEvent[] = []): Uint8Array =>
  proto.PublishReply.encode({
    outcomes: outcomes.map((outcome) => OUTCOMES.indexOf(outcome) + 1),
    instead: [...instead],
  }).finish()
export const decodePublishReply = (bytes: Uint8Array): PublishOutcome[] =>
  fields
    .list(decoded(proto.PublishReply, bytes).outcomes, EVENT_NAMES_MAX, 'outcomes')
    .map((outcome) => OUTCOMES[outcome - 1] ?? 'refused')
/** What counts instead of the one event that was published. */
export const decodeInstead = (bytes: Uint8Array): SignedEvent | undefined =>
  fields.list(decoded(proto.PublishReply, bytes).instead, INSTEAD_MAX, 'events').map(signedEvent)[0]

export const encodeSearch = (search: WireSearch): Uint8Array => proto.SearchRequest.encode(search).finish()
export function decodeSearch(bytes: Uint8Array): WireSearch {
  const message = decoded(proto.SearchRequest, bytes)
  const text = fields.text(message.text, QUERY_BYTES_MAX, 'a query')
  const { problem } = parseQuery(text)
  fields.demand(problem === undefined, `a query that asks for nothing: ${problem?.sentence}`)
  return {
    text,
    cursor: cursorOf(message.cursor),
    ...(message.keyword ? { keyword: fields.text(message.keyword, QUERY_BYTES_MAX, 'a keyword') } : {}),
    limit: fields.count(message.limit, 'a number', HITS_MAX),
    hops: fields.count(message.hops, 'a number', 16),
  }
}

function cursorOf(text: string | null | undefined): string {
  const cursor = fields.text(text, QUERY_BYTES_MAX, 'a cursor')
  fields.demand(CURSOR.test(cursor), 'a cursor is the number of hits before it')
  return cursor
}

const frequenciesOf = (counts: readonly p2pt.index.WordCount.$Shape[]): WordCount[] =>
  fields.list(counts, FREQUENCIES_MAX, 'frequencies').map(({ word, documents, kept }) => ({
    word: fields.text(word, QUERY_BYTES_MAX, 'a word'),
    documents: fields.count(documents),
    ...(kept ? { kept: fields.count(kept) } : {}),
  }))

export const encodeNearWords = (words: readonly string[]): Uint8Array =>
  proto.NearWordsRequest.encode({ words: [...words] }).finish()
export const decodeNearWords = (bytes: Uint8Array): string[] =>
  fields
    .list(decoded(proto.NearWordsRequest, bytes).words, NEAR_ASKED_MAX, 'words')
    .map((word) => fields.text(word, NEAR_WORD_BYTES_MAX, 'a word'))

/** For each word that was asked about, in the order of the request. */
export const encodeNearWordsReply = (near: readonly (readonly WordCount[])[]): Uint8Array =>
  proto.NearWordsReply.encode({ near: near.map((words) => ({ words: [...words] })) }).finish()
export const decodeNearWordsReply = (bytes: Uint8Array): WordCount[][] =>
  fields.list(decoded(proto.NearWordsReply, bytes).near, NEAR_ASKED_MAX, 'lists of words').map(({ words }) =>
    fields.list(words, NEAR_WORDS_MAX, 'words').map(({ word, documents }) => ({
      word: fields.text(word, NEAR_WORD_BYTES_MAX, 'a word'),
      documents: fields.count(documents),
    })),
  )

const hitMessage = ({ infoHash, seeders, lastSeenAt = 0, proof }: WireHit) => ({
  ...{ infoHash: fromHex(infoHash), seeders, lastSeenAt },
  proof: [...proof],
})

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
    notLevel: reply.notLevel ?? false,
    frequencies: [...(reply.frequencies ?? [])],
  }).finish()
export function decodeSearchReply(bytes: Uint8Array): WireSearchReply {
  const message = decoded(proto.SearchReply, bytes)
  return {
    hits: fields.list(message.hits, HITS_MAX, 'hits').map((hit) => ({
      infoHash: fields.infoHash(hit.infoHash),
      seeders: fields.count(hit.seeders, 'a number', 2 ** 32),
      lastSeenAt: fields.count(hit.lastSeenAt, 'a time'),
      proof: fields.list(hit.proof, PROOF_MAX, 'events').map(signedEvent),
    })),
    truncated: message.truncated ?? false,
    cursor: cursorOf(message.cursor),
    answeredBy: fields.node(message.answeredBy),
    ...(message.notLevel ? { notLevel: true } : {}),
    ...(message.frequencies?.length ? { frequencies: frequenciesOf(message.frequencies) } : {}),
  }
}

type SectionFields = Pick<p2pt.index.SectionDigest.$Shape, 'partition' | 'depth' | 'prefix'>
const section = ({ partition, depth, prefix }: SectionFields): Section => {
  const levels = fields.count(depth, 'a number', SECTION_DEPTH_MAX)
  return {
    partition: fields.count(partition, 'a number', PARTITION_COUNT - 1),
    depth: levels,
    prefix: fields.count(prefix, 'a number', SECTION_FANOUT ** levels - 1),
  }
}

export const encodeCompare = (sections: readonly SectionDigest[]): Uint8Array =>
  proto.CompareRequest.encode({ sections: sections.map((one) => ({ ...one, digest: fromHex(one.digest) })) }).finish()
export const decodeCompare = (bytes: Uint8Array): SectionDigest[] =>
  fields.list(decoded(proto.CompareRequest, bytes).sections, SECTIONS_MAX, 'sections').map((row) => ({
    ...section(row),
    digest: toHex(fields.bytesUpTo(row.digest, DIGEST_BYTES_MAX, 'a digest')),
  }))

export const encodeCompareReply = ({ differing, compared, level = new Uint8Array() }: CompareReply): Uint8Array =>
  proto.CompareReply.encode({
    differing: differing.map((one) => ({ ...one, events: one.events.map(eventNameMessage) })),
    compared,
    level,
  }).finish()
export function decodeCompareReply(bytes: Uint8Array): CompareReply {
  const message = decoded(proto.CompareReply, bytes)
  const differing = fields.list(message.differing, SECTIONS_MAX, 'sections').map((row) => ({
    ...section(row),
    events: fields.list(row.events, EVENT_NAMES_MAX, 'events').map(eventName),
    split: row.split ?? false,
  }))
  // A copy: it is kept, and would keep the message.
  const level = new Uint8Array(fields.bytesUpTo(message.level, LEVEL_BYTES, 'what is level'))
  const compared = fields.count(message.compared, 'a number', SECTIONS_MAX)
  return { differing, compared, ...(level.length > 0 ? { level } : {}) }
}

export const encodeFetch = (events: readonly EventName[]): Uint8Array =>
  proto.FetchRequest.encode({ events: events.map(eventNameMessage) }).finish()
export const decodeFetch = (bytes: Uint8Array): EventName[] =>
  fields.list(decoded(proto.FetchRequest, bytes).events, EVENT_NAMES_MAX, 'events').map(eventName)

export const encodeFetchReply = (events: readonly SignedEvent[]): Uint8Array =>
  proto.FetchReply.encode({ events: [...events] }).finish()
export const decodeFetchReply = (bytes: Uint8Array): SignedEvent[] =>
  fields.list(decoded(proto.FetchReply, bytes).events, EVENT_NAMES_MAX, 'events').map(signedEvent)

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

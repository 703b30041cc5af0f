import type { Envelope, InfoHash, NodeId } from '../../events/index.ts'
import type { RowTable } from '../row-table.ts'
import { Authors } from './authors.ts'
import { DocumentStore, type HeldDocument } from './document-store.ts'
import {
  foldOffer,
  isActive,
  isPlaced,
  isVisible,
  type Offer,
  type PartyOf,
  type PresenceOf,
  summarize,
  type TitleKeywords,
  type TorrentEvent,
} from './documents.ts'
import { Listings, type ListingsMark, NO_LISTINGS } from './listings.ts'
import { OrdinalLists } from './ordinal-lists.ts'
import { type EventTally, PartitionTallies } from './partition-tallies.ts'
import { presenceOf, Renewals, renewalIn, renewalKey } from './renewals.ts'
import { type Entry, rankOf } from './segments/entries.ts'
import type { Sha256Of } from './set-digest.ts'

// The index on disk. What counts are the documents: what authors said of each torrent. From them follow the listings (which
// documents a word has, by rank), the partitions (what owners compare) and the counters, all kept with every event.

export type KeywordIndexState = {
  readonly rows: RowTable
  readonly sha256: Sha256Of
  readonly documents: DocumentStore
  readonly authors: Authors
  readonly listings: Listings
  readonly partitions: PartitionTallies
  /** Ordinals of the documents with an event in each partition. */
  readonly partitionTorrents: OrdinalLists
  readonly counters: { visible: number; postings: number; lamportMax: number }
  /** When authors said last that they are there. */
  readonly renewals: Renewals
  /** Who answers for whom. Nothing of it is in the digest. */
  partyOf: PartyOf
  readonly parties: Map<NodeId, string | undefined>
  /** Rises when parties are looked up anew. */
  epoch: number
  /** Authors whose events are in no partition: nobody answers for them. */
  readonly uncounted: Set<NodeId>
  /** The author whose events are being counted in or out. */
  recount: Recount | undefined
}

/** What a recount has come to: it is added to the partitions when all the torrents of the author were seen. */
export type Recount = { readonly author: NodeId; readonly seen: Set<number>; readonly tally: EventTally; readonly sign: 1 | -1 }

type Mark = {
  documents: number
  digest: string
  visible: number
  postings: number
  lamportMax: number
  uncounted: readonly NodeId[]
  listings: ListingsMark
}

const MARK_KEY = '!'
const NO_MARK: Mark = {
  ...{ documents: 0, digest: '', visible: 0, postings: 0, lamportMax: 0, uncounted: [], listings: NO_LISTINGS },
}

export function openIndex(rows: RowTable, sha256: Sha256Of, partyOf: PartyOf): KeywordIndexState {
  const stored = rows.get(MARK_KEY)
  const mark = stored === undefined ? NO_MARK : (JSON.parse(new TextDecoder().decode(stored)) as Mark)
  const authors = new Authors(rows)
  const state: KeywordIndexState = {
    ...{ rows, sha256, partyOf },
    documents: new DocumentStore(rows, sha256, authors, { count: mark.documents, digest: bytesOfHex(mark.digest) }),
    authors,
    listings: new Listings(rows, mark.listings),
    partitions: new PartitionTallies(rows, sha256),
    partitionTorrents: new OrdinalLists(rows, 'p'),
    counters: { visible: mark.visible, postings: mark.postings, lamportMax: mark.lamportMax },
    renewals: new Renewals(),
    parties: new Map(),
    epoch: 0,
    uncounted: new Set(mark.uncounted),
    recount: undefined,
  }
  for (const author of state.authors.ids) {
    const row = rows.get(renewalKey(author))
    if (row !== undefined) state.renewals.add(author, renewalIn(row))
  }
  const entered = new Set<number>()
  for (const ordinal of state.listings.pending()) {
    if (entered.has(ordinal)) continue
    entered.add(ordinal)
    const document = state.documents.at(ordinal)
    if (document === undefined || document.serial === 0) continue
    const listed = listingOf(state, document)
    if (listed !== undefined) state.listings.reenter({ ...listed.entry, serial: document.serial }, listed.words)
  }
  return state
}

/** Lowest byte first, as `SetDigests` adds them. */
function bytesOfHex(digest: string): Uint8Array {
  const bytes = new Uint8Array(32)
  for (let index = 0; index < digest.length / 2; index++)
    bytes[31 - index] = Number.parseInt(digest.slice(2 * index, 2 * index + 2), 16)
  return bytes
}

/** Puts what is in memory alone into the rows. */
export function flushIndex(state: KeywordIndexState): void {
  const { rows, documents, authors, listings, partitions, partitionTorrents, counters, uncounted } = state
  documents.flush()
  authors.flush()
  listings.flush()
  partitions.flush()
  partitionTorrents.flush((partition) => partitions.torrents[partition] ?? 0)
  const mark: Mark = {
    ...{ documents: documents.count, digest: documents.digest.hex(0), ...counters },
    ...{ uncounted: [...uncounted], listings: listings.mark },
  }
  rows.put(MARK_KEY, new TextEncoder().encode(JSON.stringify(mark)))
}

/** Digest over all documents, hex. Puts what changed into the rows, as a checkpoint does. */
export function indexDigest(state: KeywordIndexState): string {
  state.documents.flush()
  return state.documents.digest.hex(0)
}

/** A document with what follows from its offers by the parties of now; undefined if there is none. */
export const documentAt = (state: KeywordIndexState, ordinal: number, now?: number): HeldDocument | undefined =>
  fresh(state, state.documents.at(ordinal), now)

/** The same by its info hash. */
export const documentOf = (state: KeywordIndexState, infoHash: InfoHash, now?: number): HeldDocument | undefined =>
  fresh(state, state.documents.find(infoHash), now)

/**
 * Where the event stands in this log that counts in the place of one that an author said of a torrent: the author has taken it back,
 * or the torrent is shown in other words. Undefined where that one is shown, and where nothing is known or counts of the author.
 */
export function saidInstead(
  state: KeywordIndexState,
  { infoHash, author, authorSeq }: { infoHash: InfoHash; author: NodeId; authorSeq: number },
): number | undefined {
  const document = documentOf(state, infoHash)
  const offer = document?.offers.find((one) => one.author === author)
  if (document === undefined || offer === undefined) return undefined
  const { description } = document
  if (!isVisible(document) || description === undefined) return isActive(offer) ? undefined : offer.claim.by.seq
  const isShown = description.author === author && description.by.authorSeq === authorSeq
  return isShown ? undefined : description.by.seq
}

/** @param now ms since 1970; left out: whoever has ever said that it is there is */
function fresh(state: KeywordIndexState, document: HeldDocument | undefined, now?: number): HeldDocument | undefined {
  if (document === undefined) return undefined
  const isOfNow = now === undefined ? Number.isNaN(document.computedFor) : Math.abs(now - document.computedFor) < PRESENCE_MS
  if (document.epoch === state.epoch && isOfNow) return document
  summarize(document, (author) => partyIn(state, author), now === undefined ? {} : { presenceOf: presenceAt(state, now) })
  document.epoch = state.epoch
  document.computedFor = now ?? Number.NaN
  return document
}

/** How long the computed presence of a document's seeders is used, ms. */
const PRESENCE_MS = 60_000

const presenceAt =
  ({ renewals }: KeywordIndexState, now: number): PresenceOf =>
  ({ author, claim }) =>
    presenceOf(claim.by.at, renewals.get(author)?.at, now)

/** Takes one event of a torrent into the index. */
export function foldTorrent(state: KeywordIndexState, envelope: Envelope, event: TorrentEvent): void {
  const { documents, authors } = state
  const document = documents.find(event.infoHash) ?? documents.create(event.infoHash)
  const isCounted = knownAuthor(state, envelope.author)
  const listed = document.serial === 0 ? undefined : listingOf(state, document)
  const before = document.offers.find(({ author }) => author === envelope.author)
  // Its events are counted out as they were, and in as they are.
  if (before !== undefined) countOffer(state, document, before, isCounted, -1)
  const folded = foldOffer(document, envelope, event)
  const offer = folded?.offer ?? before
  if (offer !== undefined) countOffer(state, document, offer, isCounted, 1)
  if (folded === undefined || offer === undefined) return
  if (before === undefined) authors.addTorrent(authors.enter(envelope.author), document.ordinal)
  enterPartitions(state, document, offer, folded.newPartitions)
  relist(state, document, listed, folded.titled)
}

/** @returns true if the events of this author are in the partitions */
export function knownAuthor(state: KeywordIndexState, author: NodeId): boolean {
  const { authors, uncounted } = state
  if (authors.numberOf(author) === undefined) {
    authors.enter(author)
    if (partyIn(state, author) === undefined) uncounted.add(author)
  }
  return !uncounted.has(author)
}

export function countOffer(
  { partitions, recount }: KeywordIndexState,
  document: HeldDocument,
  offer: Offer,
  isCounted: boolean,
  sign: 1 | -1,
): void {
  if (isCounted) partitions.count(offer, sign)
  if (recount?.author === offer.author && recount.seen.has(document.ordinal)) {
    recount.tally.count(offer, recount.sign === sign ? 1 : -1)
  }
}

/** Notes a document in partitions that one of its offers newly belongs to. */
function enterPartitions(
  { partitions, partitionTorrents }: KeywordIndexState,
  document: HeldDocument,
  offer: Offer,
  newPartitions: readonly number[],
): void {
  for (const partition of newPartitions) {
    if (document.offers.some((other) => other !== offer && isPlaced(other, partition))) continue
    partitionTorrents.append(partition, partitions.torrents[partition] ?? 0, document.ordinal)
    partitions.addTorrent(partition)
  }
}

/** Who answers for this author, see `PartyOf`. */
export function partyIn(state: KeywordIndexState, author: NodeId): string | undefined {
  const known = state.parties.get(author)
  if (known !== undefined || state.parties.has(author)) return known
  if (state.parties.size > PARTIES_MAX) state.parties.clear()
  const party = state.partyOf(author)
  state.parties.set(author, party)
  return party
}

const PARTIES_MAX = 100_000
const EVERYBODY: PartyOf = (author) => author

export type Listing = { readonly entry: Omit<Entry, 'serial'>; readonly words: readonly string[] }

/**
 * How a document is to be listed; undefined if nobody offers it. Also by what those said who count for nothing now: who counts
 * is asked when it is found, and may change. Leaves in the document what follows from the parties of now.
 */
export function listingOf(state: KeywordIndexState, document: HeldDocument, titled?: TitleKeywords): Listing | undefined {
  const all = document.offers.every(({ author }) => partyIn(state, author) !== undefined)
  let words: readonly string[] = []
  let author: NodeId | undefined
  if (!all) {
    summarize(document, EVERYBODY, { titled })
    words = document.keywords
    author = document.description?.author
  }
  summarize(document, (other) => partyIn(state, other), { titled })
  document.epoch = state.epoch
  document.computedFor = Number.NaN
  if (all) {
    words = document.keywords
    author = document.description?.author
  }
  if (words.length === 0 || author === undefined) return undefined
  const lamport = document.description?.by.lamport ?? 0
  const rank = rankOf(document.backers, document.seeders, lamport)
  return { entry: { ordinal: document.ordinal, author: state.authors.enter(author), rank }, words }
}

/** Computes a document anew and lists it as it is now, in place of how it was. @param before as it was listed, see `listingOf` */
export function relist(
  state: KeywordIndexState,
  document: HeldDocument,
  before: Listing | undefined,
  titled?: TitleKeywords,
): void {
  const { counters, documents, listings } = state
  const listing = listingOf(state, document, titled)
  counters.lamportMax = Math.max(counters.lamportMax, document.description?.by.lamport ?? 0)
  if (document.serial === 0 || before === undefined || listing === undefined || !isSame(before, listing)) {
    if (document.serial > 0) listings.serials.end(document.serial)
    document.serial = 0
    if (listing !== undefined) {
      document.serial = listings.serials.next++
      listings.enter({ ...listing.entry, serial: document.serial }, listing.words)
    }
  }
  const isFound = isVisible(document)
  counters.visible += Number(isFound) - Number(document.isVisible)
  counters.postings += document.keywords.length - document.postings
  document.isVisible = isFound
  document.postings = document.keywords.length
  documents.changed(document)
}

const isSame = (a: Listing, b: Listing): boolean =>
  a.entry.rank === b.entry.rank &&
  a.entry.author === b.entry.author &&
  a.words.length === b.words.length &&
  a.words.every((word, index) => word === b.words[index])

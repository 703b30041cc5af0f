import type { Envelope, InfoHash, NodeId } from '../../events/index.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import {
  compareRank,
  foldOffer,
  isPlaced,
  isVisible,
  type Offer,
  type PartyOf,
  partitionsOfOffer,
  summarize,
  type TitleKeywords,
  type TorrentDocument,
  type TorrentEvent,
  type WordEntry,
} from './documents.ts'
import { PARTITION_COUNT } from './sharding.ts'
import { spread } from './spread.ts'

// The index in memory: documents, the words that list them, and the partitions that their events belong to. Lists are
// put in order when they are asked for, not at every event: a rebuild must not sort the list of a common word at each title.

export type KeywordIndexState = {
  readonly documents: Map<InfoHash, TorrentDocument>
  readonly byOrdinal: TorrentDocument[]
  readonly words: Map<string, WordEntry>
  /** Ordinals of the documents with an event in each partition. */
  readonly partitions: (number[] | undefined)[]
  /** Digests that still hold, see partitions.ts. */
  readonly partitionDigests: (string | undefined)[]
  /** Documents that can be found, and their words counted. */
  visibleCount: number
  postingCount: number
  /** Highest stamp of a description: what freshness is measured against. */
  lamportMax: number
  /** All words in ascending order, for prefixes; undefined when one came or went. */
  sortedWords: readonly string[] | undefined
  /** Who answers for whom, as it was told last, and what was looked up of it. Nothing of it is in the rows. */
  partyOf: PartyOf
  readonly parties: Map<NodeId, string | undefined>
  readonly dirty: DirtyKeys
}

export const newIndex = (): KeywordIndexState => ({
  documents: new Map(),
  byOrdinal: [],
  words: new Map(),
  partitions: new Array<number[] | undefined>(PARTITION_COUNT).fill(undefined),
  partitionDigests: new Array<string | undefined>(PARTITION_COUNT).fill(undefined),
  visibleCount: 0,
  postingCount: 0,
  lamportMax: 0,
  sortedWords: undefined,
  partyOf: (author) => author,
  parties: new Map(),
  dirty: new DirtyKeys(),
})

export function documentOf(state: KeywordIndexState, infoHash: InfoHash): TorrentDocument {
  let document = state.documents.get(infoHash)
  if (document === undefined) {
    document = {
      ...{ ordinal: state.byOrdinal.length, infoHash, offers: [], description: undefined },
      ...{ seeders: 0, backers: 0, party: '', verified: false, words: [] },
    }
    state.documents.set(infoHash, document)
    state.byOrdinal.push(document)
  }
  return document
}

/** Takes one event of a torrent into the index. */
export function foldTorrent(state: KeywordIndexState, envelope: Envelope, event: TorrentEvent): void {
  const document = documentOf(state, event.infoHash)
  const folded = foldOffer(document, envelope, event)
  if (folded === undefined) return
  enterPartitions(state, document, folded.offer, folded.newPartitions)
  for (const partition of partitionsOfOffer(folded.offer)) state.partitionDigests[partition] = undefined
  list(state, document, folded.titled)
  state.dirty.add(event.infoHash)
}

/** Notes a document in partitions that one of its offers newly belongs to. */
export function enterPartitions(
  state: KeywordIndexState,
  document: TorrentDocument,
  offer: Offer,
  newPartitions: readonly number[],
): void {
  for (const partition of newPartitions) {
    if (document.offers.some((other) => other !== offer && isPlaced(other, partition))) continue
    const ordinals = state.partitions[partition]
    if (ordinals === undefined) state.partitions[partition] = [document.ordinal]
    else ordinals.push(document.ordinal)
  }
}

/** Computes a document anew and lists it under its words, in place of those before. */
export function list(state: KeywordIndexState, document: TorrentDocument, titled?: TitleKeywords): void {
  const wasVisible = document.words.length > 0
  const { seeders, backers, party } = document
  const stampBefore = document.description?.by.lamport
  const keywords = summarize(document, (author) => partyIn(state, author), titled)
  const before = document.words
  const stamp = document.description?.by.lamport ?? 0
  if (stamp > state.lamportMax) state.lamportMax = stamp
  const sameWords = before.length === keywords.length && before.every(({ word }, index) => word === keywords[index])
  if (!sameWords) {
    document.words = keywords.map((word) => entryOf(state, word))
    for (const entry of document.words) if (!before.includes(entry)) enter(state, entry, document)
    for (const entry of before) if (!document.words.includes(entry)) leave(state, entry)
    state.postingCount += keywords.length - before.length
    state.visibleCount += Number(keywords.length > 0) - Number(wasVisible)
  }
  const sameRank = document.seeders === seeders && document.backers === backers && document.party === party
  if (!sameRank || stamp !== stampBefore) {
    for (const entry of document.words) entry.ordered = false
  }
}

/** Who answers for this author, see `PartyOf`. */
export function partyIn(state: KeywordIndexState, author: NodeId): string | undefined {
  const known = state.parties.get(author)
  if (known !== undefined || state.parties.has(author)) return known
  const party = state.partyOf(author)
  state.parties.set(author, party)
  return party
}

/** From now on authors count as this says: documents of those that counted otherwise are computed anew. */
export function weigh(state: KeywordIndexState, partyOf: PartyOf): void {
  state.partyOf = partyOf
  const changed = new Set<NodeId>()
  for (const [author, before] of state.parties) {
    const now = partyOf(author)
    if (now === before) continue
    changed.add(author)
    state.parties.set(author, now)
  }
  if (changed.size === 0) return
  for (const document of state.byOrdinal) {
    const { offers, description, words } = document
    if (!offers.some(({ author }) => changed.has(author))) continue
    for (const offer of offers) {
      if (!changed.has(offer.author)) continue
      for (const partition of partitionsOfOffer(offer)) state.partitionDigests[partition] = undefined
    }
    const isAlone = offers.length === 1 && description !== undefined && words.length > 0
    list(state, document, isAlone ? { title: description.title, keywords: words.map(({ word }) => word) } : undefined)
  }
}

function entryOf(state: KeywordIndexState, word: string): WordEntry {
  let entry = state.words.get(word)
  if (entry === undefined) {
    entry = { word, documentCount: 0, ordinals: [], ordered: true }
    state.words.set(word, entry)
    state.sortedWords = undefined
  }
  return entry
}

/** Places left behind by documents that lost the word are swept when there are more of them than this and half the list. */
const STALE_MAX = 64

function enter(state: KeywordIndexState, entry: WordEntry, document: TorrentDocument): void {
  entry.documentCount += 1
  // Most words list one document: a list that is pushed to would keep room for 16 more.
  if (entry.ordinals.length === 0) entry.ordinals = [document.ordinal]
  else entry.ordinals.push(document.ordinal)
  entry.ordered = false
  if (entry.ordinals.length > 2 * entry.documentCount + STALE_MAX) sweep(state, entry)
}

function leave(state: KeywordIndexState, entry: WordEntry): void {
  entry.documentCount -= 1
  if (entry.documentCount > 0) return
  state.words.delete(entry.word)
  state.sortedWords = undefined
}

/** Leaves those documents in the list of a word that have it, in the order in which they are. */
export function sweep(state: KeywordIndexState, entry: WordEntry): void {
  const kept = new Set<number>()
  for (const ordinal of entry.ordinals) {
    if (state.byOrdinal[ordinal]?.words.includes(entry) === true) kept.add(ordinal)
  }
  entry.ordinals = [...kept]
}

/** The documents of a word by static rank, best first, spread over the parties that published them. */
export function orderedOrdinals(state: KeywordIndexState, entry: WordEntry): readonly number[] {
  if (!entry.ordered) {
    sweep(state, entry)
    entry.ordinals.sort((a, b) => compareOrdinals(state, a, b))
    entry.ordinals = spreadOrdinals(state, entry.ordinals)
    entry.ordered = true
  }
  return entry.ordinals
}

/** Ordinals that are in order, spread over who published them. */
export const spreadOrdinals = ({ byOrdinal }: KeywordIndexState, ordinals: readonly number[]): number[] =>
  spread(ordinals, {
    authorOf: (ordinal) => byOrdinal[ordinal]?.description?.author ?? '',
    partyOf: (ordinal) => byOrdinal[ordinal]?.party ?? '',
  })

export function compareOrdinals({ byOrdinal }: KeywordIndexState, a: number, b: number): number {
  const [first, second] = [byOrdinal[a], byOrdinal[b]]
  return first === undefined || second === undefined ? a - b : compareRank(first, second)
}

/** Words that begin with `prefix`, ascending. */
export function wordsWithPrefix(state: KeywordIndexState, prefix: string): WordEntry[] {
  state.sortedWords ??= [...state.words.keys()].sort()
  const sorted = state.sortedWords
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) < prefix) low = middle + 1
    else high = middle
  }
  const found: WordEntry[] = []
  for (let index = low; index < sorted.length; index++) {
    const word = sorted[index] as string
    if (!word.startsWith(prefix)) break
    const entry = state.words.get(word)
    if (entry !== undefined) found.push(entry)
  }
  return found
}

/** Documents that a search can find. */
export function* visibleDocuments(state: KeywordIndexState): Generator<TorrentDocument> {
  for (const document of state.byOrdinal) if (isVisible(document)) yield document
}

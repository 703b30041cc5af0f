import type { InfoHash, NodeId } from '../../events/index.ts'
import type { TorrentDocument, WordEntry } from './documents.ts'
import { evidenceOf } from './evidence.ts'
import { HITS_DEFAULT, HITS_MAX } from './hits.ts'
import {
  compareOrdinals,
  type KeywordIndexState,
  orderedOrdinals,
  partyIn,
  spreadOrdinals,
  visibleDocuments,
  wordsWithPrefix,
} from './index-state.ts'
import { testOfQuery } from './matching.ts'
import { score } from './ranking.ts'
import { type PublisherOf, spread } from './spread.ts'
import { parseQuery, type Query, type Term, wholeWordsOf } from './text/index.ts'

export type Hit = {
  readonly infoHash: InfoHash
  readonly title: string
  readonly sizeBytes: number
  readonly fileCount: number
  readonly tags: readonly string[]
  /** Authors whose last word is that they hold all of it. */
  readonly seeders: number
  /** One of them says that it checked every piece. */
  readonly verified: boolean
  /** Whose description is shown, and when it says it was made (ms since 1970). */
  readonly publisher: NodeId
  readonly publishedAt: number
  /** Where the events stand in this log that prove it, the description first. */
  readonly evidence: readonly number[]
}

export type SearchReply = {
  readonly hits: readonly Hit[]
  /** True if there is more, here or beyond the bounds. */
  readonly truncated: boolean
  /** Give it back for the next page; empty at the end. */
  readonly cursor: string
}

export type SearchOptions = {
  /** 1 to `HITS_MAX`, default `HITS_DEFAULT`; a number outside of it is taken for the nearest. */
  readonly limit?: number
  readonly cursor?: string
}

/** Whose words a document's title is. */
const PUBLISHER_OF: PublisherOf<TorrentDocument> = {
  authorOf: ({ description }) => description?.author ?? '',
  partyOf: ({ party }) => party,
}

/** Best by static rank that are put in the final order; pages beyond follow by static rank. */
const CANDIDATES_MAX = 200
/** Best documents of a keyword that are looked at. Nothing is dropped from the lists: what is best changes with every seeder. */
export const DOCUMENTS_PER_KEYWORD_MAX = 10_000
/** Words that a prefix stands for, the commonest ones. */
const PREFIX_WORDS_MAX = 200

/** Lists that hold the documents of a term or a clause. `cut`: not all of them. */
type Lists = { readonly entries: readonly WordEntry[]; readonly cut: boolean }

const documentsIn = ({ entries }: Lists): number => entries.reduce((sum, entry) => sum + entry.documentCount, 0)

function listsOf(state: KeywordIndexState, term: Term): Lists {
  if (term.kind === 'infohash') return { entries: listOf(state.documents.get(term.infoHash)), cut: false }
  if (term.kind === 'prefix') {
    const entries = wordsWithPrefix(state, term.word)
    if (entries.length <= PREFIX_WORDS_MAX) return { entries, cut: false }
    entries.sort((a, b) => b.documentCount - a.documentCount || (a.word < b.word ? -1 : 1))
    return { entries: entries.slice(0, PREFIX_WORDS_MAX), cut: true }
  }
  let rarest: WordEntry | undefined
  for (const word of wholeWordsOf(term)) {
    const entry = state.words.get(word)
    if (entry === undefined) return { entries: [], cut: false }
    if (rarest === undefined || entry.documentCount < rarest.documentCount) rarest = entry
  }
  return { entries: rarest === undefined ? [] : [rarest], cut: false }
}

/** One document, as a word has it. */
const listOf = (document: TorrentDocument | undefined): WordEntry[] =>
  document === undefined ? [] : [{ word: '', documentCount: 1, ordinals: [document.ordinal], ordered: true }]

type Candidates = { readonly ordinals: readonly number[]; readonly cut: boolean }

/** Candidates by static rank: the documents of the clause that has the fewest. */
function candidates(state: KeywordIndexState, query: Query, wanted: number): Candidates {
  let best: Lists | undefined
  for (const terms of query.clauses) {
    const lists = terms.map((term) => listsOf(state, term))
    const clause = { entries: [...new Set(lists.flatMap(({ entries }) => entries))], cut: lists.some(({ cut }) => cut) }
    if (best === undefined || documentsIn(clause) < documentsIn(best)) best = clause
  }
  if (best === undefined) return everything(state, query)
  const [only] = best.entries
  if (only === undefined) return { ordinals: [], cut: false }
  // Where nothing else can say no to a document, the best of all are among the best of each.
  const isAll = query.clauses.flat().every(({ kind }) => kind !== 'phrase')
  const isPlain = isAll && query.clauses.length === 1 && query.filters.length === 0 && query.without.length === 0
  const each = isPlain ? wanted : DOCUMENTS_PER_KEYWORD_MAX
  const cut = best.cut || best.entries.some(({ documentCount }) => documentCount > DOCUMENTS_PER_KEYWORD_MAX)
  if (best.entries.length === 1) return { ordinals: firstOf(orderedOrdinals(state, only), each), cut }
  const merged = new Set<number>()
  for (const entry of best.entries) for (const ordinal of firstOf(orderedOrdinals(state, entry), each)) merged.add(ordinal)
  return { ordinals: inOrder(state, [...merged]), cut }
}

const inOrder = (state: KeywordIndexState, ordinals: number[]): readonly number[] =>
  spreadOrdinals(
    state,
    ordinals.sort((a, b) => compareOrdinals(state, a, b)),
  )

const firstOf = (list: readonly number[], count: number): readonly number[] =>
  list.length > count ? list.slice(0, count) : list

/** A query of filters alone looks at every document; one of nothing, or of exclusions alone, finds nothing. */
function everything(state: KeywordIndexState, query: Query): Candidates {
  if (query.filters.length === 0) return { ordinals: [], cut: false }
  const found: number[] = []
  const test = testOfQuery(query, (word) => state.words.get(word))
  for (const document of visibleDocuments(state)) if (test(document)) found.push(document.ordinal)
  return { ordinals: inOrder(state, found), cut: false }
}

function hitOf(state: KeywordIndexState, query: Query, document: TorrentDocument): Hit[] {
  const { infoHash, description, seeders, verified } = document
  if (description === undefined) return []
  const evidence = evidenceOf(document, query, (author) => partyIn(state, author))
  const { title, sizeBytes, fileCount, tags, by, author } = description
  return [{ infoHash, title, sizeBytes, fileCount, tags, seeders, verified, publisher: author, publishedAt: by.at, evidence }]
}

function offsetOf(cursor: string | undefined): number {
  const offset = Number(cursor ?? '')
  return Number.isSafeInteger(offset) && offset > 0 ? Math.min(offset, DOCUMENTS_PER_KEYWORD_MAX) : 0
}

/** The cursor that goes on after the first `hits` of the page that began at `cursor`. */
export const cursorAfter = (cursor: string, hits: number): string => String(offsetOf(cursor) + hits)

/** Finds torrents in what this node holds. A query with a problem finds nothing; a cursor that is none starts from the beginning. */
export function search(state: KeywordIndexState, text: string, options: SearchOptions = {}): SearchReply {
  const query = parseQuery(text)
  const limit = Math.max(1, Math.min(HITS_MAX, Math.trunc(options.limit ?? HITS_DEFAULT) || HITS_DEFAULT))
  const offset = offsetOf(options.cursor)
  const wanted = Math.max(CANDIDATES_MAX, offset + limit + 1)

  const test = testOfQuery(query, (word) => state.words.get(word))
  const found: TorrentDocument[] = []
  const { ordinals, cut } = candidates(state, query, wanted)
  for (const ordinal of ordinals) {
    const document = state.byOrdinal[ordinal]
    if (document === undefined || !test(document)) continue
    found.push(document)
    if (found.length >= wanted) break
  }

  const context = { query, lamportMax: state.lamportMax }
  const ranked = found
    .slice(0, CANDIDATES_MAX)
    .map((document, place) => ({ document, place, score: score(document, context) }))
    // Equal scores keep the static order.
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map(({ document }) => document)
  const page = [...spread(ranked, PUBLISHER_OF), ...found.slice(CANDIDATES_MAX)].slice(offset, offset + limit)
  const more = found.length > offset + limit
  // Further back nothing is looked at: a cursor to there would lead to the same page for ever.
  const goesOn = more && offset + limit < DOCUMENTS_PER_KEYWORD_MAX
  return {
    hits: page.flatMap((document) => hitOf(state, query, document)),
    truncated: more || cut,
    cursor: goesOn ? cursorAfter(options.cursor ?? '', limit) : '',
  }
}

/** Documents that have this keyword here: what tells a rare word from a common one. */
export const documentFrequency = (state: KeywordIndexState, word: string): number => state.words.get(word)?.documentCount ?? 0

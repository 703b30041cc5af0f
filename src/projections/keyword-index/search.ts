import type { InfoHash, NodeId } from '../../events/index.ts'
import { candidates } from './candidates.ts'
import { publishedAt, type TorrentDocument, wordsShown } from './documents.ts'
import { evidenceOf } from './evidence.ts'
import { HITS_DEFAULT, HITS_MAX } from './hits.ts'
import { type KeywordIndexState, partyIn } from './index-state.ts'
import { score } from './ranking.ts'
import { type PublisherOf, spread } from './spread.ts'
import { parseQuery, type Query, titleForm } from './text/index.ts'

export type Hit = {
  readonly infoHash: InfoHash
  readonly title: string
  readonly sizeBytes: number
  readonly fileCount: number
  readonly tags: readonly string[]
  /** Authors whose last word is that they hold all of it, and who are there. */
  readonly seeders: number
  /** When any of those who hold it was heard of last, ms since 1970. */
  readonly lastSeenAt: number
  /** One of them says that it checked every piece. */
  readonly verified: boolean
  /** Whose description is shown, and when it says it was made (ms since 1970; 0 where it says a time that is yet to come). */
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
  /**
   * The time, ms since 1970: what says that it was published later than that is not believed, and whoever has not said for long that
   * it is there is no seeder. Left out: all is believed.
   */
  readonly now?: number
}

/** Whose words a document's title is. */
const PUBLISHER_OF: PublisherOf<TorrentDocument> = {
  authorOf: ({ description }) => description?.author ?? '',
  partyOf: ({ party }) => party,
  titleOf: (document) => titleForm(wordsShown(document)),
}

/** Best by static rank that are put in the final order; pages beyond follow by static rank. */
const CANDIDATES_MAX = 200
/** Best documents of a keyword that are looked at. */
export const DOCUMENTS_PER_KEYWORD_MAX = 10_000

function hitOf(state: KeywordIndexState, query: Query, document: TorrentDocument, now: number | undefined): Hit[] {
  const { infoHash, description, seeders, verified, lastSeenAt } = document
  if (description === undefined) return []
  const evidence = evidenceOf(document, query, (author) => partyIn(state, author))
  const { title, sizeBytes, fileCount, tags, author } = description
  const described = { infoHash, title, sizeBytes, fileCount, tags, publisher: author, publishedAt: publishedAt(document, now) }
  return [{ ...described, seeders, verified, lastSeenAt, evidence }]
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
  const { now } = options
  const wanted = Math.max(CANDIDATES_MAX, offset + limit + 1)
  const { documents: found, cut } = candidates(state, query, { wanted, enough: offset + limit + 1, now })
  const context = { query, lamportMax: state.counters.lamportMax, now }
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
    hits: page.flatMap((document) => hitOf(state, query, document, now)),
    truncated: more || cut,
    cursor: goesOn ? cursorAfter(options.cursor ?? '', limit) : '',
  }
}

/** Documents that are listed under this keyword here, about: what tells a rare word from a common one. */
export function documentFrequency({ listings }: KeywordIndexState, word: string): number {
  const inMemory = listings.memtable.list(word).length + (listings.frozen?.memtable.list(word).length ?? 0)
  return listings.segments.reduce((sum, segment) => sum + segment.count(word), inMemory)
}

/**
 * How much the index holds. `documents` can be found; `keywords` are those of the largest segment and of what is in memory:
 * about how many there are; `postings`: pairs of a document and a keyword of it.
 */
export function totalsOf({ counters, listings }: KeywordIndexState): { documents: number; keywords: number; postings: number } {
  const words = Math.max(listings.memtable.wordCount, ...listings.segments.map(({ mark }) => mark.words))
  return { documents: counters.visible, keywords: words, postings: counters.postings }
}

import type { NodeId } from '../src/events/index.ts'
import { compareRank, type TorrentDocument, wordsShown } from '../src/projections/keyword-index/documents.ts'
import { parseQuery, type Query, spread, wholeWordsOf } from '../src/projections/keyword-index/index.ts'
import { score } from '../src/projections/keyword-index/ranking.ts'
import { hasPhrase, titleForm } from '../src/projections/keyword-index/text/index.ts'
import { coveringWords } from '../src/roles/index-node/covering-words.ts'
import type { Corpus, Publication } from './sharding-network.ts'

// Searches as index nodes make them: the best by static rank of the rarest word's list that have the other words, put in the final order.

const CANDIDATES_MAX = 200
const PARTY_MAX = 20
/** Hits of a page. */
const PAGE = 20

const documents = new WeakMap<Publication, TorrentDocument>()

function documentOf(publication: Publication): TorrentDocument {
  const known = documents.get(publication)
  if (known !== undefined) return known
  const { ordinal, infoHash, title, sizeBytes, party, backers, seeders } = publication
  const author = party.toString(16).padStart(64, '0') as NodeId
  const by = { at: 0, authorSeq: ordinal, lamport: ordinal, seq: ordinal } as TorrentDocument['offers'][number]['claim']['by']
  const document: TorrentDocument = {
    ...{
      ordinal,
      infoHash,
      offers: [],
      party: String(party),
      keywords: [],
      words: undefined,
      verified: backers > 1,
      lastSeenAt: 0,
    },
    description: { by, fileCount: 1, sizeBytes, tags: [], title, author },
    ...{ offered: 1, backers, seeders: Math.max(backers, seeders) },
  }
  documents.set(publication, document)
  return document
}

/** Keywords of which a query needs one each: by their numbers, `undefined` for one that no title has. */
const wordsOfClause = (query: Query, { numberOf }: Corpus): (number | undefined)[][] =>
  query.clauses.map((terms) => terms.flatMap((term) => wholeWordsOf(term).map((word) => numberOf.get(word))))

/** The keywords whose owners are asked. Words are as common as their owners say, who know of all that were offered. */
export const partsOf = (text: string, { numberOf, lists }: Corpus): string[] =>
  coveringWords(parseQuery(text), (word) => {
    const number = numberOf.get(word)
    return number === undefined ? 0 : lists[number]?.length
  })

/**
 * The first page for a query from the lists of these keywords, joined.
 * @param isHeld whether whoever answers for a keyword has a publication
 */
export function pageOf(text: string, corpus: Corpus, isHeld: (keyword: string, ordinal: number) => boolean): Publication[] {
  const query = parseQuery(text)
  const clauses = wordsOfClause(query, corpus)
  const found = new Map<number, Publication>()
  for (const keyword of partsOf(text, corpus)) {
    const list = corpus.lists[corpus.numberOf.get(keyword) ?? -1] ?? []
    const perParty = new Map<number, number>()
    const later: Publication[] = []
    let taken = 0
    for (const ordinal of list) {
      const words = corpus.keywords[ordinal] as Uint32Array
      if (!clauses.every((some) => some.some((word) => word !== undefined && words.includes(word)))) continue
      const publication = corpus.publications[ordinal] as Publication
      if (!hasPhrases(query, publication.title) || !isHeld(keyword, ordinal)) continue
      const own = perParty.get(publication.party) ?? 0
      if (own >= PARTY_MAX) {
        if (later.length < CANDIDATES_MAX) later.push(publication)
        continue
      }
      perParty.set(publication.party, own + 1)
      found.set(ordinal, publication)
      taken += 1
      if (taken >= CANDIDATES_MAX) break
    }
    for (const publication of later.slice(0, Math.max(0, CANDIDATES_MAX - taken))) found.set(publication.ordinal, publication)
  }
  const publisherOf = {
    authorOf: ({ party }: Publication) => String(party),
    partyOf: ({ party }: Publication) => String(party),
  }
  const byRank = [...found.values()].sort((a, b) => compareRank(documentOf(a), documentOf(b), undefined))
  const context = { query, lamportMax: corpus.publications.length, now: undefined }
  const ranked = spread(byRank, publisherOf)
    .slice(0, CANDIDATES_MAX)
    .map((publication, place) => ({ publication, place, score: score(documentOf(publication), context) }))
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map(({ publication }) => publication)
  const titleOf = (publication: Publication): string => titleForm(wordsShown(documentOf(publication)))
  return spread(ranked, { ...publisherOf, titleOf }).slice(0, PAGE)
}

/** Phrases of a query are looked for in the title itself; all else its words tell. */
const hasPhrases = (query: Query, title: string): boolean =>
  query.clauses.every(
    (terms) =>
      !terms.every((term) => term.kind === 'phrase') || terms.some((term) => term.kind === 'phrase' && hasPhrase(title, term)),
  )

/** The part of `wanted` that is in `got`; 1 where nothing was wanted. */
export function sharedOf(wanted: readonly Publication[], got: readonly Publication[]): number {
  if (wanted.length === 0) return 1
  const ordinals = new Set(got.map(({ ordinal }) => ordinal))
  return wanted.filter(({ ordinal }) => ordinals.has(ordinal)).length / wanted.length
}

import type { InfoHash } from '../../../events/index.ts'
import type { Query } from './query.ts'
import type { Clause, Term } from './terms.ts'
import { keywordsOf, titleTokens } from './tokenizer.ts'

// Whether titles have what a query asks for in words.

/** Pieces of a title: where they begin, and where they end. */
export type Place = { readonly at: number; readonly end: number }

/** Where each word stands in a title, and how many pieces it has. */
export type TitleWords = { readonly places: ReadonlyMap<string, readonly Place[]>; readonly length: number }

export function titleWords(title: string): TitleWords {
  const places = new Map<string, Place[]>()
  let length = 0
  for (const { word, position, span } of titleTokens(title)) {
    const [here, place] = [places.get(word), { at: position, end: position + span }]
    if (here === undefined) places.set(word, [place])
    else here.push(place)
    length = Math.max(length, place.end)
  }
  return { places, length }
}

/** Equal for titles of the same words in the same order, however they are written: two torrents of one title. */
export const titleForm = ({ places }: TitleWords): string => [...places.keys()].join(' ')

type Row = Pick<Extract<Term, { kind: 'phrase' }>, 'words' | 'begins'>

/** Where words stand in a row; each begins where the one before ends. Of those that end together the longest. */
function placesOf(title: TitleWords, { words, begins }: Row): Place[] {
  let rows: Map<number, number> | undefined
  for (const [index, word] of words.entries()) {
    const isBeginning = begins === true && index === words.length - 1
    const places = isBeginning ? beginningWith(title, word) : (title.places.get(word) ?? [])
    const next = following(rows, places)
    if (next.size === 0) return []
    rows = next
  }
  return [...(rows ?? [])].map(([end, at]) => ({ at, end }))
}

const beginningWith = ({ places }: TitleWords, beginning: string): Place[] =>
  [...places].flatMap(([word, here]) => (word.startsWith(beginning) ? here : []))

/** Rows, by their ends, that go on with one of these places; all places where there is none yet. */
function following(rows: ReadonlyMap<number, number> | undefined, places: readonly Place[]): Map<number, number> {
  const next = new Map<number, number>()
  for (const place of places) {
    const at = rows === undefined ? place.at : rows.get(place.at)
    const known = next.get(place.end)
    if (at !== undefined && (known === undefined || at < known)) next.set(place.end, at)
  }
  return next
}

export const hasPhrase = (title: string, row: Row): boolean => placesOf(titleWords(title), row).length > 0

/** Positions in a title at which any of the terms stands. */
function placesOfClause(title: TitleWords, clause: Clause): Place[] {
  const [only] = clause
  if (clause.length === 1 && only?.kind === 'word') return [...(title.places.get(only.word) ?? [])]
  return clause.flatMap((term) => {
    if (term.kind === 'infohash') return []
    if (term.kind === 'phrase') return placesOf(title, term)
    return term.kind === 'prefix' ? beginningWith(title, term.word) : (title.places.get(term.word) ?? [])
  })
}

/**
 * True if these titles of a torrent together have what a query asks for in words, and nothing that it excludes; filters are
 * for those who know more than titles.
 */
export function titlesMatch(query: Query, titles: readonly string[], infoHash: InfoHash | string): boolean {
  if (query.problem !== undefined) return false
  const words = new Set(titles.flatMap(keywordsOf))
  const has = (term: Term): boolean => {
    switch (term.kind) {
      case 'word':
        return words.has(term.word)
      case 'prefix':
        return [...words].some((word) => word.startsWith(term.word))
      case 'phrase':
        return titles.some((title) => hasPhrase(title, term))
      case 'infohash':
        return term.infoHash === infoHash
    }
  }
  return query.clauses.every((terms) => terms.some(has)) && !query.without.some(has)
}

/**
 * 0 to 1000: the whole title, its beginning, in a row somewhere, or scattered, and how much of the title it is; 0 for a query
 * without words.
 */
export function fitOf(title: TitleWords, { clauses }: Pick<Query, 'clauses'>): number {
  if (clauses.length === 0) return 0
  const { length } = title
  let [found, covered] = [0, 0]
  let rows: Map<number, number> | undefined
  for (const clause of clauses) {
    const places = placesOfClause(title, clause)
    const [first] = places
    if (first !== undefined) {
      found += 1
      covered += first.end - first.at
    }
    if (rows === undefined || rows.size > 0) rows = following(rows, places)
  }
  const coverage = length === 0 ? 0 : Math.min(1, covered / length)
  if (rows === undefined || rows.size === 0) return Math.round((500 * found) / clauses.length + 200 * coverage)
  const starts = [...rows].filter(([, at]) => at === 0)
  if (starts.some(([end]) => end === length)) return 1000
  return (starts.length > 0 ? 850 : 750) + Math.round(100 * coverage)
}

export const titleFit = (title: string, query: Pick<Query, 'clauses'>): number => fitOf(titleWords(title), query)

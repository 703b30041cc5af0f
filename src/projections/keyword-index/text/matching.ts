import type { InfoHash } from '../../../events/index.ts'
import type { Query } from './query.ts'
import type { Clause, Term } from './terms.ts'
import { keywordsOf, type Token, titleTokens } from './tokenizer.ts'

// Whether titles have what a query asks for in words.

/** Pieces of a title: where they begin, and where they end. */
export type Place = { readonly at: number; readonly end: number }

type Row = Pick<Extract<Term, { kind: 'phrase' }>, 'words' | 'begins'>

/** Where words stand in a row; each begins where the one before ends. Of those that end together the longest. */
export function placesOf(tokens: readonly Token[], { words, begins }: Row): Place[] {
  let places: Map<number, number> | undefined
  for (const [index, word] of words.entries()) {
    const isBeginning = begins === true && index === words.length - 1
    const next = new Map<number, number>()
    for (const token of tokens) {
      if (isBeginning ? !token.word.startsWith(word) : token.word !== word) continue
      const at = places === undefined ? token.position : places.get(token.position)
      if (at !== undefined) keepLongest(next, token.position + token.span, at)
    }
    places = next
    if (next.size === 0) break
  }
  return [...(places ?? [])].map(([end, at]) => ({ at, end }))
}

function keepLongest(places: Map<number, number>, end: number, at: number): void {
  const known = places.get(end)
  if (known === undefined || at < known) places.set(end, at)
}

export const hasPhrase = (title: string, row: Row): boolean => placesOf(titleTokens(title), row).length > 0

/** Where a title has any of the terms. */
export const placesOfClause = (tokens: readonly Token[], clause: Clause): Place[] =>
  clause.flatMap((term) => {
    if (term.kind === 'infohash') return []
    return placesOf(
      tokens,
      term.kind === 'phrase' ? term : { words: [term.word], ...(term.kind === 'prefix' && { begins: true }) },
    )
  })

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
export function titleFit(title: string, { clauses }: Pick<Query, 'clauses'>): number {
  if (clauses.length === 0) return 0
  const tokens = titleTokens(title)
  const length = tokens.reduce((most, { position, span }) => Math.max(most, position + span), 0)
  const places = clauses.map((clause) => placesOfClause(tokens, clause))
  const found = places.filter((each) => each.length > 0).length
  const covered = places.reduce((sum, [first]) => sum + (first === undefined ? 0 : first.end - first.at), 0)
  const coverage = length === 0 ? 0 : Math.min(1, covered / length)
  const rows = inRow(places)
  if (rows.length > 0) {
    const first = rows.filter(({ at }) => at === 0)
    if (first.some(({ end }) => end === length)) return 1000
    if (first.length > 0) return 850 + Math.round(100 * coverage)
    return 750 + Math.round(100 * coverage)
  }
  return Math.round((500 * found) / clauses.length + 200 * coverage)
}

function inRow(places: readonly (readonly Place[])[]): Place[] {
  let rows: Map<number, number> | undefined
  for (const each of places) {
    const next = new Map<number, number>()
    for (const place of each) {
      const at = rows === undefined ? place.at : rows.get(place.at)
      if (at !== undefined) keepLongest(next, place.end, at)
    }
    rows = next
    if (next.size === 0) break
  }
  return [...(rows ?? [])].map(([end, at]) => ({ at, end }))
}

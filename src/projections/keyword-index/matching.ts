import { isVisible, type TorrentDocument } from './documents.ts'
import type { Comparison, Filter, Query, Term } from './query.ts'
import { keywordsOf, titleTokens } from './tokenizer.ts'

// Whether a document is what a query asks for.

/** True if the words stand in a row in the title; aliases count where they stand. */
export function hasPhrase(title: string, words: readonly string[]): boolean {
  const at = new Map<number, string[]>()
  for (const { word, position } of titleTokens(title)) {
    const here = at.get(position)
    if (here === undefined) at.set(position, [word])
    else here.push(word)
  }
  const [first] = words
  for (const [position, here] of at) {
    if (first === undefined || !here.includes(first)) continue
    if (words.every((word, index) => at.get(position + index)?.includes(word) === true)) return true
  }
  return false
}

type Test = (document: TorrentDocument) => boolean

function testOf(term: Term): Test {
  switch (term.kind) {
    case 'word':
      return ({ keywords }) => keywords.includes(term.word)
    case 'prefix':
      return ({ keywords }) => keywords.some((word) => word.startsWith(term.word))
    case 'phrase':
      return ({ keywords, description }) =>
        description !== undefined &&
        term.words.every((word) => keywords.includes(word)) &&
        hasPhrase(description.title, term.words)
  }
}

/**
 * True if these titles together have what a query asks for in words, and nothing that it excludes; filters are for those
 * who know more than titles.
 */
export function titlesMatch(query: Query, titles: readonly string[]): boolean {
  const words = new Set(titles.flatMap(keywordsOf))
  const has = (term: Term): boolean => {
    switch (term.kind) {
      case 'word':
        return words.has(term.word)
      case 'prefix':
        return [...words].some((word) => word.startsWith(term.word))
      case 'phrase':
        return titles.some((title) => hasPhrase(title, term.words))
    }
  }
  return query.clauses.every((terms) => terms.some(has)) && !query.without.some(has)
}

function compares(value: number, comparison: Comparison, bound: number): boolean {
  switch (comparison) {
    case '>':
      return value > bound
    case '>=':
      return value >= bound
    case '<':
      return value < bound
    case '<=':
      return value <= bound
    case '=':
      return value === bound
  }
}

function passes(document: TorrentDocument, filter: Filter): boolean {
  switch (filter.kind) {
    case 'size':
      return compares(document.description?.sizeBytes ?? 0, filter.comparison, filter.value)
    case 'seeders':
      return compares(document.seeders, filter.comparison, filter.value)
    case 'tag':
      return document.description?.tags.some((tag) => tag.toLowerCase() === filter.tag) === true
  }
}

/** The test that a query puts to documents. */
export function testOfQuery(query: Query): Test {
  const clauses = query.clauses.map((terms) => terms.map(testOf))
  const without = query.without.map(testOf)
  return (document) =>
    isVisible(document) &&
    clauses.every((tests) => tests.some((test) => test(document))) &&
    query.filters.every((filter) => passes(document, filter)) &&
    !without.some((test) => test(document))
}

import { isVisible, type TorrentDocument } from './documents.ts'
import type { Comparison, Filter, Query, Term } from './query.ts'
import { titleTokens } from './tokenizer.ts'

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

export function hasTerm(document: TorrentDocument, term: Term): boolean {
  switch (term.kind) {
    case 'word':
      return document.words.some(({ word }) => word === term.word)
    case 'prefix':
      return document.words.some(({ word }) => word.startsWith(term.word))
    case 'phrase':
      return document.description !== undefined && hasPhrase(document.description.title, term.words)
  }
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

export function matches(document: TorrentDocument, query: Query): boolean {
  return (
    isVisible(document) &&
    query.filters.every((filter) => passes(document, filter)) &&
    query.clauses.every((terms) => terms.some((term) => hasTerm(document, term))) &&
    !query.without.some((term) => hasTerm(document, term))
  )
}

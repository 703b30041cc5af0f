import { publishedStamp, type TorrentDocument } from './documents.ts'
import type { Query } from './query.ts'
import { titleTokens } from './tokenizer.ts'

// The final order of the best candidates: how well the title fits dominates; seeders, freshness and whether it was
// checked move it a little.

export type RankContext = {
  /** The query's words in the order they were typed, prefixes and phrases taken apart. */
  readonly words: readonly string[]
  readonly lamportMax: number
  readonly now: number
}

export function rankingWords(query: Query): string[] {
  return query.clauses.flatMap((terms) => terms.flatMap((term) => (term.kind === 'phrase' ? term.words : [term.word])))
}

/** Where each word stands in a title, and how many places it has. */
type TitlePlaces = { readonly positions: ReadonlyMap<string, readonly number[]>; readonly length: number }

function placesOf(title: string): TitlePlaces {
  const positions = new Map<string, number[]>()
  let length = 0
  for (const { word, position } of titleTokens(title)) {
    const here = positions.get(word)
    if (here === undefined) positions.set(word, [position])
    else here.push(position)
    length = Math.max(length, position + 1)
  }
  return { positions, length }
}

/** Of descriptions in memory: most searches come upon the same ones. */
const known = new WeakMap<object, TitlePlaces>()

function placesIn({ description }: TorrentDocument): TitlePlaces {
  if (description === undefined) return { positions: new Map(), length: 0 }
  let places = known.get(description)
  if (places === undefined) {
    places = placesOf(description.title)
    known.set(description, places)
  }
  return places
}

/** 0 to 1000: the whole title, its beginning, in a row somewhere, or scattered, and how much of the title it is. */
export const titleRank = (title: string, words: readonly string[]): number => rankOfPlaces(placesOf(title), words)

function rankOfPlaces({ positions, length }: TitlePlaces, words: readonly string[]): number {
  if (words.length === 0) return 0
  let found = 0
  for (const word of words) if (positions.has(word)) found += 1
  const coverage = length === 0 ? 0 : Math.min(1, found / length)
  const starts = positions.get(words[0] ?? '') ?? []
  const inRow = starts.filter((start) => words.every((word, index) => positions.get(word)?.includes(start + index)))
  if (inRow.length > 0) {
    if (inRow.includes(0)) return words.length === length ? 1000 : 850 + Math.round(100 * coverage)
    return 750 + Math.round(100 * coverage)
  }
  return Math.round((500 * found) / words.length + 200 * coverage)
}

/** Further keys of a party that holds it already add up to so many parties at most: keys cost nothing. */
const KEYS_WORTH_MAX = 5

function backing({ seeders, backers }: TorrentDocument): number {
  const more = seeders - backers
  return backers + (KEYS_WORTH_MAX * more) / (100 + more)
}

/** Higher is better. Source: title rank x (9 + s / (100 + s)) / 10, and the same shape for the rest. */
export function score(document: TorrentDocument, context: RankContext): number {
  const title = rankOfPlaces(placesIn(document), context.words)
  const backed = backing(document)
  const seeders = (9 + backed / (100 + backed)) / 10
  const age = publishedStamp(document, context.now) / Math.max(1, context.lamportMax)
  const freshness = (19 + age) / 20
  return title * seeders * freshness * (document.verified ? 1.05 : 1)
}

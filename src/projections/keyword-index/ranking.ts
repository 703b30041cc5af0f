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

/** 0 to 1000: the whole title, its beginning, in a row somewhere, or scattered, and how much of the title it is. */
export function titleRank(title: string, words: readonly string[]): number {
  if (words.length === 0) return 0
  const tokens = titleTokens(title)
  const positions = new Map<string, number[]>()
  let length = 0
  for (const { word, position } of tokens) {
    const here = positions.get(word)
    if (here === undefined) positions.set(word, [position])
    else here.push(position)
    length = Math.max(length, position + 1)
  }
  const found = words.filter((word) => positions.has(word)).length
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
  const title = titleRank(document.description?.title ?? '', context.words)
  const backed = backing(document)
  const seeders = (9 + backed / (100 + backed)) / 10
  const age = publishedStamp(document, context.now) / Math.max(1, context.lamportMax)
  const freshness = (19 + age) / 20
  return title * seeders * freshness * (document.verified ? 1.05 : 1)
}

import { type Query, wholeWordsOf } from '../../projections/keyword-index/index.ts'
import type { FrequencyOf } from './index-map.ts'

// Which words of a query decide who is asked.

/** The words that titles are to have, one by one. */
export const wordsOf = ({ clauses }: Query): string[] => [...new Set(clauses.flat().flatMap(wholeWordsOf))]

/**
 * The fewest words such that every hit has at least one of them: one word of a clause without alternatives, or one for
 * each alternative; rather two than a common one. Of several the rarest, as far as that is known; a word that nothing is known of is taken for rare, and of
 * two such words the longer, since long words tend to be rare. Empty if a prefix is in the way.
 */
export function coveringWords(query: Query, frequencyOf: FrequencyOf): string[] {
  let best: string[] = []
  for (const clause of query.clauses) {
    const words = clause.map((term) => rarestOf(wholeWordsOf(term), frequencyOf))
    if (words.some((word) => word === undefined)) continue
    const cover = [...new Set(words as string[])]
    if (best.length === 0 || isBetter(cover, best, frequencyOf)) best = cover
  }
  return best
}

function isBetter(cover: readonly string[], best: readonly string[], frequencyOf: FrequencyOf): boolean {
  const documentsOf = (word: string): number => frequencyOf(word) ?? (SHORT.test(word) ? COMMON_MIN : 0)
  const [isCommon, wasCommon] = [cover, best].map((words) => words.some((word) => documentsOf(word) >= COMMON_MIN))
  if (isCommon !== wasCommon) return wasCommon === true
  if (cover.length !== best.length) return cover.length < best.length
  const [documents, before] = [cover, best].map((words) => words.reduce((sum, word) => sum + (frequencyOf(word) ?? 0), 0))
  return documents === before ? lengthOf(cover) > lengthOf(best) : (documents ?? 0) < (before ?? 0)
}

/** In so many documents a word is common: an owner looks at no more of them. */
const COMMON_MIN = 10_000
/** Words as short as `the` are, where nobody has said so yet. */
const SHORT = /^[a-z0-9]{1,3}$/

const lengthOf = (words: readonly string[]): number => words.reduce((sum, word) => sum + word.length, 0)

function rarestOf(words: readonly string[], frequencyOf: FrequencyOf): string | undefined {
  const [first, ...others] = words
  if (first === undefined) return undefined
  return others.reduce((best, word) => (isBetter([word], [best], frequencyOf) ? word : best), first)
}

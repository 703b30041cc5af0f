import type { KeywordIndexState } from './index-state.ts'
import { documentFrequency } from './search.ts'
import { canSlip, isOneSlip, SAME_BEGINNING, slipsOfBeginning } from './text/index.ts'

/** A word, and how many documents have it, about. */
export type NearWord = { readonly word: string; readonly documents: number }

/** What one document alone has may be a slip itself. */
const DOCUMENTS_MIN = 2
/** And a word that is there already was meant, unless another is so many times as common. */
const COMMONER = 10
/** Words of one that are told. */
export const NEAR_WORDS_MAX = 5
/** Words of a beginning that are looked at. */
const LOOKED_AT_MAX = 50_000
/** Between two yields. */
const STEP = 256

/**
 * The commonest words of titles that are one slip away from one that was typed, the commonest first; yields now and then. Asks the
 * words with the same two first letters one by one, and for all others those that a slip in these two would make.
 */
export function* nearWords(state: KeywordIndexState, typed: string): Generator<void, NearWord[]> {
  if (!canSlip(typed)) return []
  const least = Math.max(DOCUMENTS_MIN, COMMONER * documentFrequency(state, typed))
  const found = new Set<string>()
  let steps = 0
  for (const words of wordsWith(state, typed.slice(0, SAME_BEGINNING))) {
    for (const { term } of words) {
      if (isOneSlip(term, typed)) found.add(term)
      if (++steps % STEP === 0) yield
      if (steps >= LOOKED_AT_MAX) break
    }
  }
  const near: NearWord[] = []
  const look = (word: string): void => {
    const documents = documentFrequency(state, word)
    if (documents >= least) near.push({ word, documents })
  }
  for (const word of found) look(word)
  for (const word of slipsOfBeginning(typed)) {
    look(word)
    if (++steps % STEP === 0) yield
  }
  return near.sort((a, b) => b.documents - a.documents || (a.word < b.word ? -1 : 1)).slice(0, NEAR_WORDS_MAX)
}

/** Of each place where words are listed. */
function* wordsWith({ listings }: KeywordIndexState, beginning: string): Generator<Iterable<{ readonly term: string }>> {
  for (const segment of listings.segments) yield segment.terms('w', beginning)
  if (listings.frozen !== undefined) yield listings.frozen.memtable.wordsWith(beginning)
  yield listings.memtable.wordsWith(beginning)
}

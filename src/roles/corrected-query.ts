import { canSlip, keywordsOf } from '../projections/keyword-index/index.ts'

/** A word of a query as it was typed, where it stands, and what it is as a keyword. */
type Typed = { readonly at: number; readonly text: string; readonly keyword: string }

/** Words of a query that may be slips: plain ones, whatever is between them. */
function wordsTyped(query: string): Typed[] {
  return [...query.matchAll(/(?<=^|\s)[\p{L}\p{M}]+(?=\s|$)/gu)].flatMap(({ 0: text, index: at }) => {
    const [keyword, ...more] = keywordsOf(text)
    return keyword !== undefined && more.length === 0 && canSlip(keyword) ? [{ at, text, keyword }] : []
  })
}

/** Keywords of a query that may be slips, each once, `max` at most. */
export const mayBeSlips = (query: string, max: number): string[] =>
  [...new Set(wordsTyped(query).map(({ keyword }) => keyword))].slice(0, max)

/** The query with other words in the place of some of its keywords; undefined if there is none. */
export function correctedQuery(query: string, corrections: ReadonlyMap<string, string>): string | undefined {
  let corrected = ''
  let from = 0
  for (const { at, text, keyword } of wordsTyped(query)) {
    const word = corrections.get(keyword)
    if (word === undefined) continue
    corrected += query.slice(from, at) + word
    from = at + text.length
  }
  return from === 0 ? undefined : corrected + query.slice(from)
}

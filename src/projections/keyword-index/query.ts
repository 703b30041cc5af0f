import { queryTokens } from './tokenizer.ts'

/** One thing to look for in a title. `phrase`: these words in a row. */
export type Term =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'prefix'; readonly word: string }
  | { readonly kind: 'phrase'; readonly words: readonly string[] }

export type Comparison = '>' | '>=' | '<' | '<=' | '='

export type Filter =
  | { readonly kind: 'size' | 'seeders'; readonly comparison: Comparison; readonly value: number }
  /** `category:` and `tag:` mean the same: one of the torrent's tags, whole, whatever its case. */
  | { readonly kind: 'tag'; readonly tag: string }

/** Each clause must hold: at least one of its terms. */
export type Query = {
  readonly clauses: readonly (readonly Term[])[]
  readonly without: readonly Term[]
  readonly filters: readonly Filter[]
}

/** More words than this say nothing more, and cost; the rest is dropped. */
export const TERMS_MAX = 32

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
}

const NUMERIC = /^(size|seeders):(>=|<=|>|<|=)?(\d{1,15}(?:\.\d{1,6})?)([a-z]{0,3})$/i
const TAGGED = /^(?:category|tag):(.+)$/i
/** `"a phrase"` (to the end where it is not closed), `|`, or a word up to the next space or bar. */
const PARTS = /([-!]?)"([^"]*)(?:"|$)|(\|)|([^\s|"]+)/g

function filterOf(part: string): Filter | undefined {
  const [, kind, comparison, digits, unit = ''] = NUMERIC.exec(part) ?? []
  const scale = UNITS[unit.toLowerCase()]
  if (kind !== undefined && digits !== undefined && scale !== undefined) {
    const isSize = kind.toLowerCase() === 'size'
    if (isSize || unit === '') {
      // `size:1GB` is what people type who want that much at least.
      const value = Number(digits) * scale
      return { kind: isSize ? 'size' : 'seeders', comparison: (comparison as Comparison | undefined) ?? '>=', value }
    }
  }
  const [, tag] = TAGGED.exec(part) ?? []
  return tag === undefined ? undefined : { kind: 'tag', tag: tag.toLowerCase() }
}

function termsOf(text: string, prefix: boolean): Term[] {
  const tokens = queryTokens(text)
  return tokens.map((token, index): Term => {
    const last = index === tokens.length - 1
    return token.prefix || (prefix && last) ? { kind: 'prefix', word: token.word } : { kind: 'word', word: token.word }
  })
}

function phraseOf(text: string): Term | undefined {
  const tokens = queryTokens(text)
  const [only] = tokens
  if (only === undefined) return undefined
  if (tokens.length === 1) return { kind: only.prefix ? 'prefix' : 'word', word: only.word }
  return { kind: 'phrase', words: tokens.map(({ word }) => word) }
}

/**
 * What a text asks for: words are all wanted; `"a phrase"`, `-word` and `!word`, `a | b`, `pre*`, `size:>1GB`
 * (B, KB, MB, GB, TB and KiB to TiB), `seeders:>5`, `category:film` or `tag:film`. Every text is a query: what looks
 * like a filter and is none is words.
 */
export function parseQuery(text: string): Query {
  const clauses: Term[][] = []
  const without: Term[] = []
  const filters: Filter[] = []
  let count = 0
  let or = false
  const add = (terms: readonly Term[]): void => {
    for (const [index, term] of terms.entries()) {
      if (count >= TERMS_MAX) return
      count += 1
      const last = clauses.at(-1)
      // `a | b.c` is (a or b) and c.
      if (or && index === 0 && last !== undefined) last.push(term)
      else clauses.push([term])
    }
    if (terms.length > 0) or = false
  }
  for (const [, quotedSign, quoted, bar, word] of text.matchAll(PARTS)) {
    if (bar !== undefined) {
      or = clauses.length > 0
      continue
    }
    if (quoted !== undefined) {
      const phrase = phraseOf(quoted)
      if (phrase === undefined) continue
      if (quotedSign === '') add([phrase])
      else if (without.length < TERMS_MAX) without.push(phrase)
      continue
    }
    if (word === undefined) continue
    const filter = filterOf(word)
    if (filter !== undefined) {
      if (filters.length < TERMS_MAX) filters.push(filter)
      continue
    }
    if (/^[-!]./.test(word)) {
      // `-s01.e02` keeps out what has both, as one phrase.
      const phrase = word.endsWith('*') ? termsOf(word.slice(1, -1), true).at(-1) : phraseOf(word.slice(1))
      if (phrase !== undefined && without.length < TERMS_MAX) without.push(phrase)
      continue
    }
    add(termsOf(word, word.endsWith('*')))
  }
  return { clauses, without, filters }
}

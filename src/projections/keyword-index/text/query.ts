import { type Filter, readAmount, tagForm } from './filters.ts'
import { infoHashIn, infoHashOfMagnet, isMagnet } from './info-hash.ts'
import { type Clause, clausesOf, clausesOfBeginning, phrasesOf, type Term, WORDS_MAX } from './terms.ts'

/** Why a text asks for nothing that could be looked for; the sentence says what to do. */
export type QueryProblem = {
  readonly code: 'bad-filter' | 'bad-hash' | 'too-long' | 'too-many-words' | 'nothing-asked'
  readonly sentence: string
}

/** What is asked of a torrent. One with a problem asks for nothing. */
export type Query = {
  readonly clauses: readonly Clause[]
  readonly without: readonly Term[]
  readonly filters: readonly Filter[]
  readonly problem?: QueryProblem
}

export const FILTERS_MAX = 32
/** In UTF-16 units. Longer texts are not read. */
export const QUERY_LENGTH_MAX = 4096

/** A filter, `"a phrase"` (to the end where it is not closed), `|`, or a word up to the next space or bar. */
const PART =
  /([-!]*)(?:(size|seeders|tag|category|infohash):|(size|seeders)(?=[<>]))|([-!]*)["“”„]([^"“”„]*)(?:["“”„]\*?|$)|(\|)|([^\s|"“”„]+)|\s+/giuy
const TAG = /\s*(?:["“”„]([^"“”„]*)(?:["“”„]|$)|([^\s|"“”„]+))/uy
const HASH = /\s*([^\s|"“”„]*)/uy

const SHOWN_MAX = 40
/** A part of a query as a sentence may show it. */
const shown = (part: string): string => {
  const printable = part
    .toWellFormed()
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
  return printable.length > SHOWN_MAX ? `${printable.slice(0, SHOWN_MAX).toWellFormed()}…` : printable
}

const HOW: Readonly<Record<string, string>> = {
  size: 'is no size: write size:>1GB, size:<=700MB or size:1GB..2GB (B, KB, MB, GB, TB, or KiB to TiB)',
  seeders: 'is no number of seeders: write seeders:>5, seeders:<=100 or seeders:5..10',
  tag: 'names no tag: write tag:NAME, or tag:"TWO WORDS"',
  category: 'names no category: write category:movie, tv, anime, music, book, software, game or other',
}

const nothing = (problem: QueryProblem): Query => ({ clauses: [], without: [], filters: [], problem })

/**
 * What a text asks for; docs/search.md has the language. Never throws: what it cannot mean is told in `problem`, and nothing
 * is asked for.
 */
export function parseQuery(text: string): Query {
  if (text.length > QUERY_LENGTH_MAX) return nothing({ code: 'too-long', sentence: 'the query is too long: say fewer words' })
  return new QueryReader(text.toWellFormed()).read()
}

class QueryReader {
  readonly #text: string
  readonly #clauses: Term[][] = []
  readonly #without: Term[] = []
  readonly #filters: Filter[] = []
  #filterCount = 0
  #problem: QueryProblem | undefined
  #pieces = 0
  /** Words that stand side by side: what they mean together is seen when the next operator comes. */
  #typed: string[] = []
  #isOr = false
  #last: 'clause' | 'filter' | undefined

  constructor(text: string) {
    this.#text = text
  }

  read(): Query {
    const text = this.#text
    const whole = text.trim()
    if (isMagnet(whole)) this.#hash(infoHashOfMagnet(whole), whole, false)
    else {
      PART.lastIndex = 0
      for (let at = 0; at < text.length && this.#problem === undefined; ) {
        PART.lastIndex = at
        const part = PART.exec(text)
        at = part === null ? at + 1 : this.#part(part, PART.lastIndex)
      }
      this.#flush()
    }
    if (this.#pieces > WORDS_MAX)
      this.#refuse('too-many-words', `the query has ${this.#pieces} words, and ${WORDS_MAX} is the most: say fewer`)
    if (this.#filterCount > FILTERS_MAX) this.#refuse('bad-filter', `a query has at most ${FILTERS_MAX} filters`)
    if (this.#clauses.length === 0 && this.#filters.length === 0) {
      const isAll = this.#without.length === 0
      this.#refuse(
        'nothing-asked',
        isAll
          ? 'give at least one word to search for'
          : 'the query says only what to leave out: give at least one word to search for',
      )
    }
    if (this.#problem !== undefined) return nothing(this.#problem)
    return { clauses: this.#clauses, without: this.#without, filters: this.#filters }
  }

  /** @returns where the next part begins */
  #part([all, filterSign, named, compared, quotedSign, quoted, bar, word]: RegExpExecArray, end: number): number {
    const name = named ?? compared
    if (name !== undefined) {
      this.#flush()
      return this.#filter(name.toLowerCase(), filterSign !== '', end - all.trimStart().length, end)
    }
    if (bar !== undefined) {
      this.#flush()
      this.#isOr = this.#last !== undefined
    } else if (quoted !== undefined) {
      this.#flush()
      const begins = quoted.endsWith('*')
      const { terms, pieces } = phrasesOf(begins ? quoted.slice(0, -1) : quoted, begins)
      this.#pieces += pieces
      if (quotedSign !== '') this.#leaveOut(terms)
      else if (terms.length > 0) this.#add([terms])
    } else if (word !== undefined) this.#word(word)
    return end
  }

  #word(word: string): void {
    const [, sign, rest = word] = /^([-!]+)(.+)$/s.exec(word) ?? []
    const isLeftOut = sign !== undefined
    const plain = rest.replace(/\*+$/, '')
    if (isMagnet(rest)) this.#hash(infoHashOfMagnet(rest), rest, isLeftOut)
    else if (infoHashIn(rest) !== undefined || /^urn:btih:/i.test(rest))
      this.#hash(infoHashIn(rest.replace(/^urn:btih:/i, '')), rest, isLeftOut)
    else if (isLeftOut) this.#leaveOutWord(rest, plain)
    else if (plain === rest) this.#typed.push(rest)
    else {
      this.#flush()
      const { clauses, pieces } = clausesOfBeginning(plain)
      this.#pieces += pieces
      this.#add(clauses)
    }
  }

  #leaveOutWord(rest: string, plain: string): void {
    this.#flush()
    const begins = plain !== rest
    const { clauses, pieces } = begins ? clausesOfBeginning(plain) : clausesOf(rest)
    this.#pieces += pieces
    // `-s01.x.e02` keeps out what has all of it, in a row.
    this.#leaveOut(clauses.length === 1 ? (clauses[0] ?? []) : phrasesOf(plain, begins).terms)
  }

  #leaveOut(terms: readonly Term[]): void {
    this.#without.push(...terms)
    this.#isOr = false
  }

  #hash(infoHash: ReturnType<typeof infoHashIn>, part: string, isLeftOut: boolean): void {
    this.#flush()
    this.#pieces += 1
    if (infoHash === undefined) {
      this.#refuse('bad-hash', `"${shown(part)}" names no info hash of 40 hexadecimal digits, or 32 characters of base32`)
      return
    }
    const terms: Term[] = [{ kind: 'infohash', infoHash }]
    // Thirty-two letters may be a word.
    if (part.length === 32) terms.push(...(clausesOf(part).clauses[0] ?? []))
    if (isLeftOut) this.#leaveOut(terms)
    else this.#add([terms])
  }

  /** What was typed so far, as clauses. */
  #flush(): void {
    if (this.#typed.length === 0) return
    const { clauses, pieces } = clausesOf(this.#typed.join(' '))
    this.#typed = []
    this.#pieces += pieces
    this.#add(clauses)
  }

  /** `a | b c` is (a or b) and c. */
  #add(clauses: readonly Clause[]): void {
    for (const [index, clause] of clauses.entries()) {
      const before = this.#clauses.at(-1)
      if (!this.#isOr || index > 0) this.#clauses.push([...clause])
      else if (this.#last === 'clause' && before !== undefined) before.push(...clause)
      else this.#mixed()
    }
    if (clauses.length === 0) return
    this.#isOr = false
    this.#last = 'clause'
  }

  #mixed(): void {
    this.#refuse('bad-filter', 'a filter is no alternative to a word: say tag:one | tag:other, or ask twice')
  }

  #filter(name: string, isNot: boolean, from: number, at: number): number {
    if (name === 'infohash') {
      HASH.lastIndex = at
      const [, hash = ''] = HASH.exec(this.#text) ?? []
      this.#hash(infoHashIn(hash), this.#text.slice(from, HASH.lastIndex), isNot)
      return HASH.lastIndex
    }
    const { filter, end } = this.#readFilter(name, at)
    if (filter === undefined) {
      this.#refuse('bad-filter', `"${shown(this.#text.slice(from, end))}" ${HOW[name] ?? ''}`)
      return end
    }
    this.#filterCount += 1
    const whole: Filter = isNot ? { kind: 'not', of: filter } : filter
    const before = this.#filters.at(-1)
    if (!this.#isOr) this.#filters.push(whole)
    else if (this.#last === 'filter' && before !== undefined)
      this.#filters.splice(-1, 1, { kind: 'any', of: before.kind === 'any' ? [...before.of, whole] : [before, whole] })
    else this.#mixed()
    this.#isOr = false
    this.#last = 'filter'
    return end
  }

  #readFilter(name: string, at: number): { filter?: Filter; end: number } {
    const text = this.#text
    if (name === 'size' || name === 'seeders') {
      const read = readAmount(name, text, at)
      if (read !== undefined) return read
      HASH.lastIndex = at
      HASH.exec(text)
      return { end: HASH.lastIndex }
    }
    TAG.lastIndex = at
    const [, quoted, word] = TAG.exec(text) ?? []
    const tag = tagForm(quoted ?? word ?? '')
    const end = TAG.lastIndex === 0 ? at : TAG.lastIndex
    return tag === '' ? { end } : { filter: { kind: name === 'tag' ? 'tag' : 'category', tag }, end }
  }

  #refuse(code: QueryProblem['code'], sentence: string): void {
    this.#problem ??= { code, sentence }
  }
}

import type { Abbreviation } from './abbreviation.ts'
import { BEGINS_PAIR, CODECS, IS_DOT_NAME, IS_RELEASE, IS_TAIL, isPair } from './aliases.ts'
import { COMMA, classAt, DIGIT, DOT, isWordAt, JOINT, LETTER, LINK, SPACE } from './characters.ts'
import { DIGITS, JOINED, LETTERS, MIXED, NAME, type Piece, type Words } from './words.ts'

/** Pieces with apostrophes that are joined as a whole, and with hyphens. */
const JOINT_CHAIN_MAX = 4
const LINK_CHAIN_MAX = 3
const NUMBERS_JOINED_LENGTH = 3

/** Single letters that are words in some language: they are not joined to a neighbour across a space. Many non-ASCII letters are the same. */
const isOwnWord = (letter: string): boolean => letter === 'a' || letter === 'i' || letter === 'y' || letter > 'z'

/** What numbers are of: 3 D, 4 K, 1080 p, 10 bit. */
const isUnit = (word: string): boolean => word === 'd' || word === 'k' || word === 'p' || word === 'bit'

/** Words of several pieces: spider-man, don't, 12,000. */
export class Compounds {
  readonly #text: string
  readonly #words: Words
  readonly #abbreviation: Abbreviation
  /** Pieces that are linked up to the one before, the last first. */
  #chain: string[] = []
  /** Digits in groups of three, as far as they go, and the pieces of them. */
  #grouped = ''
  #groups = 0
  /** An s or t that may be the end of the word before it. */
  #endingAt = -1

  constructor(text: string, words: Words, abbreviation: Abbreviation) {
    this.#text = text
    this.#words = words
    this.#abbreviation = abbreviation
  }

  /** Nothing that comes goes on from what was. */
  reset(): void {
    if (this.#chain.length > 0) this.#chain = []
    this.#groups = 0
  }

  /** True if whoever types the piece after the other so means both in a row. */
  isLinked(before: Piece, { word, kind, flags }: Piece, gap: number): boolean {
    if (before.kind === 0 || gap < 0) return false
    const areDigits = kind === DIGITS && before.kind === DIGITS
    switch (gap) {
      case JOINT:
        return true
      case DOT:
        if (areDigits) return true
        if (kind !== LETTERS || before.kind === DIGITS) return false
        return (flags & IS_DOT_NAME) !== 0 || (this.#abbreviation.length > 1 && word.length === 1)
      case COMMA:
        return areDigits && word.length === 3
      case LINK:
        if (areDigits) return true
        if (kind === MIXED || before.kind === MIXED) return false
        if (kind === DIGITS) return word.length <= 3 && (before.flags & IS_RELEASE) === 0
        if (before.kind === DIGITS) return before.word.length <= 4 && word.length <= (before.word.length < 4 ? 3 : 1)
        return (before.flags & IS_RELEASE) === 0 || isPair(before.word, word)
      default:
        return false
    }
  }

  /** Tells the words that the piece at `position` is the end of. */
  add(before: Piece, piece: Piece, gap: number, position: number, isLinked: boolean): void {
    if (isLinked) this.#join(before, piece, gap, position)
    else {
      const isCompound = this.#chain.length > 0
      if (isCompound) this.#chain = []
      if (before.kind !== 0) this.#joinLoosely(before, piece, gap, position, isCompound)
    }
    if (piece.kind === DIGITS) this.#group(piece.word, gap, position)
    else this.#groups = 0
  }

  #join(before: Piece, { word, kind }: Piece, gap: number, position: number): void {
    if (gap !== JOINT && gap !== LINK && gap !== DOT) return
    const areDigits = before.kind === DIGITS && kind === DIGITS
    if (this.#chain.length === 0) this.#chain = [before.word]
    // Numbers are joined by no dot, nor are the letters of an abbreviation one by one.
    if (gap === JOINT || !((areDigits && gap !== LINK) || this.#abbreviation.length > 1)) {
      const most = (gap === JOINT ? JOINT_CHAIN_MAX : LINK_CHAIN_MAX) - 1
      let joined = word
      for (let back = 0; back < Math.min(most, this.#chain.length); back++) {
        joined = this.#chain[back] + joined
        // 9-1-1 and 24/7, but no 1/2 and no 2019-2020.
        if (areDigits && gap === LINK && joined.length !== NUMBERS_JOINED_LENGTH) continue
        this.#words.put(joined, position - 1 - back, back + 2, JOINED)
      }
    }
    this.#chain.unshift(word)
    if (this.#chain.length > JOINT_CHAIN_MAX) this.#chain.pop()
  }

  /** `daddy s`, `x men`, `wall.e`, `web dl`: typed apart, or by those who name files. `isAfterCompound`: `don't look`. */
  #joinLoosely(before: Piece, piece: Piece, gap: number, position: number, isAfterCompound: boolean): void {
    if (gap !== SPACE && gap !== DOT && gap !== LINK) return
    const { word, kind, flags } = piece
    const join = (): void => this.#words.put(before.word + word, position - 1, 2, JOINED)
    if ((before.flags & BEGINS_PAIR) !== 0 && isPair(before.word, word)) {
      join()
      return
    }
    if (gap === LINK || before.kind === MIXED || kind === MIXED) return
    const isTail = word.length === 1 || (flags & IS_TAIL) !== 0 || (before.kind === DIGITS && isUnit(word))
    if (isTail && kind === LETTERS) {
      const isApart = isOwnWord(word) || this.#isAbbreviationAhead(piece.end) || this.#abbreviation.length > 1
      if (before.kind === LETTERS ? before.word.length > 1 && !isApart : isUnit(word)) {
        join()
        if (word === 's' || word === 't') this.#endingAt = position
      }
      return
    }
    if (before.word.length > 1 || before.kind !== LETTERS || isOwnWord(before.word) || isAfterCompound) return
    if (this.#abbreviation.end === position || this.#endingAt === position - 1 || CODECS.has(before.word + word)) return
    const isNumberOf = word.length <= 3 && before.word !== 's' && before.word !== 'e' && before.word !== 'v'
    if (kind === LETTERS || isNumberOf) join()
  }

  #isAbbreviationAhead(end: number): boolean {
    const text = this.#text
    if (end + 1 >= text.length || isWordAt(text, end)) return false
    const letter = text.charAt(end - 1)
    // H.264
    if ((letter === 'h' || letter === 'x') && classAt(text, end + 1) === DIGIT) return true
    if (classAt(text, end) === SPACE || classAt(text, end + 1) !== LETTER) return false
    return end + 2 >= text.length || classAt(text, end + 2) !== LETTER
  }

  /** 12,000 is 12000. */
  #group(digits: string, gap: number, position: number): void {
    if (digits.length === 3 && this.#groups > 0 && (gap === COMMA || gap === DOT)) {
      this.#grouped += digits
      this.#groups += 1
      this.#words.put(this.#grouped, position + 1 - this.#groups, this.#groups, gap === COMMA ? NAME : JOINED)
      return
    }
    this.#grouped = digits
    this.#groups = digits.length <= 3 ? 1 : 0
  }
}

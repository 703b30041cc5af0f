import { Abbreviation } from './abbreviation.ts'
import {
  audioCodecOf,
  BEGINS_PAIR,
  CODECS,
  COMES_AFTER,
  episodeNameOf,
  flagsOf,
  IS_CODEC,
  IS_DOT_NAME,
  IS_RELEASE,
  IS_TAIL,
  isPair,
} from './aliases.ts'
import {
  AMPERSAND,
  ASCII,
  COMMA,
  classAt,
  DIGIT,
  DOT,
  isAscii,
  JOINT,
  LETTER,
  LINK,
  MARK,
  OTHER,
  PAIRED,
  SPACE,
  SYMBOL,
  unitsAt,
} from './characters.ts'
import { Episodes } from './episodes.ts'
import { fold, hasUmlaut, spellings } from './fold.ts'

import {
  ALONE,
  ALONE_BRIDGED,
  BRIDGE,
  DASH,
  DOT_SPACE,
  type Emit,
  IMPLIED,
  JOINED,
  LAST,
  LINKED,
  NAME,
  NONE,
  PLAIN,
  WIDE,
  type Words,
} from './words.ts'

// A text is a row of pieces, each with a position; a word that stands for several pieces (`spiderman` for `spider-man`) has
// the position of the first and spans them. A title has all words; what a query asks for follows from their roles.

/** Longer words are cut: nobody types them. UTF-16 units. */
export const WORD_LENGTH_MAX = 64
/** Further words that follow from those of one text; far above what any has that was not made to have them. */
const FURTHER_MAX = 128

const LETTERS = 1
const DIGITS = 2
const MIXED = LETTERS | DIGITS
/** Pieces with apostrophes that are joined as a whole, and with hyphens. */
const JOINT_CHAIN_MAX = 4
const LINK_CHAIN_MAX = 3
const NUMBERS_JOINED_LENGTH = 3
/** Single letters that are words of their own, and join no neighbour over a space; so are many beyond ASCII. */
const isOwnWord = (letter: string): boolean => letter === 'a' || letter === 'i' || letter === 'y' || letter > 'z'

/** What numbers are of: 3 D, 4 K, 1080 p, 10 bit. */
const isUnit = (word: string): boolean => word === 'd' || word === 'k' || word === 'p' || word === 'bit'

/** Takes one text apart. */
export class Reader implements Words {
  readonly #text: string
  readonly #emit: Emit
  readonly #hasUmlaut: boolean
  #position = 0
  #further = 0

  /** The piece before: '' where it was no word. */
  #before = ''
  #beforeKind = 0
  #beforeFlags = 0
  #beforeEnd = -1
  /** Pieces that are linked up to the one before, the last first. */
  #chain: string[] = []
  /** Digits in groups of three, as far as they go, and the pieces of them. */
  #grouped = ''
  #groups = 0

  readonly #episodes = new Episodes(this)
  readonly #abbreviation = new Abbreviation(this)
  /** An s or t that may be the end of the word before it. */
  #endingAt = -1

  /** The last character of the run of paired ones that ended here. */
  #last = ''
  #isLastAlone = false
  #isRunGap = false

  constructor(text: string, emit: Emit) {
    const isPlain = isAscii(text)
    this.#text = isPlain ? text.toLowerCase() : fold(text)
    this.#emit = emit
    this.#hasUmlaut = !isPlain && hasUmlaut(this.#text)
  }

  read(): number {
    const text = this.#text
    let index = 0
    while (index < text.length) {
      const unit = text.charCodeAt(index)
      const found = unit < 128 ? (ASCII[unit] as number) : classAt(text, index)
      if (found === LETTER || found === DIGIT) index = this.#readPiece(index)
      else if (found === PAIRED) index = this.#readRun(index)
      else {
        if (found === AMPERSAND || found === SYMBOL) this.#readSymbol(index, found)
        index += unitsAt(text, index)
      }
    }
    this.#abbreviation.finish()
    this.#endRun()
    return this.#position
  }

  /** @returns where it ends */
  #readPiece(start: number): number {
    const text = this.#text
    let kind = 0
    let end = start
    while (end < text.length) {
      const unit = text.charCodeAt(end)
      const found = unit < 128 ? (ASCII[unit] as number) : classAt(text, end)
      if (found === LETTER) kind |= LETTERS
      else if (found === DIGIT) kind |= DIGITS
      else if (found !== MARK) break
      end += unit < 128 ? 1 : unitsAt(text, end)
    }
    if (this.#last !== '') this.#endRun()
    this.#piece(text.slice(start, end), kind, this.#gapBefore(start), start, end)
    return end
  }

  #readSymbol(index: number, found: number): void {
    this.#abbreviation.finish()
    this.#endRun()
    if (found === AMPERSAND) this.#episodes.passOver(this.#position)
    const units = unitsAt(this.#text, index)
    this.put(found === AMPERSAND ? 'and' : this.#text.slice(index, index + units), this.#position, 1, PLAIN)
    this.#next('', 0, 0, index + units)
  }

  #gapBefore(start: number): number {
    const end = this.#beforeEnd
    if (end < 0 || end === start) return NONE
    if (start - end === 1) return classAt(this.#text, end)
    return start - end === 2 && classAt(this.#text, end) === DOT && classAt(this.#text, end + 1) === SPACE ? DOT_SPACE : WIDE
  }

  #piece(word: string, kind: number, gap: number, start: number, end: number): void {
    const isLetter = word.length === 1 && kind === LETTERS
    if (kind === LETTERS && this.#programming(word, start, end)) return
    if (isLetter) this.#abbreviation.letter(word, this.#position, gap, this.#text.charCodeAt(end) === 0x2e)
    else if (this.#abbreviation.length > 0) this.#abbreviation.finish()
    const flags = kind === DIGITS ? 0 : flagsOf(word)
    if (kind !== DIGITS && (flags & IS_CODEC) !== 0) {
      this.put(CODECS.get(word) ?? word, this.#position, 1, PLAIN)
      this.#chain = []
      this.#next(word, MIXED, flags | IS_RELEASE, end)
      return
    }
    if (kind === MIXED && this.#mixed(word, gap, end)) return
    if (kind === DIGITS) this.#number(word, gap)
    else if ((flags & COMES_AFTER) !== 0 && this.#beforeKind === DIGITS && gap !== WIDE)
      this.#episodes.numberedBefore(this.#before, flags, this.#position)
    const linked = this.#isLinked(word, kind, gap, flags)
    this.put(word, this.#position, 1, linked ? LINKED : PLAIN)
    if (linked) this.#join(word, gap)
    else {
      const isCompound = this.#chain.length > 0
      if (isCompound) this.#chain = []
      if (this.#before !== '') this.#joinLoosely(word, kind, gap, flags, end, isCompound)
    }
    if (kind === DIGITS) this.#group(word, gap)
    this.#next(word, kind, flags, end)
  }

  #next(word: string, kind: number, flags: number, end: number): void {
    this.#before = word
    this.#beforeKind = kind
    this.#beforeFlags = flags
    this.#beforeEnd = end
    this.#position += 1
    if (kind !== DIGITS) this.#groups = 0
  }

  put(word: string, position: number, span: number, role: number): void {
    if ((role === JOINED || role === IMPLIED) && ++this.#further > FURTHER_MAX) return
    if (!this.#hasUmlaut) {
      this.#emit(cut(word), position, span, role)
      return
    }
    const [bare, expanded] = spellings(word)
    this.#emit(cut(bare), position, span, role)
    if (expanded !== bare) this.#emit(cut(expanded), position, span, role)
  }

  // C++, C# and .NET are words; so is C, another one.

  #programming(word: string, start: number, end: number): boolean {
    const text = this.#text
    const position = this.#position
    if (word === 'net' && text.charCodeAt(start - 1) === 0x2e && !this.#isWordAt(end)) {
      if (!this.#isWithin(start - 1)) {
        this.#special('.net', end)
        return true
      }
      if (this.#before === 'asp' || this.#before === 'vb' || this.#before === 'ado') this.put('.net', position, 1, IMPLIED)
      return false
    }
    const unit = text.charCodeAt(end)
    // `한c++`: one of the letters of a word is no word.
    if ((unit !== 0x2b && unit !== 0x23) || this.#isWithin(start)) return false
    const isDouble = unit === 0x2b && text.charCodeAt(end + 1) === 0x2b
    if (isDouble && word === 'c') this.#special('c++', end + 2)
    else if (unit === 0x23 && (word === 'c' || word === 'f') && !this.#isWordAt(end + 1)) this.#special(`${word}#`, end + 1)
    else if (unit === 0x2b && !isDouble && word === 'dd') {
      this.put('ddp', position, 1, PLAIN)
      this.put(word, position, 1, IMPLIED)
      this.#next('ddp', LETTERS, IS_RELEASE, end + 1)
    } else {
      if (isDouble) this.put(`${word}++`, position, 1, IMPLIED)
      return false
    }
    return true
  }

  /** True where a word goes on. */
  #isWordAt(index: number): boolean {
    const found = index < this.#text.length ? classAt(this.#text, index) : SPACE
    return found === LETTER || found === PAIRED
  }

  /** True where a word, or what joins two, ends. */
  #isWithin(start: number): boolean {
    if (start === 0) return false
    const before = classAt(this.#text, start - 1)
    return before <= MARK ? before !== OTHER : before === JOINT || before === PAIRED
  }

  #special(word: string, end: number): void {
    this.#abbreviation.finish()
    this.put(word, this.#position, 1, PLAIN)
    this.#chain = []
    this.#next('', 0, 0, end)
  }

  // Seasons and episodes.

  #mixed(word: string, gap: number, end: number): boolean {
    const named = episodeNameOf(word)
    if (named !== undefined) {
      this.#chain = []
      this.#position = this.#episodes.named(named, this.#position, gap)
      this.#next('', 0, 0, end)
      return true
    }
    const codec = audioCodecOf(word)
    if (codec !== undefined) {
      this.put(codec, this.#position, 1, PLAIN)
      this.#position += 1
      this.#chain = []
      this.put(word.slice(-1), this.#position, 1, PLAIN)
      this.#groups = 0
      this.#next(word.slice(-1), DIGITS, 0, end)
      return true
    }
    // Of v1.2.3 the numbers count, v or not.
    if (word.charCodeAt(0) !== 0x76 || !isNumber(word, 1)) return false
    const isLong = this.#text.charCodeAt(end) === 0x2e && isNumber(this.#text.charAt(end + 1), 0)
    this.put(word.slice(1), this.#position, 1, isLong ? PLAIN : IMPLIED)
    this.put(word, this.#position, 1, isLong ? IMPLIED : PLAIN)
    this.#chain = []
    this.#groups = 0
    this.#next(word.slice(1), isLong ? DIGITS : MIXED, 0, end)
    return true
  }

  #number(digits: string, gap: number): void {
    const codec = digits.length === 3 ? CODECS.get(this.#before + digits) : undefined
    if (codec !== undefined) this.put(codec, this.#position - 1, 2, NAME)
    else {
      const isDash = gap === WIDE && this.#text.startsWith(` - ${digits}`, this.#beforeEnd)
      this.#episodes.numbered(digits, this.#beforeFlags, this.#position, isDash ? DASH : gap)
    }
  }

  // Words of several pieces.

  #isLinked(word: string, kind: number, gap: number, flags: number): boolean {
    if (this.#before === '' || gap < 0) return false
    const kinds = this.#beforeKind
    switch (gap) {
      case JOINT:
        return true
      case DOT:
        if (kind === DIGITS && kinds === DIGITS) return true
        if (kind !== LETTERS || kinds === DIGITS) return false
        return (flags & IS_DOT_NAME) !== 0 || (this.#abbreviation.length > 1 && word.length === 1)
      case COMMA:
        return kind === DIGITS && kinds === DIGITS && word.length === 3
      case LINK:
        if (kind === DIGITS && kinds === DIGITS) return true
        if (kind === MIXED || kinds === MIXED) return false
        if (kind === DIGITS) return word.length <= 3 && (this.#beforeFlags & IS_RELEASE) === 0
        if (kinds === DIGITS) return this.#before.length <= 4 && word.length <= (this.#before.length < 4 ? 3 : 1)
        return (this.#beforeFlags & IS_RELEASE) === 0 || isPair(this.#before, word)
      default:
        return false
    }
  }

  #join(word: string, gap: number): void {
    if (gap !== JOINT && gap !== LINK && gap !== DOT) return
    const isNumbers = this.#beforeKind === DIGITS && isNumber(word, 0)
    // Numbers are joined by no dot, nor are the letters of an abbreviation one by one.
    const isRow = gap !== JOINT && ((isNumbers && gap !== LINK) || this.#abbreviation.length > 1)
    if (this.#chain.length === 0) this.#chain = [this.#before]
    if (!isRow) {
      const most = (gap === JOINT ? JOINT_CHAIN_MAX : LINK_CHAIN_MAX) - 1
      let joined = word
      for (let back = 0; back < Math.min(most, this.#chain.length); back++) {
        joined = this.#chain[back] + joined
        // 9-1-1 and 24/7, but no 1/2 and no 2019-2020.
        if (isNumbers && gap === LINK && joined.length !== NUMBERS_JOINED_LENGTH) continue
        this.put(joined, this.#position - 1 - back, back + 2, JOINED)
      }
    }
    this.#chain.unshift(word)
    if (this.#chain.length > JOINT_CHAIN_MAX) this.#chain.pop()
  }

  /** `daddy s`, `x men`, `wall.e`, `web dl`: typed apart, or by those who name files. */
  #joinLoosely(word: string, kind: number, gap: number, flags: number, end: number, isLinked: boolean): void {
    if (gap !== SPACE && gap !== DOT && gap !== LINK) return
    const before = this.#before
    const position = this.#position
    if ((this.#beforeFlags & BEGINS_PAIR) !== 0 && isPair(before, word)) {
      this.put(before + word, position - 1, 2, JOINED)
      return
    }
    if (gap === LINK || this.#beforeKind === MIXED || kind === MIXED) return
    const isTail = word.length === 1 || (flags & IS_TAIL) !== 0 || (this.#beforeKind === DIGITS && isUnit(word))
    if (isTail && kind === LETTERS) {
      const isApart = isOwnWord(word) || this.#isAbbreviationAhead(end) || this.#abbreviation.length > 1
      if (this.#beforeKind === LETTERS ? before.length > 1 && !isApart : isUnit(word)) {
        this.put(before + word, position - 1, 2, JOINED)
        if (word === 's' || word === 't') this.#endingAt = position
      }
      return
    }
    if (before.length > 1 || this.#beforeKind !== LETTERS || isOwnWord(before) || isLinked) return
    if (this.#abbreviation.end === position || this.#endingAt === position - 1 || CODECS.has(before + word)) return
    if (kind === LETTERS || (word.length <= 3 && before !== 's' && before !== 'e' && before !== 'v'))
      this.put(before + word, position - 1, 2, JOINED)
  }

  #isAbbreviationAhead(end: number): boolean {
    const text = this.#text
    if (end + 1 >= text.length || this.#isWordAt(end)) return false
    const letter = text.charAt(end - 1)
    // H.264
    if ((letter === 'h' || letter === 'x') && classAt(text, end + 1) === DIGIT) return true
    if (classAt(text, end) === SPACE || classAt(text, end + 1) !== LETTER) return false
    return end + 2 >= text.length || classAt(text, end + 2) !== LETTER
  }

  /** 12,000 is 12000. */
  #group(digits: string, gap: number): void {
    if (digits.length === 3 && this.#groups > 0 && (gap === COMMA || gap === DOT)) {
      this.#grouped += digits
      this.#groups += 1
      this.put(this.#grouped, this.#position + 1 - this.#groups, this.#groups, gap === COMMA ? NAME : JOINED)
      return
    }
    this.#grouped = digits
    this.#groups = digits.length <= 3 ? 1 : 0
  }

  // Scripts without spaces.

  /** @returns where it ends */
  #readRun(start: number): number {
    const text = this.#text
    this.#abbreviation.finish()
    this.#isRunGap = this.#isNarrow(start)
    let count = 0
    let end = start
    let before = ''
    while (end < text.length && classAt(text, end) === PAIRED) {
      let next = end + unitsAt(text, end)
      while (next < text.length && classAt(text, next) === MARK) next += unitsAt(text, next)
      const character = text.slice(end, next)
      if (count === 0) this.#endRun(character)
      else this.#emit(before + character, this.#position - 1, 1, count === 1 ? PLAIN : LINKED)
      this.#position += 1
      count += 1
      before = character
      end = next
    }
    this.#last = before
    this.#isLastAlone = count === 1
    this.#before = ''
    this.#beforeKind = 0
    this.#beforeFlags = 0
    this.#beforeEnd = end
    this.#groups = 0
    return end
  }

  /** One or two units that divide words, and no more. */
  #isNarrow(start: number): boolean {
    return start - this.#beforeEnd <= 2 && start > this.#beforeEnd
  }

  /** Its last character, alone or with the first of the next run. */
  #endRun(first = ''): void {
    const last = this.#last
    if (last === '') return
    this.#last = ''
    const position = this.#position - 1
    const isBridged = first !== '' && this.#isRunGap
    if (isBridged) this.#emit(last + first, position, 1, BRIDGE)
    if (this.#isLastAlone) this.#emit(last, position, 1, isBridged ? ALONE_BRIDGED : ALONE)
    else if (!isBridged) this.#emit(last, position, 1, LAST)
  }
}

function isNumber(word: string, from: number): boolean {
  for (let index = from; index < word.length; index++) if ((word.charCodeAt(index) - 48) >>> 0 > 9) return false
  return word.length > from
}

function cut(word: string): string {
  if (word.length <= WORD_LENGTH_MAX) return word
  const last = word.charCodeAt(WORD_LENGTH_MAX - 1)
  return word.slice(0, last >= 0xd800 && last <= 0xdbff ? WORD_LENGTH_MAX - 1 : WORD_LENGTH_MAX)
}

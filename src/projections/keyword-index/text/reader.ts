import { Abbreviation } from './abbreviation.ts'
import { audioCodecOf, CODECS, COMES_AFTER, episodeNameOf, flagsOf, IS_CODEC, IS_RELEASE } from './aliases.ts'
import { AMPERSAND, ASCII, classAt, DIGIT, DOT, isAscii, LETTER, MARK, PAIRED, SPACE, SYMBOL, unitsAt } from './characters.ts'
import { Compounds } from './compounds.ts'
import { Episodes } from './episodes.ts'
import { fold, hasUmlaut, spellings } from './fold.ts'
import { PairedRuns } from './paired-runs.ts'
import { isNetName, programmingNameAt } from './programming-names.ts'
import {
  DASH,
  DIGITS,
  DOT_SPACE,
  type Emit,
  IMPLIED,
  JOINED,
  LETTERS,
  LINKED,
  MIXED,
  NAME,
  NONE,
  type Piece,
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

/** Takes one text apart. */
export class Reader implements Words {
  readonly #text: string
  readonly #emit: Emit
  readonly #hasUmlaut: boolean
  #position = 0
  #further = 0
  #before: Piece = { word: '', kind: 0, flags: 0, end: -1 }

  readonly #episodes: Episodes
  readonly #abbreviation: Abbreviation
  readonly #compounds: Compounds
  readonly #runs: PairedRuns

  constructor(text: string, emit: Emit) {
    const isPlain = isAscii(text)
    this.#text = isPlain ? text.toLowerCase() : fold(text)
    this.#emit = emit
    this.#hasUmlaut = !isPlain && hasUmlaut(this.#text)
    this.#episodes = new Episodes(this)
    this.#abbreviation = new Abbreviation(this)
    this.#compounds = new Compounds(this.#text, this, this.#abbreviation)
    this.#runs = new PairedRuns(this)
  }

  /** Tells all words. @returns the number of pieces */
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
    this.#runs.finish()
    return this.#position
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

  /** @returns where it ends, as the others below */
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
    this.#runs.finish()
    const word = text.slice(start, end)
    return kind === LETTERS ? this.#letters(word, start, end) : this.#digits(word, kind, start, end)
  }

  #readRun(start: number): number {
    this.#abbreviation.finish()
    const apart = start - this.#before.end
    const { end, length } = this.#runs.read(this.#text, start, this.#position, apart > 0 && apart <= 2)
    this.#position += length - 1
    this.#pass('', 0, 0, end)
    return end
  }

  #readSymbol(index: number, found: number): void {
    this.#abbreviation.finish()
    this.#runs.finish()
    if (found === AMPERSAND) this.#episodes.passOver(this.#position)
    const end = index + unitsAt(this.#text, index)
    this.put(found === AMPERSAND ? 'and' : this.#text.slice(index, end), this.#position, 1, PLAIN)
    this.#pass('', 0, 0, end)
  }

  #gapBefore(start: number): number {
    const { end } = this.#before
    if (end < 0 || end === start) return NONE
    if (start - end === 1) return classAt(this.#text, end)
    return start - end === 2 && classAt(this.#text, end) === DOT && classAt(this.#text, end + 1) === SPACE ? DOT_SPACE : WIDE
  }

  #letters(word: string, start: number, end: number): number {
    const position = this.#position
    const special = programmingNameAt(this.#text, word, start, end)
    if (special !== undefined) {
      this.#abbreviation.finish()
      this.put(special.name, position, 1, PLAIN)
      return this.#pass('', 0, 0, special.end)
    }
    const gap = this.#gapBefore(start)
    const sign = this.#text.charCodeAt(end)
    if (word.length === 1) this.#abbreviation.letter(word, position, gap, sign === 0x2e)
    else if (this.#abbreviation.length > 0) this.#abbreviation.finish()
    if (sign === 0x2b) {
      // DD+ is DDP; of Notepad++ both are words.
      if (this.#text.charCodeAt(end + 1) === 0x2b) this.put(`${word}++`, position, 1, IMPLIED)
      else if (word === 'dd') {
        this.put('ddp', position, 1, PLAIN)
        this.put(word, position, 1, IMPLIED)
        return this.#pass('ddp', LETTERS, IS_RELEASE, end)
      }
    }
    const flags = flagsOf(word)
    if ((flags & IS_CODEC) !== 0) return this.#codec(word, flags, end)
    if (word === 'net' && isNetName(this.#before.word)) this.put('.net', position, 1, IMPLIED)
    if ((flags & COMES_AFTER) !== 0 && this.#before.kind === DIGITS && gap !== WIDE)
      this.#episodes.numberedBefore(this.#before.word, flags, position)
    return this.#plain({ word, kind: LETTERS, flags, end }, gap)
  }

  #digits(word: string, kind: number, start: number, end: number): number {
    const position = this.#position
    const gap = this.#gapBefore(start)
    if (this.#abbreviation.length > 0) this.#abbreviation.finish()
    if (kind === DIGITS) {
      this.#number(word, gap)
      return this.#plain({ word, kind, flags: 0, end }, gap)
    }
    const flags = flagsOf(word)
    if ((flags & IS_CODEC) !== 0) return this.#codec(word, flags, end)
    const named = episodeNameOf(word)
    if (named !== undefined) {
      this.#position = this.#episodes.named(named, position, gap)
      return this.#pass('', 0, 0, end)
    }
    const codec = this.#text.charCodeAt(end) === 0x2e && isDigitAt(this.#text, end + 1) ? audioCodecOf(word) : undefined
    if (codec !== undefined) {
      this.put(codec, position, 1, PLAIN)
      // Without its channels it is a word like any other, of whatever script: `ma4` is `må4`.
      this.put(word, position, 1, IMPLIED)
      this.#position += 1
      this.put(word.slice(-1), position + 1, 1, PLAIN)
      return this.#pass(word.slice(-1), DIGITS, 0, end)
    }
    return isVersion(word) ? this.#version(word, end) : this.#plain({ word, kind, flags, end }, gap)
  }

  /** A word that stands for itself, and with others for more. */
  #plain(piece: Piece, gap: number): number {
    const isLinked = this.#compounds.isLinked(this.#before, piece, gap)
    this.put(piece.word, this.#position, 1, isLinked ? LINKED : PLAIN)
    this.#compounds.add(this.#before, piece, gap, this.#position, isLinked)
    this.#before = piece
    this.#position += 1
    return piece.end
  }

  /** Goes on behind what is no part of a compound. */
  #pass(word: string, kind: number, flags: number, end: number): number {
    this.#compounds.reset()
    this.#before = { word, kind, flags, end }
    this.#position += 1
    return end
  }

  #codec(word: string, flags: number, end: number): number {
    this.put(CODECS.get(word) ?? word, this.#position, 1, PLAIN)
    return this.#pass(word, MIXED, flags | IS_RELEASE, end)
  }

  /** Of v1.2.3 the numbers count, v or not. */
  #version(word: string, end: number): number {
    const digits = word.slice(1)
    const isLong = this.#text.charCodeAt(end) === 0x2e && isDigitAt(this.#text, end + 1)
    this.put(digits, this.#position, 1, isLong ? PLAIN : IMPLIED)
    this.put(word, this.#position, 1, isLong ? IMPLIED : PLAIN)
    return this.#pass(digits, isLong ? DIGITS : MIXED, 0, end)
  }

  #number(digits: string, gap: number): void {
    const { word, flags, end } = this.#before
    const codec = digits.length === 3 ? CODECS.get(word + digits) : undefined
    if (codec !== undefined) {
      this.put(codec, this.#position - 1, 2, NAME)
      return
    }
    const isDash = gap === WIDE && this.#text.startsWith(` - ${digits}`, end)
    this.#episodes.numbered(digits, flags, this.#position, isDash ? DASH : gap)
  }
}

const isDigitAt = (text: string, index: number): boolean => (text.charCodeAt(index) - 48) >>> 0 <= 9

function isVersion(word: string): boolean {
  if (word.charCodeAt(0) !== 0x76) return false
  for (let index = 1; index < word.length; index++) if (!isDigitAt(word, index)) return false
  return true
}

function cut(word: string): string {
  if (word.length <= WORD_LENGTH_MAX) return word
  const last = word.charCodeAt(WORD_LENGTH_MAX - 1)
  return word.slice(0, last >= 0xd800 && last <= 0xdbff ? WORD_LENGTH_MAX - 1 : WORD_LENGTH_MAX)
}

import { DOT, LINK, SPACE } from './characters.ts'
import { DOT_SPACE, IMPLIED, JOINED, NAME, type Words } from './words.ts'

/** Longer ones are rows of letters. */
const LETTERS_MAX = 16

/** Single letters in a row: S.H.I.E.L.D., M*A*S*H, J. R. R., or with nothing but spaces. */
export class Abbreviation {
  readonly #words: Words
  #letters = ''
  #at = 0
  /** With dots and the like between the letters, not spaces. */
  #isTight = false
  /** The piece after the last one of two letters and more. */
  end = -1

  constructor(words: Words) {
    this.#words = words
  }

  /** Letters so far. */
  get length(): number {
    return this.#letters.length
  }

  /** `hasDot`: another dot stands after the letter. */
  letter(letter: string, position: number, gap: number, hasDot: boolean): void {
    // `J. R. R.` is one as long as another dot follows; `P.S. I` is not.
    const isTight = gap === DOT || gap === LINK || (gap === DOT_SPACE && hasDot)
    const { length } = this.#letters
    const goesOn = length > 0 && length < LETTERS_MAX && (isTight || gap === SPACE)
    if (goesOn && (length === 1 || isTight === this.#isTight)) {
      this.#letters += letter
      this.#isTight = isTight
      return
    }
    this.finish()
    this.#letters = letter
    this.#at = position
  }

  finish(): void {
    const letters = this.#letters
    const isTight = this.#isTight
    this.#letters = ''
    this.#isTight = false
    if (letters.length < 2) return
    this.end = this.#at + letters.length
    if (letters.length === 2 && !isTight) return
    const isName = isTight && letters.length > 2
    this.#words.put(letters, this.#at, letters.length, isName ? NAME : JOINED)
    // P.S.I.Love.You: the last letter may be a word.
    if (isName) this.#words.put(letters.slice(0, -1), this.#at, letters.length - 1, IMPLIED)
  }
}

import { classAt, MARK, PAIRED, unitsAt } from './characters.ts'
import { ALONE, ALONE_BRIDGED, BRIDGE, LAST, LINKED, PLAIN, type Words } from './words.ts'

/**
 * Runs of characters of scripts that are written without spaces between words: each pair of them is a word, and the last
 * character alone, so that every character begins some word and can be found as a beginning.
 */
export class PairedRuns {
  readonly #words: Words
  /** The last character of the run that ended here: what it is depends on what comes. */
  #last = ''
  #lastAt = 0
  #isAlone = false

  constructor(words: Words) {
    this.#words = words
  }

  /**
   * Reads the run that begins at `start`; its characters have positions from `position` on. `isNear`: no more than one or two units
   * that divide words are between it and the run before.
   * @returns where it ends, and how many characters it has
   */
  read(text: string, start: number, position: number, isNear: boolean): { end: number; length: number } {
    let length = 0
    let end = start
    let before = ''
    while (end < text.length && classAt(text, end) === PAIRED) {
      let next = end + unitsAt(text, end)
      while (next < text.length && classAt(text, next) === MARK) next += unitsAt(text, next)
      const character = text.slice(end, next)
      if (length === 0) this.finish(isNear ? character : '')
      else this.#words.put(before + character, position + length - 1, 1, length === 1 ? PLAIN : LINKED)
      length += 1
      before = character
      end = next
    }
    this.#last = before
    this.#lastAt = position + length - 1
    this.#isAlone = length === 1
    return { end, length }
  }

  /** Tells the last character, alone or with the first of the next run. */
  finish(first = ''): void {
    const last = this.#last
    if (last === '') return
    this.#last = ''
    const isBridged = first !== ''
    if (isBridged) this.#words.put(last + first, this.#lastAt, 1, BRIDGE)
    if (this.#isAlone) this.#words.put(last, this.#lastAt, 1, isBridged ? ALONE_BRIDGED : ALONE)
    else if (!isBridged) this.#words.put(last, this.#lastAt, 1, LAST)
  }
}

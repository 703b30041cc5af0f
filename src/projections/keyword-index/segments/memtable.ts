import { compareEntries, type Entry } from './entries.ts'

export type ListedEntry = Entry & { readonly words: readonly string[] }

/** Beginnings of words that have lists of their own, in UTF-16 units. */
export const PREFIX_LENGTH_MAX = 5
/** The best documents of a beginning that are listed. */
export const PREFIX_POSTINGS_MAX = 128

/** Documents that were listed since the last segment was written, in memory. Lists are in the order of their rank at any time. */
export class Memtable {
  readonly #lists = new Map<string, ListedEntry[]>()
  /** Words by their first unit. */
  readonly #words = new Map<string, string[]>()
  readonly #latest = new Map<number, ListedEntry>()
  /** Listings, those that were listed anew since among them. */
  size = 0

  enter(entry: ListedEntry): void {
    this.size += 1
    this.#latest.set(entry.ordinal, entry)
    for (const word of entry.words) {
      const list = this.#lists.get(word)
      if (list === undefined) {
        this.#lists.set(word, [entry])
        const first = word.slice(0, 1)
        const words = this.#words.get(first)
        if (words === undefined) this.#words.set(first, [word])
        else words.push(word)
      } else list.splice(placeIn(list, entry), 0, entry)
    }
  }

  list(word: string): readonly ListedEntry[] {
    return this.#lists.get(word) ?? []
  }

  *wordsWith(beginning: string): Generator<{ readonly term: string; readonly count: number }> {
    for (const term of this.#words.get(beginning.slice(0, 1)) ?? [])
      if (term.startsWith(beginning)) yield { term, count: this.list(term).length }
  }

  get wordCount(): number {
    return this.#lists.size
  }

  /** Every word, in no order. */
  words(): Iterable<string> {
    return this.#lists.keys()
  }

  /** The last listing of each document, in the order of their rank. */
  ranked(): ListedEntry[] {
    return [...this.#latest.values()].sort(compareEntries)
  }
}

function placeIn(list: readonly ListedEntry[], entry: ListedEntry): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareEntries(list[middle] as ListedEntry, entry) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Beginnings of a word that have lists of their own; none that ends within a character. */
export function* beginningsOf(word: string): Generator<string> {
  for (let length = 1; length <= Math.min(PREFIX_LENGTH_MAX, word.length); length++) {
    const unit = word.charCodeAt(length - 1)
    if (unit < 0xd800 || unit > 0xdbff) yield word.slice(0, length)
  }
}

import { compareEntries, type Entry } from './entries.ts'

export type ListedEntry = Entry & { readonly words: readonly string[] }

/** Beginnings of words that have lists of their own, in UTF-16 units. */
export const PREFIX_LENGTH_MAX = 5
/** The best documents of a beginning that are listed. */
export const PREFIX_POSTINGS_MAX = 128

/** Documents of one word; put in order when somebody asks for them, since most are not asked for before they are written. */
type WordList = { readonly entries: ListedEntry[]; isInOrder: boolean }

/** Documents that were listed since the last segment was written, in memory. */
export class Memtable {
  readonly #lists = new Map<string, WordList>()
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
        this.#lists.set(word, { entries: [entry], isInOrder: true })
        const first = word.slice(0, 1)
        const words = this.#words.get(first)
        if (words === undefined) this.#words.set(first, [word])
        else words.push(word)
        continue
      }
      const last = list.entries[list.entries.length - 1]
      if (last !== undefined && compareEntries(last, entry) > 0) list.isInOrder = false
      list.entries.push(entry)
    }
  }

  /** In the order of their rank. */
  list(word: string): readonly ListedEntry[] {
    const list = this.#lists.get(word)
    if (list === undefined) return []
    // Mostly a few came since: what is in order already costs next to nothing.
    if (!list.isInOrder) list.entries.sort(compareEntries)
    list.isInOrder = true
    return list.entries
  }

  count(word: string): number {
    return this.#lists.get(word)?.entries.length ?? 0
  }

  *wordsWith(beginning: string): Generator<{ readonly term: string; readonly count: number }> {
    for (const term of this.#words.get(beginning.slice(0, 1)) ?? [])
      if (term.startsWith(beginning)) yield { term, count: this.count(term) }
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

/** Beginnings of a word that have lists of their own; none that ends within a character. */
export function* beginningsOf(word: string): Generator<string> {
  for (let length = 1; length <= Math.min(PREFIX_LENGTH_MAX, word.length); length++) {
    const unit = word.charCodeAt(length - 1)
    if (unit < 0xd800 || unit > 0xdbff) yield word.slice(0, length)
  }
}

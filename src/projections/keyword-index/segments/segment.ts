import { ByteReader } from '../../bytes.ts'
import type { RowTable } from '../../row-table.ts'
import type { BlockCache } from './block-cache.ts'
import { ENTRIES_A_ROW, type Entry, readEntry } from './entries.ts'
import { PostingCursor, type PostingHead, readHead, readPlaces } from './postings.ts'
import { type Dictionary, entriesKey, firstTermsKey, postingsKey, termsKey } from './segment-keys.ts'

/** What is noted of a segment where all are listed. */
export type SegmentMark = { readonly number: number; readonly entries: number; readonly words: number }

/** Words with their lists, in one row. */
type TermBlock = { readonly terms: readonly string[]; readonly starts: Uint32Array; readonly bytes: Uint8Array }

/** Documents in the order of their rank when it was written, and the words they are listed under. It never changes. */
export class Segment {
  readonly mark: SegmentMark
  readonly #rows: Pick<RowTable, 'need'>
  readonly #cache: BlockCache
  readonly #firstTerms: { [D in Dictionary]?: readonly string[] } = {}

  constructor(mark: SegmentMark, rows: Pick<RowTable, 'need'>, cache: BlockCache) {
    this.mark = mark
    this.#rows = rows
    this.#cache = cache
  }

  entry(place: number): Entry {
    const key = entriesKey(this.mark.number, Math.floor(place / ENTRIES_A_ROW))
    const row = this.#cache.get(key, () => {
      const bytes = this.#rows.need(key)
      // A row may stand at an odd place in memory: DataView reads there too.
      return { block: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), bytes: bytes.length }
    })
    return readEntry(row, place % ENTRIES_A_ROW)
  }

  /** The list of a word or a prefix; undefined if no document has it. */
  list(dictionary: Dictionary, term: string): PostingHead | undefined {
    const index = this.#blockOf(dictionary, term)
    if (index < 0) return undefined
    const block = this.#block(dictionary, index)
    const at = firstAtOrAfter(block.terms, term)
    if (block.terms[at] !== term) return undefined
    return readHead(new ByteReader(block.bytes, block.starts[at]))
  }

  /** How many documents have a word here, those listed anew elsewhere among them. */
  count(term: string): number {
    const index = this.#blockOf('w', term)
    if (index < 0) return 0
    const block = this.#block('w', index)
    const at = firstAtOrAfter(block.terms, term)
    return block.terms[at] === term ? new ByteReader(block.bytes, block.starts[at]).number() : 0
  }

  cursor(list: PostingHead): PostingCursor {
    return new PostingCursor(list, this.loadRow)
  }

  /** The places of a row of the rest of a list. */
  readonly loadRow = (row: number, count: number): Uint32Array => {
    const key = postingsKey(this.mark.number, row)
    return this.#cache.get(key, () => ({ block: readPlaces(new ByteReader(this.#rows.need(key)), count), bytes: 4 * count }))
  };

  /** Words (or prefixes) that begin with `beginning`, ascending, with the number of their documents. */
  *terms(dictionary: Dictionary, beginning = ''): Generator<{ readonly term: string; readonly count: number }> {
    for (const { term, block, at } of this.#walk(dictionary, beginning)) {
      if (!term.startsWith(beginning)) return
      yield { term, count: new ByteReader(block.bytes, block.starts[at]).number() }
    }
  }

  /** Every word (or prefix) with its list, ascending. */
  *lists(dictionary: Dictionary): Generator<{ readonly term: string; readonly list: PostingHead }> {
    for (const { term, block, at } of this.#walk(dictionary, '')) {
      yield { term, list: readHead(new ByteReader(block.bytes, block.starts[at])) }
    }
  }

  *#walk(dictionary: Dictionary, from: string): Generator<{ term: string; block: TermBlock; at: number }> {
    const blocks = this.#terms(dictionary).length
    let index = Math.max(0, this.#blockOf(dictionary, from))
    let at = index < blocks ? firstAtOrAfter(this.#block(dictionary, index).terms, from) : 0
    for (; index < blocks; index++, at = 0) {
      const block = this.#block(dictionary, index)
      for (; at < block.terms.length; at++) yield { term: block.terms[at] as string, block, at }
    }
  }

  /** The last block that begins at or before the term; -1 if none does. */
  #blockOf(dictionary: Dictionary, term: string): number {
    const terms = this.#terms(dictionary)
    const at = firstAtOrAfter(terms, term)
    return terms[at] === term ? at : at - 1
  }

  #terms(dictionary: Dictionary): readonly string[] {
    const known = this.#firstTerms[dictionary]
    if (known !== undefined) return known
    const reader = new ByteReader(this.#rows.need(firstTermsKey(this.mark.number, dictionary)))
    const terms: string[] = []
    while (!reader.isAtEnd) terms.push(reader.text())
    this.#firstTerms[dictionary] = terms
    return terms
  }

  #block(dictionary: Dictionary, index: number): TermBlock {
    const key = termsKey(this.mark.number, dictionary, index)
    return this.#cache.get(key, () => {
      const bytes = this.#rows.need(key)
      const reader = new ByteReader(bytes)
      const terms: string[] = []
      const starts: number[] = []
      while (!reader.isAtEnd) {
        terms.push(reader.text())
        const length = reader.number()
        starts.push(reader.at)
        reader.at += length
      }
      // A short string takes some 32 bytes.
      return { block: { terms, starts: Uint32Array.from(starts), bytes }, bytes: bytes.length + 40 * terms.length }
    })
  }
}

function firstAtOrAfter(terms: readonly string[], term: string): number {
  let low = 0
  let high = terms.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((terms[middle] as string) < term) low = middle + 1
    else high = middle
  }
  return low
}

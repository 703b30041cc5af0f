import { ByteWriter } from '../../bytes.ts'
import type { TableRow } from '../../row-table.ts'
import { ENTRIES_A_ROW, ENTRY_BYTES, type Entry, writeEntry } from './entries.ts'
import { HEAD_POSTINGS, ROW_POSTINGS, restRows, writePlaces } from './postings.ts'
import type { SegmentMark } from './segment.ts'
import { type Dictionary, entriesKey, firstTermsKey, postingsKey, termsKey } from './segment-keys.ts'

/** Bytes of a row of words: what a search decodes to find one. */
const BLOCK_BYTES = 2048

/** Rows of a long list between two yields: some 16,000 places. */
const ROWS_A_STEP = 32

/** Words go to one dictionary and prefixes to the other, each in ascending order. */
class TermWriter {
  readonly #segment: number
  readonly #dictionary: Dictionary
  readonly #put: (row: TableRow) => void
  readonly #block = new ByteWriter(2 * BLOCK_BYTES)
  readonly #list = new ByteWriter()
  readonly #firstTerms = new ByteWriter()
  #blocks = 0
  count = 0

  /** @param put takes a row that is complete */
  constructor(segment: number, dictionary: Dictionary, put: (row: TableRow) => void) {
    this.#segment = segment
    this.#put = put
    this.#dictionary = dictionary
  }

  /** Yields now and then while it writes a long list. */
  *add(
    term: string,
    places: ArrayLike<number>,
    nextRow: (places: ArrayLike<number>, from: number, to: number) => number,
  ): Generator<void> {
    const count = places.length
    if (this.#block.length === 0) this.#firstTerms.text(term)
    const list = this.#list
    list.clear()
    list.number(count)
    writePlaces(list, places, 0, Math.min(count, HEAD_POSTINGS))
    const rest = restRows(count)
    let before = 0
    for (let row = 0; row < rest; row++) {
      const from = HEAD_POSTINGS + row * ROW_POSTINGS
      const number = nextRow(places, from, Math.min(count, from + ROW_POSTINGS))
      if (row === 0) list.number(number)
      const first = places[from] as number
      list.number(first - before)
      before = first
      if (row % ROWS_A_STEP === ROWS_A_STEP - 1) yield
    }
    this.#block.text(term)
    this.#block.number(list.length)
    this.#block.raw(list.view())
    this.count += 1
    if (this.#block.length >= BLOCK_BYTES) this.#end()
  }

  #end(): void {
    if (this.#block.length === 0) return
    this.#put([termsKey(this.#segment, this.#dictionary, this.#blocks++), this.#block.take()])
    this.#block.clear()
  }

  finish(): void {
    this.#end()
    this.#put([firstTermsKey(this.#segment, this.#dictionary), this.#firstTerms.take()])
  }
}

/**
 * Makes the rows of a segment: entries in the order of their rank, then words and prefixes, each in ascending order, with
 * the places of their documents. `takeRows` empties what has come together.
 */
export class SegmentWriter {
  readonly #segment: number
  readonly #words: TermWriter
  readonly #prefixes: TermWriter
  readonly #places = new ByteWriter(1024)
  #rows: TableRow[] = []
  // To the rows of now: a list that is written in steps outlives some of them.
  readonly #put = (row: TableRow): void => {
    this.#rows.push(row)
  }
  #entryRow = new DataView(new ArrayBuffer(ENTRIES_A_ROW * ENTRY_BYTES))
  #entries = 0
  #postingRows = 0

  constructor(segment: number) {
    this.#segment = segment
    this.#words = new TermWriter(segment, 'w', this.#put)
    this.#prefixes = new TermWriter(segment, 'e', this.#put)
  }

  entry(entry: Entry): void {
    const index = this.#entries % ENTRIES_A_ROW
    writeEntry(this.#entryRow, index, entry)
    this.#entries += 1
    if (index === ENTRIES_A_ROW - 1) this.#endEntries()
  }

  #endEntries(): void {
    const row = Math.floor((this.#entries - 1) / ENTRIES_A_ROW)
    const count = this.#entries - row * ENTRIES_A_ROW
    this.#put([entriesKey(this.#segment, row), new Uint8Array(this.#entryRow.buffer, 0, count * ENTRY_BYTES)])
    this.#entryRow = new DataView(new ArrayBuffer(ENTRIES_A_ROW * ENTRY_BYTES))
  }

  word(word: string, places: ArrayLike<number>): Generator<void> {
    return this.#words.add(word, places, this.#nextRow)
  }

  prefix(prefix: string, places: ArrayLike<number>): Generator<void> {
    return this.#prefixes.add(prefix, places, this.#nextRow)
  }

  readonly #nextRow = (places: ArrayLike<number>, from: number, to: number): number => {
    this.#places.clear()
    writePlaces(this.#places, places, from, to)
    const row = this.#postingRows++
    this.#put([postingsKey(this.#segment, row), this.#places.take()])
    return row
  }

  /** Rows since the last call. */
  takeRows(): TableRow[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  get rowCount(): number {
    return this.#rows.length
  }

  finish(): SegmentMark {
    if (this.#entries % ENTRIES_A_ROW > 0) this.#endEntries()
    this.#words.finish()
    this.#prefixes.finish()
    return { number: this.#segment, entries: this.#entries, words: this.#words.count }
  }
}

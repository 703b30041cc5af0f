import type { ByteReader, ByteWriter } from '../../bytes.ts'

// Posting lists: the places of a word's documents in a segment, ascending, as differences. The best 128 stand with the word;
// the rest in rows of 512, of which the first places are with the word too, so that a search skips what it does not need.
// Source: the skip lists of Moffat, Zobel, Self-indexing inverted files for fast text retrieval, 1996.

export const HEAD_POSTINGS = 128
export const ROW_POSTINGS = 512
/** Beyond the last place. */
export const END = 0xffffffff

/** What a list says of itself beside its word; `head` is read when it is needed. */
export type PostingHead = {
  readonly count: number
  /** Row of the segment in which the rest begins. */
  readonly firstRow: number
  /** The first place in each row of the rest. */
  readonly firstPlaces: readonly number[]
  readonly head: Uint32Array
}

export function writePlaces(writer: ByteWriter, places: ArrayLike<number>, from: number, to: number): void {
  let before = -1
  for (let index = from; index < to; index++) {
    const place = places[index] as number
    writer.number(place - before - 1)
    before = place
  }
}

export function readPlaces(reader: ByteReader, count: number): Uint32Array {
  const places = new Uint32Array(count)
  let before = -1
  for (let index = 0; index < count; index++) {
    before += reader.number() + 1
    places[index] = before
  }
  return places
}

/** Rows of a list beside its head. */
export const restRows = (count: number): number => Math.max(0, Math.ceil((count - HEAD_POSTINGS) / ROW_POSTINGS))

export function readHead(reader: ByteReader): PostingHead {
  const count = reader.number()
  const head = readPlaces(reader, Math.min(count, HEAD_POSTINGS))
  const rows = restRows(count)
  const firstRow = rows > 0 ? reader.number() : 0
  const firstPlaces: number[] = []
  let before = 0
  for (let row = 0; row < rows; row++) {
    before += reader.number()
    firstPlaces.push(before)
  }
  return { count, firstRow, firstPlaces, head }
}

/** Walks up a list. `loadRow` gives the places of a row of its rest. */
export class PostingCursor {
  readonly #list: PostingHead
  readonly #loadRow: (row: number, count: number) => Uint32Array
  #places: Uint32Array
  #index = 0
  /** Row of the rest that is open; -1: the head. */
  #row = -1

  constructor(list: PostingHead, loadRow: (row: number, count: number) => Uint32Array) {
    this.#list = list
    this.#loadRow = loadRow
    this.#places = list.head
  }

  /** The first place that is not before `place`; calls must ask for ascending places. */
  seek(place: number): number {
    const { firstPlaces } = this.#list
    while (this.#isBehind(place)) {
      if (this.#row + 1 >= firstPlaces.length) return END
      // The last row that begins at or before it.
      let low = this.#row + 1
      let high = firstPlaces.length - 1
      while (low < high) {
        const middle = (low + high + 1) >>> 1
        if ((firstPlaces[middle] as number) <= place) low = middle
        else high = middle - 1
      }
      this.#open(low)
    }
    const places = this.#places
    let low = this.#index
    let high = places.length - 1
    // Mostly the next one or near it.
    if ((places[low] as number) < place) {
      let step = 1
      while (low + step < places.length && (places[low + step] as number) < place) step *= 2
      high = Math.min(high, low + step)
      low += step >> 1
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((places[middle] as number) < place) low = middle + 1
        else high = middle
      }
    }
    this.#index = low
    return places[low] as number
  }

  #isBehind(place: number): boolean {
    const last = this.#places[this.#places.length - 1]
    return last === undefined || last < place
  }

  #open(row: number): void {
    const { count, firstRow } = this.#list
    this.#row = row
    this.#index = 0
    this.#places = this.#loadRow(firstRow + row, Math.min(ROW_POSTINGS, count - HEAD_POSTINGS - row * ROW_POSTINGS))
  }
}

/** All places of a list, in order. */
export function* allPlaces(list: PostingHead, loadRow: (row: number, count: number) => Uint32Array): Generator<Uint32Array> {
  yield list.head
  for (let row = 0; row < list.firstPlaces.length; row++) {
    yield loadRow(list.firstRow + row, Math.min(ROW_POSTINGS, list.count - HEAD_POSTINGS - row * ROW_POSTINGS))
  }
}

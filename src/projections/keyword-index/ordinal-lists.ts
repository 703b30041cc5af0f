import { key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'

/** Ordinals in a row: the last row of a list is written again with every commit that adds to it. */
const ORDINALS_A_ROW = 64

/** Lists of ordinals that only grow, by number, in rows; how long each is its owner knows. What grows is in memory until `flush`. */
export class OrdinalLists {
  readonly #rows: RowTable
  readonly #prefix: string
  readonly #tails = new Map<number, { readonly ordinals: Uint32Array; count: number; isChanged: boolean }>()

  constructor(rows: RowTable, prefix: string) {
    this.#rows = rows
    this.#prefix = prefix
  }

  /** @param length of the list before */
  append(list: number, length: number, ordinal: number): void {
    const row = Math.floor(length / ORDINALS_A_ROW)
    const count = length % ORDINALS_A_ROW
    let tail = this.#tails.get(list)
    if (tail === undefined) {
      tail = { ordinals: new Uint32Array(ORDINALS_A_ROW), count, isChanged: false }
      if (count > 0) tail.ordinals.set(this.#read(list, row))
      this.#tails.set(list, tail)
    }
    tail.ordinals[count] = ordinal
    tail.count = count + 1
    tail.isChanged = true
    if (tail.count < ORDINALS_A_ROW) return
    this.#put(list, row, tail.ordinals)
    this.#tails.delete(list)
  }

  /** @param lengthOf the length of the list, asked again at its end: it may have grown meanwhile */
  *ordinals(list: number, lengthOf: () => number): Generator<number> {
    for (let at = 0; at < lengthOf(); ) {
      const row = Math.floor(at / ORDINALS_A_ROW)
      const isLast = row === Math.floor(lengthOf() / ORDINALS_A_ROW)
      const ordinals = (isLast ? this.#tails.get(list)?.ordinals : undefined) ?? this.#read(list, row)
      const end = Math.min(lengthOf(), (row + 1) * ORDINALS_A_ROW)
      for (; at < end; at++) yield ordinals[at % ORDINALS_A_ROW] as number
    }
  }

  /** Removes a list. @param length of it */
  remove(list: number, length: number): void {
    this.#tails.delete(list)
    for (let row = 0; row < Math.ceil(length / ORDINALS_A_ROW); row++) this.#rows.delete(this.#keyOf(list, row))
  }

  /** @param lengthOf the length of a list now */
  flush(lengthOf: (list: number) => number): void {
    for (const [list, tail] of this.#tails) {
      if (tail.isChanged) {
        const row = Math.floor((lengthOf(list) - 1) / ORDINALS_A_ROW)
        this.#put(list, row, tail.ordinals.subarray(0, tail.count))
      }
      tail.isChanged = false
    }
    // Those that go on growing are read again: no more of them are kept than one commit needs.
    if (this.#tails.size > TAILS_MAX) this.#tails.clear()
  }

  #keyOf(list: number, row: number): string {
    return this.#prefix + key32(list) + key32(row)
  }

  #put(list: number, row: number, ordinals: Uint32Array): void {
    const bytes = new Uint8Array(ordinals.length * 4)
    const view = new DataView(bytes.buffer)
    for (let index = 0; index < ordinals.length; index++) view.setUint32(index * 4, ordinals[index] as number, true)
    this.#rows.put(this.#keyOf(list, row), bytes)
  }

  #read(list: number, row: number): Uint32Array {
    const bytes = this.#rows.get(this.#keyOf(list, row)) ?? new Uint8Array()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return Uint32Array.from({ length: bytes.length >> 2 }, (_, index) => view.getUint32(index * 4, true))
  }
}

const TAILS_MAX = 2048

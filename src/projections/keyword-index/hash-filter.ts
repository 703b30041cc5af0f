import { key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'

/** Bits of a hash that are looked at. */
const BITS = 24
const DIGITS = BITS / 4
/** Bytes of the filter in a row: little enough to be written again for one hash. */
const ROW_BYTES = 1024

const rowKey = (row: number): string => `f${key32(row)}`

/**
 * Which info hashes may be here: one bit for each beginning of 24 bits, two megabytes. Of a million, one in seventeen others is taken for
 * known; none that is here is taken for unknown. Source: Bloom, Space/time trade-offs in hash coding with allowable errors, 1970, with
 * one hash.
 */
export class HashFilter {
  readonly #rows: RowTable
  readonly #bits = new Uint8Array(2 ** BITS / 8)
  readonly #changed = new Set<number>()

  /** @param isStored there are rows of it */
  constructor(rows: RowTable, isStored: boolean) {
    this.#rows = rows
    if (!isStored) return
    for (let row = 0; row < this.#bits.length / ROW_BYTES; row++) {
      const bytes = rows.get(rowKey(row))
      if (bytes !== undefined) this.#bits.set(bytes, row * ROW_BYTES)
    }
  }

  add(infoHash: string): void {
    const bit = bitOf(infoHash)
    this.#bits[bit >> 3] = (this.#bits[bit >> 3] as number) | (1 << (bit & 7))
    this.#changed.add(Math.floor((bit >> 3) / ROW_BYTES))
  }

  mayHave(infoHash: string): boolean {
    const bit = bitOf(infoHash)
    return ((this.#bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }

  flush(): void {
    for (const row of this.#changed) this.#rows.put(rowKey(row), this.#bits.slice(row * ROW_BYTES, (row + 1) * ROW_BYTES))
    this.#changed.clear()
  }
}

const bitOf = (infoHash: string): number => Number.parseInt(infoHash.slice(0, DIGITS), 16)

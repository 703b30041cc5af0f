import { key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'

const SERIALS_A_ROW = 8192

/** Which listings still hold: one bit for each serial. */
export class Serials {
  readonly #rows: RowTable
  readonly #dead: Uint8Array[] = []
  readonly #changed = new Set<number>()
  /** The next one. Serial 0 is no listing. */
  next: number

  constructor(rows: RowTable, next: number) {
    this.#rows = rows
    this.next = next
    for (let row = 0; row * SERIALS_A_ROW < next; row++) {
      const stored = rows.get(`z${key32(row)}`)
      if (stored !== undefined) this.#dead[row] = Uint8Array.from(stored)
    }
  }

  /** A listing holds no more. */
  end(serial: number): void {
    const row = Math.floor(serial / SERIALS_A_ROW)
    const bits = this.#dead[row] ?? new Uint8Array(SERIALS_A_ROW / 8)
    this.#dead[row] = bits
    const bit = serial % SERIALS_A_ROW
    bits[bit >> 3] = (bits[bit >> 3] as number) | (1 << (bit & 7))
    this.#changed.add(row)
  }

  readonly isDead = (serial: number): boolean => {
    const bits = this.#dead[Math.floor(serial / SERIALS_A_ROW)]
    if (bits === undefined) return false
    const bit = serial % SERIALS_A_ROW
    return ((bits[bit >> 3] as number) & (1 << (bit & 7))) !== 0
  }

  flush(): void {
    for (const row of this.#changed) this.#rows.put(`z${key32(row)}`, (this.#dead[row] as Uint8Array).slice())
    this.#changed.clear()
  }
}

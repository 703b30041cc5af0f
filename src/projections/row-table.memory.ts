import { type ByteKey, needed, type StoredTable, type TableRow, WaitingRows } from './row-table.ts'

/** A table that lives as long as the process. */
export class MemoryTable implements StoredTable {
  readonly version: number
  readonly #waiting = new WaitingRows()
  readonly #stored = new Map<ByteKey, Uint8Array>()
  readonly #check: () => void
  #checkpoint = 0

  /** @param check throws where the store is closed */
  constructor(version: number, check: () => void = () => {}) {
    this.version = version
    this.#check = check
  }

  /** The same table as a start finds it: without what was not committed. */
  reopened(): MemoryTable {
    const again = new MemoryTable(this.version, this.#check)
    for (const [key, value] of this.#stored) again.#stored.set(key, value)
    again.#checkpoint = this.#checkpoint
    return again
  }

  get checkpoint(): number {
    return this.#checkpoint
  }

  get(key: ByteKey): Uint8Array | undefined {
    this.#check()
    return this.#waiting.has(key) ? this.#waiting.get(key) : this.#stored.get(key)
  }

  need(key: ByteKey): Uint8Array {
    return needed('a projection', this.get(key))
  }

  put(key: ByteKey, value: Uint8Array): void {
    this.#waiting.set(key, value)
  }

  delete(key: ByteKey): void {
    this.#waiting.set(key, undefined)
  }

  async putApart(rows: readonly TableRow[]): Promise<void> {
    this.#check()
    for (const [key, value] of rows) this.#stored.set(key, value)
  }

  async clear(from: ByteKey, to: ByteKey): Promise<void> {
    this.#check()
    for (const key of this.#stored.keys()) if (key >= from && key < to) this.#stored.delete(key)
  }

  commit(checkpoint: number): Promise<void> {
    return this.#waiting.commit(async (rows) => {
      this.#check()
      for (const [key, value] of rows) {
        if (value === undefined) this.#stored.delete(key)
        else this.#stored.set(key, value)
      }
      this.#checkpoint = checkpoint
    })
  }
}

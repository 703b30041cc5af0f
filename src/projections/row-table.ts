import { ProjectionStoreError } from './projection-store.ts'

/** Keys are byte strings: each UTF-16 unit is one byte, 0 to 255, so that their order is that of the bytes. */
export type ByteKey = string
export type TableRow = readonly [key: ByteKey, value: Uint8Array]

/**
 * Rows of bytes that a projection on disk reads and writes while it folds, in one turn and without a promise. What was put
 * is read at once, and stored by the next commit of its table. Values belong to the table once they were put.
 */
export interface RowTable {
  /** @throws ProjectionStoreError `STORE_DAMAGED` if what is stored is not what was put, `STORE_CLOSED` */
  get(key: ByteKey): Uint8Array | undefined
  /** A row that must be there. @throws ProjectionStoreError as `get`, and `STORE_DAMAGED` if it is not */
  need(key: ByteKey): Uint8Array
  put(key: ByteKey, value: Uint8Array): void
  delete(key: ByteKey): void
  /** Stores rows at once, past those that wait: for rows that nothing names before the next commit. */
  putApart(rows: readonly TableRow[]): Promise<void>
  /** Removes rows from `from` to before `to`, of which no stored row tells any more. Not those that wait. */
  clear(from: ByteKey, to: ByteKey): Promise<void>
}

/** A table in a store, and how far it reaches. */
export interface StoredTable extends RowTable {
  readonly version: number
  /** All events up to this one are in the rows that are stored. */
  readonly checkpoint: number
  /** Stores what waits, and the checkpoint, in one atomic batch; one at a time. What a failed commit carried waits again. */
  commit(checkpoint: number): Promise<void>
}

/** The rows of one table that wait for their commit; undefined: removed. Both adapters keep theirs in it. */
export class WaitingRows {
  #waiting = new Map<ByteKey, Uint8Array | undefined>()
  #committing: Map<ByteKey, Uint8Array | undefined> | undefined

  has(key: ByteKey): boolean {
    return this.#waiting.has(key) || this.#committing?.has(key) === true
  }

  get(key: ByteKey): Uint8Array | undefined {
    return this.#waiting.has(key) ? this.#waiting.get(key) : this.#committing?.get(key)
  }

  set(key: ByteKey, value: Uint8Array | undefined): void {
    this.#waiting.set(key, value)
  }

  /** Hands what waits now to `write`, one commit at a time; what it could not store waits again under what came since. */
  async commit(write: (rows: ReadonlyMap<ByteKey, Uint8Array | undefined>) => Promise<void>): Promise<void> {
    if (this.#committing !== undefined) throw new Error('a commit of this table is under way')
    const going = this.#waiting
    this.#committing = going
    this.#waiting = new Map()
    try {
      await write(going)
    } catch (error) {
      for (const [key, value] of this.#waiting) going.set(key, value)
      this.#waiting = going
      throw error
    } finally {
      this.#committing = undefined
    }
  }
}

/** What `get` gave, for `need`. */
export function needed(name: string, row: Uint8Array | undefined): Uint8Array {
  if (row === undefined) throw damagedTable(name, 'a row is missing')
  return row
}

export const damagedTable = (name: string, reason: string, cause?: unknown): ProjectionStoreError =>
  new ProjectionStoreError({ code: 'STORE_DAMAGED', projection: name, reason }, { cause })

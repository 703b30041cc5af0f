import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Level } from 'level'
import { ProjectionStoreError } from './projection-store.ts'
import { type ByteKey, damagedTable, needed, type StoredTable, type TableRow, WaitingRows } from './row-table.ts'

// LevelDB returns flipped bits as good values: every row carries a checksum of its key and value. Rows stand under the
// table's prefix; the row with the empty key says by which version they were made, and how far they reach.

const SUM_BYTES = 4
/** Rows that are put into a batch before everything else has its turn: some milliseconds. */
const ROWS_A_TURN = 1000
const BINARY = { keyEncoding: 'view', valueEncoding: 'view' } as const
const encoder = new TextEncoder()

/** Where the rows of one table stand: `prefix` is ASCII. */
export type TableArea = { readonly name: string; readonly prefix: string }

type Mark = { readonly version: number; readonly checkpoint: number }

export class LevelTable implements StoredTable {
  readonly version: number
  readonly #database: Level
  readonly #area: TableArea
  readonly #waiting = new WaitingRows()
  #checkpoint: number

  private constructor(database: Level, area: TableArea, { version, checkpoint }: Mark) {
    this.#database = database
    this.#area = area
    this.version = version
    this.#checkpoint = checkpoint
  }

  /** @throws ProjectionStoreError `STORE_DAMAGED`. @returns undefined if nothing was committed to it */
  static stored(database: Level, area: TableArea): LevelTable | undefined {
    const mark = readRow(database, area, '')
    if (mark === undefined) return undefined
    try {
      return new LevelTable(database, area, JSON.parse(new TextDecoder().decode(mark)) as Mark)
    } catch (cause) {
      throw damagedTable(area.name, 'its checkpoint is not readable', cause)
    }
  }

  static empty(database: Level, area: TableArea, version: number): LevelTable {
    return new LevelTable(database, area, { version, checkpoint: 0 })
  }

  get prefix(): string {
    return this.#area.prefix
  }

  get checkpoint(): number {
    return this.#checkpoint
  }

  get(key: ByteKey): Uint8Array | undefined {
    return this.#waiting.has(key) ? this.#waiting.get(key) : readRow(this.#database, this.#area, key)
  }

  need(key: ByteKey): Uint8Array {
    return needed(this.#area.name, this.get(key))
  }

  put(key: ByteKey, value: Uint8Array): void {
    this.#waiting.set(key, value)
  }

  delete(key: ByteKey): void {
    this.#waiting.set(key, undefined)
  }

  async putApart(rows: readonly TableRow[]): Promise<void> {
    await this.#write(new Map(rows))
  }

  async clear(from: ByteKey, to: ByteKey): Promise<void> {
    const { prefix } = this.#area
    await this.#database.clear({ gte: bytesOf(prefix + from), lt: bytesOf(prefix + to), keyEncoding: 'view' })
  }

  commit(checkpoint: number): Promise<void> {
    return this.#waiting.commit(async (rows) => {
      const mark: Mark = { version: this.version, checkpoint }
      await this.#write(rows, encoder.encode(JSON.stringify(mark)))
      this.#checkpoint = checkpoint
    })
  }

  async #write(rows: ReadonlyMap<ByteKey, Uint8Array | undefined>, mark?: Uint8Array): Promise<void> {
    if (this.#database.status !== 'open') throw new ProjectionStoreError({ code: 'STORE_CLOSED' })
    const batch = this.#database.batch()
    const { prefix } = this.#area
    let steps = 0
    for (const [key, value] of rows) {
      if (++steps % ROWS_A_TURN === 0) await setImmediate()
      const full = bytesOf(prefix + key)
      if (value === undefined) batch.del(full as never, BINARY)
      else batch.put(full as never, summed(full, value) as never, BINARY)
    }
    if (mark !== undefined) {
      const full = bytesOf(prefix)
      batch.put(full as never, summed(full, mark) as never, BINARY)
    }
    await batch.write()
  }
}

const bytesOf = (key: ByteKey): Uint8Array => Buffer.from(key, 'latin1')

function summed(key: Uint8Array, value: Uint8Array): Uint8Array {
  const row = Buffer.allocUnsafe(value.length + SUM_BYTES)
  row.set(value)
  row.writeUInt32LE(crc32(value, crc32(key)), value.length)
  return row
}

function readRow(database: Level, { name, prefix }: TableArea, key: ByteKey): Uint8Array | undefined {
  if (database.status !== 'open') throw new ProjectionStoreError({ code: 'STORE_CLOSED' })
  const full = bytesOf(prefix + key)
  let row: Uint8Array | undefined
  try {
    row = database.getSync<Uint8Array, Uint8Array>(full, BINARY)
  } catch (cause) {
    throw damagedTable(name, 'it cannot be read', cause)
  }
  if (row === undefined) return undefined
  const length = row.length - SUM_BYTES
  const value = row.subarray(0, length)
  if (length < 0 || Buffer.from(row.buffer, row.byteOffset, row.length).readUInt32LE(length) !== crc32(value, crc32(full)))
    throw damagedTable(name, 'a row is not what was written')
  return value
}

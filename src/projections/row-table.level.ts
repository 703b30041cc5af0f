import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Level } from 'level'
import { ProjectionStoreError } from './projection-store.ts'
import { type ByteKey, damagedTable, needed, type StoredTable, type TableRow, WaitingRows } from './row-table.ts'

// LevelDB returns flipped bits as good values: every row carries a checksum of its key and value. Rows stand under the
// table's prefix; the row with the empty key says by which version they were made, and how far they reach.

const SUM_BYTES = 4
/** Rows that are put into a batch between two looks at the clock, and how long everything else waits for its turn meanwhile, ms. */
const ROWS_A_LOOK = 64
const TURN_MS = 8
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
    const scratch = new Scratch()
    let steps = 0
    let begun = performance.now()
    for (const [key, value] of rows) {
      if (++steps % ROWS_A_LOOK === 0 && performance.now() - begun > TURN_MS) {
        await setImmediate()
        begun = performance.now()
      }
      if (value === undefined) batch.del(bytesOf(prefix + key) as never, BINARY)
      else {
        const row = scratch.row(prefix + key, value)
        batch.put(row.key as never, row.value as never, BINARY)
      }
    }
    if (mark !== undefined) {
      const row = scratch.row(prefix, mark)
      batch.put(row.key as never, row.value as never, BINARY)
    }
    await batch.write()
  }
}

const bytesOf = (key: ByteKey): Uint8Array => Buffer.from(key, 'latin1')

/**
 * Key and value of one row at a time in the same memory: a batch copies what it is given, and a buffer for each row is what makes the
 * collector run.
 */
class Scratch {
  #bytes = Buffer.allocUnsafe(16 * 1024)

  /** What it returns holds until the next call. */
  row(key: ByteKey, value: Uint8Array): { key: Uint8Array; value: Uint8Array } {
    const end = key.length + value.length
    if (end + SUM_BYTES > this.#bytes.length) this.#bytes = Buffer.allocUnsafe(2 * (end + SUM_BYTES))
    const bytes = this.#bytes
    bytes.write(key, 0, 'latin1')
    bytes.set(value, key.length)
    bytes.writeUInt32LE(crc32(value, crc32(bytes.subarray(0, key.length))), end)
    return { key: bytes.subarray(0, key.length), value: bytes.subarray(key.length, end + SUM_BYTES) }
  }
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

import type { Level } from 'level'
import type { Row } from './projection.ts'
import { compareKeys } from './projection-store.ts'
import { stringHash } from './string-hash.ts'

/** A range of keys, `end` exclusive. Rows stand under `prefix`. */
export type Area = { readonly prefix: string; readonly end: string }

/** What stands beside rows: by which version, how far, and what they add up to. */
export type StoreRecord = {
  readonly version: number
  readonly checkpoint: number
  readonly rows: number
  readonly sum: string
  readonly generation?: number
}

type Moment = ReturnType<Level['snapshot']>

const ROWS_PER_BATCH = 1000
const READ_AHEAD_BYTES = 1024 * 1024

export const rowHash = (key: string, value: string): number => stringHash(`${key}\0${value}`)

/** @throws SyntaxError if it is no record */
export function parseRecord(text: string): StoreRecord {
  const { version, checkpoint, rows, sum, generation = 0 } = JSON.parse(text) as Partial<StoreRecord>
  const numbers = [version, checkpoint, rows, generation].every((value) => Number.isSafeInteger(value))
  if (!numbers || typeof sum !== 'string') throw new SyntaxError('not a checkpoint')
  return { version, checkpoint, rows, sum, generation } as StoreRecord
}

export function addUp(rows: Iterable<Row>): { hashes: Map<string, number>; sum: bigint } {
  const hashes = new Map<string, number>()
  let sum = 0n
  for (const [key, value] of rows) {
    const hash = rowHash(key, value)
    hashes.set(key, hash)
    sum += BigInt(hash)
  }
  return { hashes, sum }
}

/** The rows of an area in ascending key order (code units). */
export async function readArea(database: Level, area: Area): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of eachRow(database, area)) rows.push(row)
  return rows.sort(([a], [b]) => compareKeys(a, b))
}

/** The rows of an area as they stand in the database, some at a time. */
export async function* eachRow(database: Level, area: Area, snapshot?: Moment): AsyncGenerator<Row> {
  const options = { gte: area.prefix, lt: area.end, highWaterMarkBytes: READ_AHEAD_BYTES }
  const iterator = database.iterator(snapshot === undefined ? options : { ...options, snapshot })
  try {
    for (let chunk = await iterator.nextv(ROWS_PER_BATCH); chunk.length > 0; chunk = await iterator.nextv(ROWS_PER_BATCH)) {
      for (const [key, value] of chunk) yield [key.slice(area.prefix.length), value]
    }
  } finally {
    await iterator.close()
  }
}

/** Writes rows, some at a time. @returns what they add up to */
export async function writeArea(
  database: Level,
  area: Area,
  rows: Iterable<Row> | AsyncIterable<Row>,
): Promise<{ hashes: Map<string, number>; sum: bigint }> {
  const hashes = new Map<string, number>()
  let sum = 0n
  let batch = database.batch()
  for await (const [key, value] of rows) {
    const hash = rowHash(key, value)
    hashes.set(key, hash)
    sum += BigInt(hash)
    batch.put(area.prefix + key, value)
    if (batch.length < ROWS_PER_BATCH) continue
    await batch.write()
    batch = database.batch()
  }
  await batch.write()
  return { hashes, sum }
}

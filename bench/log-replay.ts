import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Level } from 'level'
import { eventOf, KINDS, type PieceJudged, type SignedEvent, scanBody } from '../src/events/index.ts'
import { timed } from './harness.ts'
import { openLog } from './log-directory.ts'

// One question to three stores: the verdict counts of every subject, from every event in them.

const VERDICT = KINDS['piece.judged'].number
const asIs = (_kind: number, _version: number, payload: Uint8Array): Uint8Array => payload

/** Good and bad pieces by subject. */
class VerdictFold {
  readonly #counts = new Map<string, { good: number; bad: number }>()

  add({ subject, good, bad }: PieceJudged): void {
    let counts = this.#counts.get(subject)
    if (counts === undefined) {
      counts = { good: 0, bad: 0 }
      this.#counts.set(subject, counts)
    }
    for (const run of good) counts.good += run.count
    counts.bad += bad.length
  }

  addBody(body: Uint8Array): void {
    const scanned = scanBody(body)
    if (scanned.kind !== VERDICT) return
    const event = eventOf(scanned, asIs)
    if (event.kind === 'piece.judged') this.add(event)
  }

  get total(): number {
    return this.#counts.values().reduce((sum, { good, bad }) => sum + good + bad, 0)
  }
}

const rate = (count: number, tookMs: number): number => (count / tookMs) * 1000

/** Events a second; `expected` is the total that the fold must come to. */
export async function replayLog(directory: string, count: number, expected: number): Promise<number> {
  await using log = await openLog(directory)
  const fold = new VerdictFold()
  const tookMs = await timed(async () => {
    for await (const batch of log.readBatches({ kinds: ['piece.judged'] })) {
      for (const { event } of batch) if (event.kind === 'piece.judged') fold.add(event)
    }
  })
  check(fold.total, expected)
  return rate(count, tookMs)
}

/** Every event of every kind decoded. */
export async function decodeAll(directory: string, count: number): Promise<number> {
  await using log = await openLog(directory)
  let seen = 0
  const tookMs = await timed(async () => {
    for await (const batch of log.readBatches()) seen += batch.length
  })
  check(seen, count)
  return rate(count, tookMs)
}

export async function fillKeys(directory: string, events: readonly SignedEvent[]): Promise<void> {
  const database = new Level<Uint8Array, Uint8Array>(join(directory, 'keys'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  await database.open()
  for (let from = 0; from < events.length; from += 1000) {
    const batch = database.batch()
    for (const [index, { body, signature }] of events.slice(from, from + 1000).entries()) {
      const key = new Uint8Array(8)
      new DataView(key.buffer).setBigUint64(0, BigInt(from + index + 1))
      batch.put(key, Buffer.concat([body, signature]))
    }
    await batch.write()
  }
  await database.close()
}

/** One event a key, read as well as LevelDB can: large read-ahead, the next call under way. */
export async function replayKeys(directory: string, count: number, expected: number): Promise<number> {
  const database = new Level<Uint8Array, Uint8Array>(join(directory, 'keys'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  await database.open()
  const fold = new VerdictFold()
  const tookMs = await timed(async () => {
    const iterator = database.values({ highWaterMarkBytes: 1024 * 1024 })
    let next = iterator.nextv(1000)
    for (let values = await next; values.length > 0; values = await next) {
      next = iterator.nextv(1000)
      for (const value of values) fold.addBody(value.subarray(0, value.length - 64))
    }
    await iterator.close()
  })
  await database.close()
  check(fold.total, expected)
  return rate(count, tookMs)
}

export function fillSqlite(directory: string, events: readonly SignedEvent[]): void {
  const database = new DatabaseSync(join(directory, 'scan.sqlite'))
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('CREATE TABLE events (seq INTEGER PRIMARY KEY, kind INTEGER, body BLOB NOT NULL, signature BLOB NOT NULL)')
  const insert = database.prepare('INSERT INTO events (kind, body, signature) VALUES (?, ?, ?)')
  database.exec('BEGIN')
  for (const { body, signature } of events) insert.run(scanBody(body).kind, body, signature)
  database.exec('COMMIT')
  database.close()
}

/** SQLite picks the verdicts itself, by a column, in a scan of the table. */
export async function replaySqlite(directory: string, count: number, expected: number): Promise<number> {
  const database = new DatabaseSync(join(directory, 'scan.sqlite'))
  const fold = new VerdictFold()
  const statement = database.prepare('SELECT body FROM events WHERE kind = ? ORDER BY seq')
  const tookMs = await timed(() => {
    for (const row of statement.iterate(VERDICT)) fold.addBody((row as { body: Uint8Array }).body)
  })
  database.close()
  check(fold.total, expected)
  return rate(count, tookMs)
}

function check(found: number, expected: number): void {
  if (found !== expected) throw new Error(`came to ${found} instead of ${expected}`)
}

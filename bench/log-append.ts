import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EventLog, SignedEvent } from '../src/events/index.ts'
import { percentile, timed } from './harness.ts'
import { mixed } from './log-corpus.ts'
import { openLog, withDirectory } from './log-directory.ts'

type AppendOne = (log: EventLog, number: number) => Promise<unknown>

/** Events a second that `appenders` write durably, each waiting for its own before the next; latencies in ms into `into`. */
function appending(appenders: number, count: number, append: AppendOne, into: number[] = []): Promise<number> {
  return withDirectory(async (directory) => {
    await using log = await openLog(directory)
    let next = 0
    const appender = async (): Promise<void> => {
      while (next < count) {
        const number = next++
        into.push(await timed(async () => void (await append(log, number))))
      }
    }
    const tookMs = await timed(async () => void (await Promise.all(Array.from({ length: appenders }, appender))))
    return (count / tookMs) * 1000
  })
}

/** Foreign events that were signed before the clock ran, as gossip brings them; their signature is not checked here. */
export const ingesting = (appenders: number, events: readonly SignedEvent[], into?: number[]): Promise<number> =>
  appending(appenders, events.length, (log, number) => log.ingest(events.slice(number, number + 1), { durable: true }), into)

/** Own events, signed at the commit. */
export const signing = (appenders: number, count: number): Promise<number> =>
  appending(appenders, count, (log, number) => log.append([mixed(number)], { durable: true }))

/** Events a second written to a plain file, with an fdatasync after each. */
export const fileAppending = (events: readonly SignedEvent[]): Promise<number> =>
  withDirectory(async (directory) => {
    const file = openSync(join(directory, 'events'), 'a')
    const tookMs = await timed(() => {
      for (const { body, signature } of events) {
        writeSync(file, Buffer.concat([body, signature]))
        fdatasyncSync(file)
      }
    })
    closeSync(file)
    return (events.length / tookMs) * 1000
  })

/** Events a second into SQLite (WAL, synchronous FULL), so many in a transaction. */
export const sqliteAppending = (events: readonly SignedEvent[], perTransaction: number): Promise<number> =>
  withDirectory(async (directory) => {
    const database = new DatabaseSync(join(directory, 'events.sqlite'))
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB NOT NULL, signature BLOB NOT NULL)')
    const insert = database.prepare('INSERT INTO events (body, signature) VALUES (?, ?)')
    const commit = (batch: readonly SignedEvent[]) => {
      database.exec('BEGIN')
      for (const { body, signature } of batch) insert.run(body, signature)
      database.exec('COMMIT')
    }
    const tookMs = await timed(() => {
      for (let from = 0; from < events.length; from += perTransaction) commit(events.slice(from, from + perTransaction))
    })
    database.close()
    return (events.length / tookMs) * 1000
  })

export const p99 = (latenciesMs: readonly number[]): number => percentile(latenciesMs, 0.99)

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EventLog, SignedEvent } from '../src/events/index.ts'
import type { CommitSigner } from '../src/events/keys/signer.ts'
import { SHARED_FROM, SigningThread } from '../src/events/keys/signing-thread.sodium.ts'
import { TEST_NETWORK } from '../test/events/test-network.ts'
import { percentile, timed } from './harness.ts'
import { mixed } from './log-corpus.ts'
import { OWN_SIGNER, openLog, withDirectory } from './log-directory.ts'

type AppendOne = (log: EventLog, number: number) => Promise<unknown>

/** Events a second that `appenders` write durably, each waiting for its own before the next; latencies in ms into `into`. */
function appending(
  appenders: number,
  count: number,
  append: AppendOne,
  into: number[] = [],
  commitSigner?: CommitSigner,
): Promise<number> {
  return withDirectory(async (directory) => {
    await using log = await openLog(directory, OWN_SIGNER, commitSigner)
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

const appendOwn: AppendOne = (log, number) => log.append([mixed(number)], { durable: true })

/** Own events, signed at the commit by one thread. */
export const signingAlone = (appenders: number, count: number, into?: number[]): Promise<number> =>
  appending(appenders, count, appendOwn, into)

/** Own events, signed at the commit as a node does it: by two threads. The second one is there when the clock runs. */
export const signing = async (appenders: number, count: number, into?: number[]): Promise<number> => {
  await using signer = new SigningThread(OWN_SIGNER, TEST_NETWORK)
  signer.begin(SHARED_FROM)
  signer.finish()
  await new Promise((resolve) => setTimeout(resolve, 200))
  return await appending(appenders, count, appendOwn, into, signer)
}

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

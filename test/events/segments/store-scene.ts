import { mkdirSync } from 'node:fs'
import type { Millis } from '../../../src/events/index.ts'
import { encodeMeta, type LogDatabase, openDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import { CommittedLog } from '../../../src/events/log/committed-log.ts'
import { LogState } from '../../../src/events/log/log-state.ts'
import { toHex } from '../../../src/events/model/hex.ts'
import { SegmentDirectory } from '../../../src/events/segments/segment-directory.ts'
import { ARRIVALS, firstOfKey, META_KEY, SEGMENTS, SUMMARIES } from '../../../src/events/segments/segment-keys.ts'
import { readArrivals, scanSummaries } from '../../../src/events/segments/segment-scan.level.ts'
import { SegmentStore } from '../../../src/events/segments/segment-store.level.ts'
import { noUpcast, signerOf, tickingClock } from '../samples.ts'

export const ME = signerOf(1)

/**
 * A store of segments over a database of its own, with a log in front of it that plans what is written.
 * @param path of the database, which is made where there is none
 */
export async function storeScene(path: string) {
  mkdirSync(path, { recursive: true })
  const database = await openDatabase(path, true)
  if ((await database.get(META_KEY)) === undefined) await database.put(META_KEY, encodeMeta({ author: ME.id }))
  const state = new LogState()
  const directory = new SegmentDirectory()
  const { tail, digest } = await scanSummaries(database, state, directory)
  const steps: string[] = []
  const clock = { at: 1_800_000_000_000, now: () => clock.at as Millis }
  let current = database
  /** Called with a database that is opened anew. */
  const hooks = { opened: (_database: LogDatabase): void => {} }
  const store = new SegmentStore(database, {
    ...{ directory, tail, digest, state, clock, author: ME.id, upcast: noUpcast },
    arrivals: await readArrivals(database),
    committed: (head, after, durable) => void steps.push(`${head}${durable ? ' durable' : ''} ${toHex(after).slice(0, 8)}`),
    closed: (clean) => void steps.push(clean ? 'closed' : 'closed, not clean'),
    syncHead: () => void steps.push('head synced'),
    reopen: async () => {
      steps.push('opened anew')
      current = await openDatabase(path, false)
      hooks.opened(current)
      return current
    },
  })
  const log = new CommittedLog(state, store, { signer: ME, clock: tickingClock(), upcast: noUpcast })
  const firsts = async (range: typeof SEGMENTS): Promise<number[]> => (await current.keys(range).all()).map(firstOfKey)
  return {
    ...{ store, log, state, directory, steps, clock, hooks },
    get database(): LogDatabase {
      return current
    },
    segments: () => firsts(SEGMENTS),
    summaries: () => firsts(SUMMARIES),
    arrivals: () => firsts(ARRIVALS),
    async [Symbol.asyncDispose]() {
      await store.close()
    },
  }
}

/** The next write of a database, in place of which or after which something else happens. */
export function atNextWrite(database: LogDatabase, run: (write: () => Promise<void>) => Promise<void>): void {
  const real = database.batch.bind(database)
  database.batch = ((...parameters: []) => {
    const batch = real(...parameters)
    const write = batch.write.bind(batch)
    batch.write = ((...options: []) => run(() => write(...options))) as typeof batch.write
    database.batch = real
    return batch
  }) as typeof database.batch
}

import { rm } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import type { Row } from './projection.ts'
import { compareKeys, type ProjectionStore, ProjectionStoreError } from './projection-store.ts'
import { stringHash } from './string-hash.ts'

// Keys: `p` NAME `\0` ROW KEY for rows, `c` NAME for the checkpoint. LevelDB returns flipped bits as good values and
// drops a damaged batch without a word, so the checkpoint carries the number of rows and the sum of their hashes:
// rows that do not add up are damaged, and a projection that is damaged is rebuilt from the log.

type Checkpoint = { version: number; checkpoint: number; rows: number; sum: string }
type Tally = { hashes: Map<string, number>; sum: bigint }

const rowPrefix = (name: string): string => `p${name}\0`
const checkpointKey = (name: string): string => `c${name}`
const rowHash = (key: string, value: string): number => stringHash(`${key}\0${value}`)
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

async function openDatabase(directory: string): Promise<ClassicLevel> {
  const database = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await database.open()
  return database
}

function locked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}

/**
 * Opens the store, or makes an empty one. A database that cannot be opened is put aside: nothing in it is worth more
 * than the log it came from.
 * @param options.onDiscarded told why, when that happened
 * @throws ProjectionStoreError `STORE_FAILED` if it is in use, or nothing can be written there
 */
export async function openLevelProjectionStore(options: {
  directory: string
  onDiscarded?: (reason: string) => void
}): Promise<ProjectionStore> {
  const { directory } = options
  let database: ClassicLevel
  try {
    database = await openDatabase(directory)
  } catch (error) {
    const failed = (cause: unknown) =>
      new ProjectionStoreError({ code: 'STORE_FAILED', directory, reason: reasonOf(cause) }, { cause })
    if (locked(error)) throw failed(error)
    try {
      await rm(directory, { recursive: true, force: true })
      database = await openDatabase(directory)
    } catch (cause) {
      throw failed(cause)
    }
    options.onDiscarded?.(reasonOf(error))
  }

  const tallies = new Map<string, Tally>()
  const check = (): void => {
    if (database.status !== 'open') throw new ProjectionStoreError({ code: 'STORE_CLOSED' })
  }
  const damaged = (projection: string, reason: string, cause?: unknown) =>
    new ProjectionStoreError({ code: 'STORE_DAMAGED', projection, reason }, { cause })

  const readRows = async (name: string): Promise<Row[]> => {
    const prefix = rowPrefix(name)
    const rows: Row[] = []
    const iterator = database.iterator({ gte: prefix, lt: `p${name}\x01`, highWaterMarkBytes: 1024 * 1024 })
    try {
      for (let chunk = await iterator.nextv(1000); chunk.length > 0; chunk = await iterator.nextv(1000)) {
        for (const [key, value] of chunk) rows.push([key.slice(prefix.length), value])
      }
    } finally {
      await iterator.close()
    }
    return rows.sort(([a], [b]) => compareKeys(a, b))
  }

  const tallyOf = async (name: string): Promise<Tally> => {
    const known = tallies.get(name)
    if (known !== undefined) return known
    const hashes = new Map<string, number>()
    let sum = 0n
    for (const [key, value] of await readRows(name)) {
      const hash = rowHash(key, value)
      hashes.set(key, hash)
      sum += BigInt(hash)
    }
    const tally = { hashes, sum }
    tallies.set(name, tally)
    return tally
  }

  return {
    async load(name) {
      check()
      tallies.delete(name)
      let text: string | undefined
      let rows: Row[]
      try {
        text = await database.get(checkpointKey(name))
        rows = await readRows(name)
      } catch (cause) {
        throw damaged(name, 'it cannot be read', cause)
      }
      if (text === undefined) {
        if (rows.length > 0) throw damaged(name, 'its checkpoint is missing')
        return undefined
      }
      let stored: Checkpoint
      try {
        stored = JSON.parse(text) as Checkpoint
      } catch (cause) {
        throw damaged(name, 'its checkpoint is not readable', cause)
      }
      const hashes = new Map(rows.map(([key, value]) => [key, rowHash(key, value)]))
      let sum = 0n
      for (const hash of hashes.values()) sum += BigInt(hash)
      if (rows.length !== stored.rows || sum.toString() !== stored.sum) throw damaged(name, 'its rows do not add up')
      tallies.set(name, { hashes, sum })
      return { version: stored.version, checkpoint: stored.checkpoint, rows }
    },

    async commit(name, version, checkpoint, changes) {
      check()
      const tally = await tallyOf(name)
      const batch = database.batch()
      // The last change of a key counts, in the batch and here.
      const hashes = new Map<string, number | undefined>()
      for (const [key, value] of changes) {
        hashes.set(key, value === null ? undefined : rowHash(key, value))
        if (value === null) batch.del(rowPrefix(name) + key)
        else batch.put(rowPrefix(name) + key, value)
      }
      let { sum } = tally
      let rows = tally.hashes.size
      for (const [key, hash] of hashes) {
        const before = tally.hashes.get(key)
        sum += BigInt(hash ?? 0) - BigInt(before ?? 0)
        rows += (hash === undefined ? 0 : 1) - (before === undefined ? 0 : 1)
      }
      const record: Checkpoint = { version, checkpoint, rows, sum: sum.toString() }
      batch.put(checkpointKey(name), JSON.stringify(record))
      await batch.write()
      // Only what the disk has taken is counted.
      for (const [key, hash] of hashes) {
        if (hash === undefined) tally.hashes.delete(key)
        else tally.hashes.set(key, hash)
      }
      tally.sum = sum
    },

    async clear(name) {
      check()
      await database.del(checkpointKey(name))
      await database.clear({ gte: rowPrefix(name), lt: `p${name}\x01` })
      tallies.delete(name)
    },

    async [Symbol.asyncDispose]() {
      await database.close()
    },
  }
}

import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { damagedTables } from '../events/leveldb/damaged-tables.fs.ts'
import type { Row } from './projection.ts'
import { type ProjectionStore, ProjectionStoreError } from './projection-store.ts'
import { checkpointKey, clearArea, rowArea, rowAreas, snapshotArea, snapshotKey, snapshotMarks } from './store-areas.level.ts'
import { claimStore, type StoreOwner } from './store-owner.level.ts'
import { type Area, addUp, eachRow, parseRecord, readArea, rowHash, type StoreRecord, writeArea } from './store-rows.level.ts'
import { levelTables } from './store-tables.level.ts'

// LevelDB returns flipped bits as good values and drops a damaged batch without a word, so the checkpoint carries the
// number of rows and the sum of their hashes: rows that do not add up are damaged, and a projection that is damaged is
// rebuilt from the log. Where everything stands is said in store-areas.level.ts.

/** What the live rows of a projection add up to, and where they stand. */
type Tally = { hashes: Map<string, number>; sum: bigint; generation: number }

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

/** Blocks of tables that LevelDB keeps: a search reads some hundred rows from all over the index. */
const CACHE_BYTES = 8 * 1024 * 1024

async function openDatabase(directory: string): Promise<Level> {
  const database = new Level(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8', cacheSize: CACHE_BYTES })
  await database.open()
  return database
}

function locked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}

/** Stands in the store's folder since LevelDB could not read in it: rows there can be neither loaded nor replaced. */
const SUSPECT = 'suspect'

async function refuseDamaged(directory: string): Promise<void> {
  const [name] = await damagedTables(directory)
  if (name !== undefined) throw new Error(`${name} is damaged`)
  await rm(join(directory, SUSPECT), { force: true })
}

/** For the next open; where nothing can be written, it is found again then. */
const suspect = (directory: string): Promise<void> => writeFile(join(directory, SUSPECT), '').catch(() => {})

async function openOwned(directory: string, owner: StoreOwner): Promise<Level> {
  const database = await openDatabase(directory)
  try {
    const foreign = await claimStore(database, owner)
    if (foreign !== undefined) throw new Error(foreign)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/**
 * Opens the store, or makes an empty one. A database that cannot be opened, or is of another node, as a copied folder is,
 * is put aside: nothing in it is worth more than the log it came from.
 * @param options.owner from whose log the rows are folded
 * @param options.onDiscarded told why, when that happened
 * @param options.discard false: fail instead
 * @param options.isSuspect read its tables first: a damaged one, which LevelDB's assertions may not outlive, is a reason too
 * @throws ProjectionStoreError `STORE_FAILED` if it is in use, or nothing can be written there
 */
export async function openLevelProjectionStore(options: {
  directory: string
  owner: StoreOwner
  onDiscarded?: (reason: string) => void
  discard?: boolean
  isSuspect?: boolean
}): Promise<ProjectionStore> {
  const { directory, owner } = options
  let database: Level
  try {
    if (options.isSuspect === true || existsSync(join(directory, SUSPECT))) await refuseDamaged(directory)
    database = await openOwned(directory, owner)
  } catch (error) {
    const failed = (cause: unknown) =>
      new ProjectionStoreError({ code: 'STORE_FAILED', directory, reason: reasonOf(cause) }, { cause })
    if (locked(error) || options.discard === false) throw failed(error)
    try {
      await rm(directory, { recursive: true, force: true })
      database = await openOwned(directory, owner)
    } catch (cause) {
      throw failed(cause)
    }
    options.onDiscarded?.(reasonOf(error))
  }
  return levelStore(database)
}

function levelStore(database: Level): ProjectionStore {
  const tallies = new Map<string, Tally>()
  const check = (): void => {
    if (database.status !== 'open') throw new ProjectionStoreError({ code: 'STORE_CLOSED' })
  }
  const damaged = (projection: string, reason: string, cause?: unknown) =>
    new ProjectionStoreError({ code: 'STORE_DAMAGED', projection, reason }, { cause })

  const record = async (key: string): Promise<StoreRecord | undefined> => {
    const text = await database.get(key)
    return text === undefined ? undefined : parseRecord(text)
  }

  const tallyOf = async (name: string): Promise<Tally> => {
    const known = tallies.get(name)
    if (known !== undefined) return known
    const generation = (await record(checkpointKey(name)))?.generation ?? 0
    const tally = { ...addUp(await readArea(database, rowArea(name, generation))), generation }
    tallies.set(name, tally)
    return tally
  }

  const clearRows = async (name: string, but?: Area): Promise<void> => {
    for (const area of rowAreas(name, but)) await clearArea(database, area)
  }

  return {
    async load(name) {
      check()
      tallies.delete(name)
      let stored: StoreRecord | undefined
      let rows: Row[]
      let generation = 0
      try {
        stored = await record(checkpointKey(name))
        generation = stored?.generation ?? 0
        rows = await readArea(database, rowArea(name, generation))
      } catch (cause) {
        if (cause instanceof SyntaxError) throw damaged(name, 'its checkpoint is not readable', cause)
        await suspect(database.location)
        throw damaged(name, 'it cannot be read', cause)
      }
      if (stored === undefined) {
        if (rows.length > 0) throw damaged(name, 'its checkpoint is missing')
        return undefined
      }
      const tally = { ...addUp(rows), generation }
      if (rows.length !== stored.rows || tally.sum.toString() !== stored.sum) throw damaged(name, 'its rows do not add up')
      tallies.set(name, tally)
      // What a replacement left behind that was cut off.
      await clearRows(name, rowArea(name, generation))
      return { version: stored.version, checkpoint: stored.checkpoint, rows }
    },

    async commit(name, version, checkpoint, changes) {
      check()
      const tally = await tallyOf(name)
      const { generation } = tally
      const { prefix } = rowArea(name, generation)
      const batch = database.batch()
      // The last change of a key counts, in the batch and here.
      const hashes = new Map<string, number | undefined>()
      for (const [key, value] of changes) {
        hashes.set(key, value === null ? undefined : rowHash(key, value))
        if (value === null) batch.del(prefix + key)
        else batch.put(prefix + key, value)
      }
      let { sum } = tally
      let rows = tally.hashes.size
      for (const [key, hash] of hashes) {
        const before = tally.hashes.get(key)
        sum += BigInt(hash ?? 0) - BigInt(before ?? 0)
        rows += (hash === undefined ? 0 : 1) - (before === undefined ? 0 : 1)
      }
      const next: StoreRecord = { version, checkpoint, rows, sum: sum.toString(), generation }
      batch.put(checkpointKey(name), JSON.stringify(next))
      await batch.write()
      // Only what the disk has taken is counted.
      for (const [key, hash] of hashes) {
        if (hash === undefined) tally.hashes.delete(key)
        else tally.hashes.set(key, hash)
      }
      tally.sum = sum
    },

    async replace(name, version, checkpoint, rows) {
      check()
      const before = await record(checkpointKey(name)).catch(() => undefined)
      const generation = (before?.generation ?? 0) + 1
      const area = rowArea(name, generation)
      await clearArea(database, area)
      const tally = await writeArea(database, area, rows)
      tallies.delete(name)
      const next: StoreRecord = { version, checkpoint, rows: tally.hashes.size, sum: tally.sum.toString(), generation }
      await database.put(checkpointKey(name), JSON.stringify(next))
      tallies.set(name, { ...tally, generation })
      await clearRows(name, area)
    },

    async clear(name) {
      check()
      await database.del(checkpointKey(name))
      await clearRows(name)
      tallies.delete(name)
    },

    async snapshots(name) {
      check()
      return snapshotMarks(database, name)
    },

    async keepSnapshot(name) {
      check()
      // Of one moment, whatever is committed while it is copied.
      await using moment = database.snapshot()
      const text = await database.get(checkpointKey(name), { snapshot: moment })
      if (text === undefined) return
      const { generation = 0, ...stored } = parseRecord(text)
      const area = snapshotArea(name, stored.checkpoint)
      await clearArea(database, area)
      await writeArea(database, area, eachRow(database, rowArea(name, generation), moment))
      await database.put(snapshotKey(name, stored.checkpoint), JSON.stringify(stored))
    },

    async saveSnapshot(name, { version, seq }, rows) {
      check()
      const area = snapshotArea(name, seq)
      await clearArea(database, area)
      const { hashes, sum } = await writeArea(database, area, rows)
      const stored: StoreRecord = { version, checkpoint: seq, rows: hashes.size, sum: sum.toString() }
      await database.put(snapshotKey(name, seq), JSON.stringify(stored))
    },

    async loadSnapshot(name, seq) {
      check()
      try {
        const stored = await record(snapshotKey(name, seq))
        if (stored === undefined) return undefined
        const rows = await readArea(database, snapshotArea(name, seq))
        if (rows.length !== stored.rows || addUp(rows).sum.toString() !== stored.sum) return undefined
        return { version: stored.version, checkpoint: stored.checkpoint, rows }
      } catch {
        return undefined
      }
    },

    async dropSnapshot(name, seq) {
      check()
      await database.del(snapshotKey(name, seq))
      await clearArea(database, snapshotArea(name, seq))
    },

    ...levelTables(database),

    async [Symbol.asyncDispose]() {
      await database.close()
    },
  }
}

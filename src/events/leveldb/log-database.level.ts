import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AbstractSnapshot } from 'abstract-level'
import { Level } from 'level'
import { syncDirectory } from '../files/sync-directory.fs.ts'
import { LogError } from '../log/event-log.ts'
import { readHeadFile } from '../log/head-file.fs.ts'
import type { Floors } from '../log/log-state.ts'
import { isNodeId, type NodeId } from '../model/ids.ts'
import { META_KEY, SUMMARIES } from '../segments/segment-keys.ts'
import { damaged } from '../segments/segment-value.level.ts'
import type { StoredEntries } from './stored-entries.ts'

/** What this version reads and writes. */
export const LOG_FORMAT = 1
/** The first p2pt that reads this format; stands in the log, for those that do not. */
const FORMAT_SINCE = '0.1.0'

/** LevelDB can do more in Node than the types of `level`, which are those of every platform, tell. */
export type LogDatabase = Level<Uint8Array, Buffer> & { compactRange(start: Uint8Array, end: Uint8Array): Promise<void> }

/** The folder of the database in a data directory. */
export const LOG_NAME = 'log'

/** Where a log stands in a node's data directory. The head file stands outside the database, whose loss it shows. */
export const logPaths = (directory: string): { database: string; head: string } => ({
  database: join(directory, LOG_NAME),
  head: join(directory, 'head'),
})

export type Meta = { readonly format: number; readonly author: NodeId; readonly floors?: Floors; readonly since?: string }

/** Opens the database at a path that this process has claimed. Throws what LevelDB says, with LogError `LOG_LOCKED` for its lock. */
export async function openDatabase(path: string, createIfMissing: boolean): Promise<LogDatabase> {
  const database = new Level(path, {
    keyEncoding: 'view',
    valueEncoding: 'buffer',
    createIfMissing,
    // Signatures, keys and hashes: compression finds a tenth and costs a replay more than reading that.
    compression: false,
    // Fewer, larger tables: the log is written once and read in order.
    writeBufferSize: 8 * 1024 * 1024,
    maxFileSize: 16 * 1024 * 1024,
    blockSize: 64 * 1024,
  }) as unknown as LogDatabase
  try {
    await database.open()
  } catch (error) {
    if (innermost(error).code === 'LEVEL_LOCKED')
      throw new LogError({ code: 'LOG_LOCKED', directory: path, pid: 0 }, { cause: error })
    throw error
  }
  return database
}

function innermost(error: unknown): { code?: string; message: string } {
  const cause = (error as { cause?: unknown }).cause
  return cause instanceof Error ? innermost(cause) : (error as { code?: string; message: string })
}

/**
 * Makes an empty database, or goes on with one that a first start left before it had written the head file.
 * @returns true if there are no events in it
 */
export async function createDatabase(directory: string, author: NodeId): Promise<boolean> {
  const { database: path } = logPaths(directory)
  mkdirSync(path, { recursive: true })
  const database = await openDatabase(path, true)
  try {
    const keys = await database.keys({ limit: 1 }).all()
    if (keys.length === 0) {
      await database.put(META_KEY, encodeMeta({ author }), { sync: true })
    }
    return (await database.keys({ ...SUMMARIES, limit: 1 }).all()).length === 0
  } finally {
    await database.close()
    // LevelDB brings its files to the disk, and the name of the last CURRENT by nothing.
    syncDirectory(path)
  }
}

/**
 * Opens the log of a node that has been started before.
 * @throws LogError `LOG_MISSING` (there never was one), `LOG_DAMAGED` (there was), `LOG_LOCKED`
 */
export async function openExistingDatabase(directory: string): Promise<LogDatabase> {
  const paths = logPaths(directory)
  const record = readHeadFile(paths.head)
  assertThere(directory)
  try {
    return await openDatabase(paths.database, false)
  } catch (cause) {
    if (cause instanceof LogError) throw cause
    // LevelDB itself found files missing or unreadable: which events are in them is for `verifyLog` to say.
    const to = record?.latest.seq ?? 0
    throw new LogError({ code: 'LOG_DAMAGED', ranges: [{ from: 1, to, what: 'unproven' }] }, { cause })
  }
}

/** @throws LogError `LOG_MISSING` where no log ever was, `LOG_DAMAGED` where one was */
export function assertThere(directory: string): void {
  const paths = logPaths(directory)
  if (statSync(paths.database, { throwIfNoEntry: false })?.isDirectory()) return
  const record = readHeadFile(paths.head)
  if (record === undefined) throw new LogError({ code: 'LOG_MISSING', directory })
  throw damaged({ from: 1, to: record.latest.seq, what: 'missing' })
}

/**
 * Checks format and owner.
 * @throws LogError `LOG_NEWER`, `LOG_FOREIGN`, `LOG_DAMAGED`
 */
export async function readMeta(database: Pick<StoredEntries, 'get'>, expected: NodeId | undefined): Promise<Meta> {
  const bytes = await database.get(META_KEY)
  const meta = bytes && parseMeta(bytes.toString('utf8'))
  if (meta === undefined) throw damaged({ from: 1, to: 1, what: 'altered' })
  if (meta.format > LOG_FORMAT) {
    throw new LogError({ code: 'LOG_NEWER', format: meta.format, supported: LOG_FORMAT, since: meta.since })
  }
  if (expected !== undefined && meta.author !== expected) {
    throw new LogError({ code: 'LOG_FOREIGN', expected, found: meta.author })
  }
  return meta
}

/** The entry that says whose log it is, in the present format. */
export const encodeMeta = ({ author, floors }: Pick<Meta, 'author' | 'floors'>): Buffer =>
  Buffer.from(JSON.stringify({ format: LOG_FORMAT, since: FORMAT_SINCE, author, floors }))

const VERSION = /^[0-9A-Za-z.+-]{1,32}$/

function parseMeta(text: string): Meta | undefined {
  try {
    const { format, author, floors, since } = JSON.parse(text) as Partial<Meta>
    if (typeof format !== 'number' || typeof author !== 'string' || !isNodeId(author)) return undefined
    return {
      format,
      author,
      ...(floors === undefined ? {} : { floors }),
      ...(typeof since === 'string' && VERSION.test(since) ? { since } : {}),
    }
  } catch {
    return undefined
  }
}

const READ_AHEAD = { entries: 1000, bytes: 1024 * 1024 }

/** The entries of an open database, as of this moment if there is a snapshot of it. */
export const entriesOfDatabase = (database: LogDatabase, snapshot?: AbstractSnapshot): StoredEntries => ({
  get: (key) => database.get(key, snapshot === undefined ? {} : { snapshot }),
  async *entries(range) {
    const iterator = database.iterator({ ...range, highWaterMarkBytes: READ_AHEAD.bytes, ...(snapshot && { snapshot }) })
    try {
      for (;;) {
        const entries = await iterator.nextv(READ_AHEAD.entries)
        if (entries.length === 0) return
        yield* entries
      }
    } finally {
      await iterator.close()
    }
  },
})

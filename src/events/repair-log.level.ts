import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { segmentsOf } from './audit-database.level.ts'
import { STREAMS } from './body-scan.ts'
import type { Stream } from './envelope.ts'
import { LogError } from './event-log.ts'
import { bootId, HeadFile, readHeadFile } from './head-file.fs.ts'
import { type HeadMark, type HeadRecord, provenMark } from './head-record.ts'
import { toHex } from './hex.ts'
import type { NodeId } from './ids.ts'
import { type LinkedCopy, linkedCopy } from './linked-copy.fs.ts'
import {
  encodeMeta,
  LOG_NAME,
  type LogDatabase,
  logPaths,
  openDatabase,
  readMeta,
  repairDatabase,
} from './log-database.level.ts'
import type { Floors } from './log-state.ts'
import { claimPath } from './open-paths.fs.ts'
import { type LostRange, Salvage, type Salvaged } from './salvage.ts'
import { ARRIVALS, META_KEY, SNAPSHOTS, SUMMARIES, segmentKey, summaryKey } from './segment-keys.ts'
import { decodeSummary, encodeSummary } from './segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, isSealed, sealValue } from './segment-value.level.ts'
import { syncDirectory } from './sync-directory.fs.ts'
import { verifyLog } from './verify-log.level.ts'
import type { LogVerdict } from './verify-log.ts'

export type LogRepair = {
  /** False if there was nothing to repair: then nothing was changed. */
  readonly repaired: boolean
  /** What was wrong. */
  readonly before: LogVerdict
  /** The log as it is now. */
  readonly after: LogVerdict
  /** Where the damaged files are kept; null if nothing was changed. */
  readonly keptIn: string | null
  readonly lost: readonly LostRange[]
  /** Own events are numbered from here on, so that no number is given out twice; streams that lost nothing are not named. */
  readonly floors: Floors
}

const BATCH_BYTES = 4 * 1024 * 1024
/** The new database while it is being written, in the data directory. */
const DRAFT = 'log.repaired'
const PLAIN_PREFIX = 'repair-plain-'
const REPAIRED_PREFIX = 'repair-again-'
/** Own events that may be lost at the end where nothing says how far the log reached: one commit. */
const UNRECORDED_EVENTS_MAX = 1024

/**
 * Makes a stopped node's damaged log usable again: every segment that the chain of digests proves is written to a new
 * database, each hole is recorded with the digests on both sides, and the damaged files are kept in `damaged-<n>`.
 * The caller holds the directory's lock, see `openStoppedDirectory`.
 * @param author whose log it is
 * @param beforeReplaced called with the floors before the repaired log takes the place of the damaged one
 * @throws LogError `LOG_MISSING`, `LOG_LOCKED`, `LOG_NEWER`, `LOG_FOREIGN`; what the disk says, and then the damaged log is as it was
 */
export async function repairLog(
  directory: string,
  author: NodeId,
  beforeReplaced: (floors: Floors) => void = () => {},
): Promise<LogRepair> {
  const paths = logPaths(directory)
  await finishEarlierRepair(directory)
  const before = await verifyLog(directory, { author })
  if (before.intact) return { repaired: false, before, after: before, keptIn: null, lost: [], floors: {} }
  const release = claimPath(directory, 'log')
  try {
    const record = readHeadFile(paths.head)
    // A head file alone that is gone says nothing against the end of the log; more damage does.
    const unrecorded = record === undefined && before.problems.length > 1 ? UNRECORDED_EVENTS_MAX : 0
    const { lost, floors } = await rewrite(directory, author, record, unrecorded)
    beforeReplaced(floors)
    const keptIn = putInPlace(directory)
    await recordHead(directory)
    release()
    return { repaired: true, before, after: await verifyLog(directory, { author }), keptIn, lost, floors }
  } finally {
    release()
  }
}

/** Writes what can be kept to the draft. */
async function rewrite(
  directory: string,
  author: NodeId,
  record: HeadRecord | undefined,
  unrecorded: number,
): Promise<{ lost: readonly LostRange[]; floors: Floors }> {
  rmSync(join(directory, DRAFT), { recursive: true, force: true })
  const mark = record && provenMark(record, bootId())
  await using source = await bestSource(directory, author, mark)
  const { rows, lost, end } = source.salvaged
  // What was once written behind what is kept, durable or not.
  const beyond = Math.max(unrecorded, (record?.latest.seq ?? 0) - end.seq)
  const unknown = lost.reduce((sum, range) => sum + range.unknown, 0) + beyond
  const old = source.database && (await readMeta(source.database, author).catch(unlessRefused))
  const floors = floorsAfter(author, source.salvaged, unknown, old?.floors ?? {})
  const target = await openDatabase(join(directory, DRAFT), true)
  try {
    const writer = new RowWriter(target)
    for (const { summary, framesAt } of rows) {
      if (framesAt !== undefined) {
        const value = await source.database?.get(segmentKey(framesAt))
        if (value === undefined) throw new Error(`segment ${framesAt} cannot be read a second time`)
        await writer.put(segmentKey(summary.first), value)
      }
      await writer.put(summaryKey(summary.first), sealValue([encodeSummary(summary)]))
    }
    for (const range of [ARRIVALS, SNAPSHOTS]) {
      for (const [key, value] of (await source.database
        ?.iterator(range)
        .all()
        .catch(() => [])) ?? [])
        if (isSealed(value)) await writer.put(key, value)
    }
    await writer.flush()
    // Last: a draft with it is whole.
    await target.put(META_KEY, encodeMeta({ author, floors }), { sync: true })
  } finally {
    await target.close()
  }
  return { lost, floors }
}

type Source = AsyncDisposable & { readonly database: LogDatabase | undefined; readonly salvaged: Salvaged }

/** Copies of the damaged database, as it opens and as LevelDB repairs it; the one that holds more. */
async function bestSource(directory: string, author: NodeId, mark: HeadMark | undefined): Promise<Source> {
  const plain = await sourceOf(directory, author, mark, false)
  if (plain !== undefined && plain.salvaged.lost.length === 0) return plain
  const repaired = await sourceOf(directory, author, mark, true)
  if (repaired !== undefined && repaired.salvaged.eventsKept > (plain?.salvaged.eventsKept ?? -1)) {
    await plain?.[Symbol.asyncDispose]()
    return repaired
  }
  await repaired?.[Symbol.asyncDispose]()
  if (plain !== undefined) return plain
  return { database: undefined, salvaged: new Salvage(chainDigest).finish(mark), async [Symbol.asyncDispose]() {} }
}

async function sourceOf(
  directory: string,
  author: NodeId,
  mark: HeadMark | undefined,
  repairs: boolean,
): Promise<Source | undefined> {
  const copy: LinkedCopy = linkedCopy(directory, LOG_NAME, repairs ? REPAIRED_PREFIX : PLAIN_PREFIX)
  let database: LogDatabase | undefined
  const dispose = async (): Promise<void> => {
    await database?.close()
    copy[Symbol.dispose]()
  }
  try {
    if (repairs) await repairDatabase(copy.path)
    database = await openDatabase(copy.path, false)
    await readMeta(database, author).catch(unlessRefused)
    const salvage = new Salvage(chainDigest)
    for await (const found of segmentsOf(database, undefined)) salvage.add(found)
    const salvaged = salvage.finish(mark)
    assertOwn(salvaged, author)
    return { database, salvaged, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    if (error instanceof LogError) throw error
    // Not readable this way: what can be had is had the other way.
    return undefined
  }
}

/** An entry that is gone or altered is made again; one of a newer version or of another node is respected. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof LogError && error.code !== 'LOG_DAMAGED') throw error
  return undefined
}

/** Private events are always their own node's: a log with those of another is another node's. @throws LogError `LOG_FOREIGN` */
function assertOwn({ rows }: Salvaged, author: NodeId): void {
  for (const { summary } of rows) {
    const foreign = summary.runs.find((run) => run.stream === 'local' && run.author !== author)
    if (foreign !== undefined) throw new LogError({ code: 'LOG_FOREIGN', expected: author, found: foreign.author })
  }
}

// An event that was lost may have been gossiped before: its number must not be given to another. Where nobody knows whose
// events were lost, each may have been one of ours.
function floorsAfter(author: NodeId, { rows, lost }: Salvaged, unknown: number, old: Floors): Floors {
  if (lost.length === 0 && unknown === 0) return old
  const highest: { [S in Stream]: number } = { local: 0, gossip: 0, index: 0 }
  for (const { summary } of rows) {
    for (const run of [...summary.runs, ...(summary.removal?.known ?? [])]) {
      if (run.author === author) highest[run.stream] = Math.max(highest[run.stream], run.authorSeq + run.count - 1)
    }
  }
  const floors = STREAMS.map((stream) => [stream, Math.max(old[stream] ?? 1, highest[stream] + unknown + 1)])
  return Object.fromEntries(floors) as Floors
}

class RowWriter {
  readonly #database: LogDatabase
  #batch: ReturnType<LogDatabase['batch']>
  #bytes = 0

  constructor(database: LogDatabase) {
    this.#database = database
    this.#batch = database.batch()
  }

  async put(key: Uint8Array, value: Buffer): Promise<void> {
    this.#batch.put(key, value)
    this.#bytes += value.length
    if (this.#bytes >= BATCH_BYTES) await this.flush()
  }

  async flush(): Promise<void> {
    await this.#batch.write()
    this.#batch = this.#database.batch()
    this.#bytes = 0
  }
}

/**
 * Moves the damaged database aside and the draft to its place. States that follow from the log go with it: they may
 * hold what it has lost, and are folded again.
 */
function putInPlace(directory: string): string {
  const paths = logPaths(directory)
  const keptIn = nextDamaged(directory)
  mkdirSync(keptIn)
  if (existsSync(paths.head)) copyFileSync(paths.head, join(keptIn, 'head'))
  const projections = join(directory, 'projections')
  if (existsSync(projections)) renameSync(projections, join(keptIn, 'projections'))
  if (existsSync(paths.database)) renameSync(paths.database, join(keptIn, 'log'))
  renameSync(join(directory, DRAFT), paths.database)
  syncDirectory(keptIn)
  syncDirectory(directory)
  return keptIn
}

function nextDamaged(directory: string): string {
  for (let number = 1; ; number++) {
    const path = join(directory, `damaged-${number}`)
    if (!existsSync(path)) return path
  }
}

/** A repair that was cut off between its last two steps. */
async function finishEarlierRepair(directory: string): Promise<void> {
  const paths = logPaths(directory)
  if (existsSync(paths.database) || !existsSync(join(directory, DRAFT))) return
  const database = await openDatabase(join(directory, DRAFT), false)
  const isWhole = (await database.get(META_KEY)) !== undefined
  await database.close()
  if (!isWhole) return
  renameSync(join(directory, DRAFT), paths.database)
  await recordHead(directory)
}

/** The head file anew, for the log as it is now. */
async function recordHead(directory: string): Promise<void> {
  const paths = logPaths(directory)
  const database = await openDatabase(paths.database, false)
  const [last] = await database.values({ ...SUMMARIES, reverse: true, limit: 1 }).all()
  await database.close()
  const summary = last && decodeSummary(last.subarray(CHECKSUM_BYTES))
  const mark: HeadMark = {
    seq: summary === undefined ? 0 : summary.first + summary.count - 1,
    digest: toHex(summary?.after ?? new Uint8Array(32)),
  }
  rmSync(paths.head, { force: true })
  const head = new HeadFile(paths.head)
  for (let slot = 0; slot < 2; slot++) head.write({ latest: mark, durable: mark, clean: true, boot: bootId() })
  head.close()
  syncDirectory(directory)
}

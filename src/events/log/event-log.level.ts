import { existsSync, mkdirSync, statSync } from 'node:fs'
import type { Upcast } from '../codec/upcasting.ts'
import type { VerifyOptions } from '../damage/audit-log.level.ts'
import { TablesAtStart } from '../damage/tables-at-start.fs.ts'
import { verifyLog } from '../damage/verify-log.fs.ts'
import type { LogVerdict } from '../damage/verify-log.ts'
import { claimPath } from '../files/open-paths.fs.ts'
import { ROOM_PREFIX } from '../files/room.fs.ts'
import { syncDirectory } from '../files/sync-directory.fs.ts'
import type { CommitSigner } from '../keys/signer.ts'
import { type LinkedCopy, linkedCopy, removeCopies } from '../leveldb/linked-copy.fs.ts'
import {
  assertThere,
  createDatabase,
  LOG_NAME,
  type LogDatabase,
  logPaths,
  openDatabase,
  openExistingDatabase,
  readMeta,
} from '../leveldb/log-database.level.ts'
import { fileDamage, type TableMemory } from '../leveldb/log-files.fs.ts'
import { toHex } from '../model/hex.ts'
import type { NodeId } from '../model/ids.ts'
import type { PrunableLog, Pruned, PruneRequest } from '../pruning/retention.ts'
import { SegmentDirectory } from '../segments/segment-directory.ts'
import { digestAt, readArrivals, scanSummaries } from '../segments/segment-scan.level.ts'
import { SegmentStore, type SegmentStoreParts } from '../segments/segment-store.level.ts'
import { DIGEST_BYTES } from '../segments/segment-summary.ts'
import { asDamage } from '../segments/segment-value.level.ts'
import type { PlanTools } from './commit-plan.ts'
import { CommittedLog, reasonOf } from './committed-log.ts'
import type { LogCopy } from './copy-log.level.ts'
import { type EventLog, LogError, type LogView } from './event-log.ts'
import { bootId, HeadFile, readHeadFile } from './head-file.fs.ts'
import { damageByRecord, type HeadMark, provenMark } from './head-record.ts'
import { LogReader } from './log-reader.ts'
import { LogState } from './log-state.ts'

export type LevelLogOptions = PlanTools & {
  /** Signs commits with the key of `signer`. Default: `signer` signs one event after the other. */
  readonly commitSigner?: CommitSigner
  /** The node's data directory: the database is `log/` in it, and `head` beside that. */
  readonly directory: string
  /** The first start of this node: make the log if there is none. */
  readonly create?: boolean
}

/** A log that can be audited while it is in use. */
export type LevelLog = EventLog &
  PrunableLog & {
    /** As `verifyLog`, of what is stored at this moment; LevelDB's files are not checked, since it is writing them. */
    verify(options?: VerifyOptions): Promise<LogVerdict>
    /**
     * Peers have told all that they hold of us: numbers that a repair left out, because they might have been used, are given
     * out after all. A hole that nobody can fill would keep others from our events behind it.
     */
    settleGossip(): Promise<void>
    /**
     * Own index numbers begin far above `indexSeq`, and above those that are here, from now on: this log is to go on from
     * an older copy of itself, which had reached that number.
     */
    leaveOutIndexNumbers(indexSeq: number): Promise<void>
    copyTo(directory: string, onProgress?: (seq: number) => void): Promise<LogCopy>
  } & Pick<StoredLog, 'writeFailure' | 'onWriteFailure' | 'recover'>

/** A stopped node's log. */
export type StoppedLog = LogView & {
  /** Copies the log, as it stands now, to another data directory, whose node will be this one restored. */
  copyTo(directory: string, onProgress?: (seq: number) => void): Promise<LogCopy>
}

/**
 * Own index numbers that a copy leaves out. A node that goes on from a copy must not give a number out again that was
 * given out after the copy was made; holes in an index stream are normal, so it begins far above.
 */
const INDEX_NUMBERS_LEFT_OUT = 65_536

function floorAbove(state: LogState, indexSeq: number): number {
  return Math.max(indexSeq, (state.floors.index ?? 1) - 1) + 1 + INDEX_NUMBERS_LEFT_OUT
}

function copier(store: SegmentStore, state: LogState, author: NodeId): StoppedLog['copyTo'] {
  return async (directory, onProgress) => {
    const [gossipSeq, indexSeq] = [state.runsOf(author, 'gossip')?.highest ?? 0, state.runsOf(author, 'index')?.highest ?? 0]
    const index = floorAbove(state, indexSeq)
    const head = await store.copyTo(directory, { meta: { author, floors: { ...state.floors, index } }, onProgress })
    return { head, gossipSeq, indexSeq }
  }
}

/**
 * Opens a node's log on LevelDB.
 * @throws LogError `LOG_MISSING`, `LOG_LOCKED`, `LOG_DAMAGED`, `LOG_NEWER`, `LOG_FOREIGN`
 */
export async function openLevelLog({ directory, create = false, commitSigner, ...tools }: LevelLogOptions): Promise<LevelLog> {
  if (create && !existsSync(logPaths(directory).head)) await createLevelLog(directory, tools.signer.id)
  const tables = new TablesAtStart(directory, tools.clock)
  await refuseDamaged(directory, tools.signer.id, tables)
  const release = claimLog(directory)
  let database: LogDatabase | undefined
  try {
    for (const prefix of [READ_PREFIX, ROOM_PREFIX]) removeCopies(directory, prefix)
    tables.remember()
    database = await openExistingDatabase(directory)
    const log = await openLog(database, directory, tools.signer.id)
    const head = new HeadFile(logPaths(directory).head)
    const writeHead = headWriter(head, { seq: log.state.head, digest: toHex(log.digest) })
    // LevelDB has synced everything while it opened.
    writeHead(log.mark, true, false)
    head.sync()
    tables.opened()
    const store = new SegmentStore(database, {
      ...log,
      upcast: tools.upcast,
      clock: tools.clock,
      arrivals: await readArrivals(database),
      syncHead: () => head.sync(),
      committed: (seq, digest, durable) => writeHead({ seq, digest: toHex(digest) }, durable, false),
      closed: (clean) => {
        if (clean) writeHead(undefined, true, true)
        head.close()
        release()
      },
      reopen: () => openDatabase(logPaths(directory).database, false),
    })
    return Object.assign(new StoredLog(log.state, store, tools, commitSigner), {
      verify: (options: VerifyOptions = {}) => store.verify(options),
      copyTo: copier(store, log.state, tools.signer.id),
    })
  } catch (error) {
    await database?.close()
    release()
    throw error
  }
}

/**
 * Makes an empty log in a data directory; one that is there already is left as it is, so that a first start that was
 * cut off can go on.
 */
export async function createLevelLog(directory: string, author: NodeId): Promise<void> {
  mkdirSync(directory, { recursive: true })
  const path = logPaths(directory).head
  const release = claimLog(directory)
  try {
    // A head file without a database is a log that was lost, not one to be begun; and the other way round.
    if (existsSync(path) || !(await createDatabase(directory, author))) return
    const head = new HeadFile(path)
    const empty = { seq: 0, digest: toHex(new Uint8Array(DIGEST_BYTES)) }
    // Both slots, so that from now on both must be readable.
    for (let slot = 0; slot < 2; slot++) head.write({ latest: empty, durable: empty, clean: true, boot: bootId() })
    head.close()
    syncDirectory(directory)
  } finally {
    release()
  }
}

/**
 * Opens a stopped node's log for reading, without its key and without changing a byte of it: what is opened is a copy whose
 * tables are links. Keeps the node from starting meanwhile.
 * @param author whose log it should be
 * @throws LogError `LOG_MISSING`, `LOG_LOCKED`, `LOG_DAMAGED`, `LOG_NEWER`, `LOG_FOREIGN`
 */
export async function readLevelLog({ directory, upcast, author }: ReadOptions): Promise<StoppedLog> {
  await refuseDamaged(directory, author)
  const unclaim = claimLog(directory)
  let copy: LinkedCopy | undefined
  let database: LogDatabase | undefined
  const release = (): void => {
    copy?.[Symbol.dispose]()
    unclaim()
  }
  try {
    assertThere(directory)
    copy = linkedCopy(directory, LOG_NAME, READ_PREFIX)
    database = await openDatabase(copy.path, false)
    const log = await openLog(database, directory, author)
    const refuse = (): never => {
      throw new LogError({ code: 'LOG_CLOSED' })
    }
    const parts = { committed: refuse, syncHead: refuse, closed: release, reopen: refuse, clock: { now: refuse } }
    const store = new SegmentStore(database, { ...log, ...parts, upcast, arrivals: await readArrivals(database) })
    return Object.assign(new LogReader(log.author, log.state, store), { copyTo: copier(store, log.state, log.author) })
  } catch (error) {
    await database?.close()
    release()
    throw error
  }
}

type ReadOptions = { readonly directory: string; readonly upcast: Upcast; readonly author?: NodeId | undefined }

/** Folders of copies that are read, in the data directory. */
const READ_PREFIX = 'read-'

// LevelDB drops what it cannot read when it opens a database, and then removes the file that it stood in: whoever looks
// first must look at the files. The end of a log that was not closed may be torn, which is no damage unless an
// acknowledged event was in it: that is for the audit of a copy to say.
async function refuseDamaged(directory: string, author: NodeId | undefined, tables?: TableMemory): Promise<void> {
  const paths = logPaths(directory)
  if (!statSync(paths.database, { throwIfNoEntry: false })?.isDirectory()) return
  const { problems, isInTables } = await fileDamage(paths.database, { isClean: true, ...(tables && { tables }) })
  if (problems.length === 0) return
  const { intact, ranges } = await verifyLog(directory, author === undefined ? {} : { author })
  if (!intact) throw new LogError({ code: 'LOG_DAMAGED', ranges, isInTables })
}

/** The log over segments, with pruning. */
class StoredLog extends CommittedLog implements PrunableLog {
  readonly #segments: SegmentStore

  constructor(state: LogState, store: SegmentStore, tools: PlanTools, signer?: CommitSigner) {
    super(state, store, tools, signer)
    this.#segments = store
  }

  async settleGossip(): Promise<void> {
    if (this.state.floors.gossip === undefined) return
    const { gossip: _, ...floors } = this.state.floors
    await this.between(() => this.#segments.writeMeta({ author: this.author, floors }))
    this.state.floors = floors
  }

  /** Tries, after a failed write, whether the log can be written again. @returns true if it can */
  async recover(): Promise<boolean> {
    if (this.writeFailure === undefined) return true
    try {
      await this.between(() => this.#segments.mend())
      this.noteWrite(undefined)
      return true
    } catch (cause) {
      if (cause instanceof LogError && cause.code === 'LOG_CLOSED') return false
      this.noteWrite(reasonOf(cause))
      return false
    }
  }

  async leaveOutIndexNumbers(indexSeq: number): Promise<void> {
    const here = this.state.runsOf(this.author, 'index')?.highest ?? 0
    const floors = { ...this.state.floors, index: floorAbove(this.state, Math.max(indexSeq, here)) }
    await this.between(() => this.#segments.writeMeta({ author: this.author, floors }))
    this.state.floors = floors
  }

  async prune(request: PruneRequest): Promise<Pruned> {
    let [events, bytes] = [0, 0]
    let from: number | undefined = 1
    while (from !== undefined) {
      const start: number = from
      const pruned = await this.between(() => this.#segments.prune(request, start)).catch((cause: unknown) => {
        if (cause instanceof LogError) throw cause
        throw new LogError({ code: 'LOG_WRITE_FAILED', reason: reasonOf(cause) }, { cause })
      })
      events += pruned.events
      bytes += pruned.bytes
      from = pruned.next
    }
    if (events > 0) await this.between(() => this.#segments.compact(request.to))
    return { events, bytes }
  }
}

function claimLog(directory: string): () => void {
  try {
    return claimPath(directory, 'log')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new LogError({ code: 'LOG_MISSING', directory }, { cause: error })
    throw error
  }
}

type OpenedLog = Pick<SegmentStoreParts, 'directory' | 'tail' | 'digest'> & {
  readonly author: NodeId
  readonly state: LogState
  readonly mark: HeadMark
}

async function openLog(database: LogDatabase, path: string, author: NodeId | undefined): Promise<OpenedLog> {
  const meta = await readMeta(database, author)
  const state = new LogState()
  state.floors = meta.floors ?? {}
  const directory = new SegmentDirectory()
  const { tail, digest } = await scanSummaries(database, state, directory).catch((error) => {
    throw asDamage(error, state.head + 1, Math.max(state.head + 1, readHeadFile(logPaths(path).head)?.latest.seq ?? 0))
  })
  const record = readHeadFile(logPaths(path).head)
  const boot = bootId()
  const proven = record && provenMark(record, boot)
  const found = proven && proven.seq <= state.head ? await digestAt(database, directory, proven.seq) : undefined
  const ranges = damageByRecord(record, boot, state.head, found)
  if (ranges.length > 0) throw new LogError({ code: 'LOG_DAMAGED', ranges })
  const mark = { seq: state.head, digest: toHex(digest) }
  return { author: meta.author, state, directory, tail, digest, mark }
}

/** Remembers the last written and the last durable mark; `undefined` writes the last one again. */
function headWriter(file: HeadFile, start: HeadMark): (mark: HeadMark | undefined, isDurable: boolean, clean: boolean) => void {
  const boot = bootId()
  let latest = start
  let durable = start
  return (mark, isDurable, clean) => {
    latest = mark ?? latest
    if (isDurable) durable = latest
    try {
      file.write({ latest, durable, clean, boot })
    } catch {
      // The disk is full or failing: the record stays behind the log, which is no damage. The log's own writes will tell.
    }
  }
}

import { existsSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { STREAMS } from '../codec/body-scan.ts'
import { claimPath } from '../files/open-paths.fs.ts'
import { verifierOf } from '../keys/signer.sodium.ts'
import { DatabaseFiles, type StoredVersion } from '../leveldb/database-files.fs.ts'
import { encodeMeta, type LogDatabase, logPaths, openDatabase, readMeta } from '../leveldb/log-database.level.ts'
import { LogError } from '../log/event-log.ts'
import { bootId, readHeadFile } from '../log/head-file.fs.ts'
import { type HeadMark, type HeadRecord, provenMark } from '../log/head-record.ts'
import type { Floors } from '../log/log-state.ts'
import type { Stream } from '../model/envelope.ts'
import type { NetworkId, NodeId } from '../model/ids.ts'
import {
  ARRIVALS,
  firstOfKey,
  KEY_BYTES,
  type KeyRange,
  META_KEY,
  SEGMENTS,
  SNAPSHOTS,
  SUMMARIES,
  segmentKey,
  summaryKey,
} from '../segments/segment-keys.ts'
import { encodeSummary } from '../segments/segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, isSealed, sealSegment, sealValue, storedFrames } from '../segments/segment-value.level.ts'
import { readSummary, unsealed } from './audit-log.level.ts'
import { flippedBit } from './corrected-bit.ts'
import { finishEarlierRepair, newDraft, putInPlace, type RepairReport } from './repaired-log.level.ts'
import { type LostRange, Salvage, type Salvaged, type SalvageTools } from './salvage.ts'
import { verifyLog } from './verify-log.fs.ts'
import type { LogVerdict } from './verify-log.ts'

export type LogRepair = RepairReport & {
  /** False if there was nothing to repair: then nothing was changed. */
  readonly repaired: boolean
  /** The log as it is now. */
  readonly after: LogVerdict
  /** Where the damaged files are kept; null if nothing was changed. */
  readonly keptIn: string | null
}

const BATCH_BYTES = 4 * 1024 * 1024
/** Own events that may be lost at the end where nothing says how far the log reached: one commit. */
const UNRECORDED_EVENTS_MAX = 1024

/**
 * Makes a stopped node's damaged log usable again: every segment that the chain of digests proves, and every
 * signed event of the others, is written to a new database, each hole is recorded with the digests on both sides, and the damaged files are kept in `damaged-<n>`.
 * The caller holds the directory's lock, see `openStoppedDirectory`.
 * @param beforeReplaced called with the floors before the repaired log takes the place of the damaged one
 * @throws LogError `LOG_MISSING`, `LOG_LOCKED`, `LOG_NEWER`, `LOG_FOREIGN`; what the disk says, and then the damaged log is as it was
 */
export async function repairLog(
  directory: string,
  { author, network }: LogOwner,
  beforeReplaced: (floors: Floors) => void = () => {},
): Promise<LogRepair> {
  const paths = logPaths(directory)
  const finished = await finishEarlierRepair(directory)
  const before = await verifyLog(directory)
  if (before.intact && before.author !== undefined && before.author !== author)
    throw new LogError({ code: 'LOG_FOREIGN', expected: author, found: before.author })
  // What an earlier repair was cut off with before it could say it.
  if (before.intact && finished !== undefined) return { repaired: true, after: before, ...finished }
  if (before.intact) return { repaired: false, before, after: before, keptIn: null, lost: [], floors: {} }
  const release = claimPath(directory, 'log')
  try {
    const record = readHeadFile(paths.head)
    // A head file alone that is gone says nothing against the end of the log; more damage does.
    const unrecorded = record === undefined && before.problems.length > 1 ? UNRECORDED_EVENTS_MAX : 0
    const { lost, floors } = await rewrite(directory, { author, network }, record, unrecorded)
    beforeReplaced(floors)
    const report = await putInPlace(directory, { before, lost, floors })
    release()
    return { repaired: true, after: await verifyLog(directory, { author }), ...report }
  } finally {
    release()
  }
}

/** Writes what can be kept to the draft. */
async function rewrite(
  directory: string,
  { author, network }: LogOwner,
  record: HeadRecord | undefined,
  unrecorded: number,
): Promise<{ lost: readonly LostRange[]; floors: Floors }> {
  const { database } = logPaths(directory)
  using files = existsSync(database) ? DatabaseFiles.read(database) : undefined
  const meta = files && (await readMeta(files, undefined).catch(unlessRefused))
  const mark = record && provenMark(record, bootId())
  const salvaged = salvage(files, { author, network }, mark)
  assertOwn(salvaged, author, meta?.author)
  const old = meta?.author === author ? meta : undefined
  const { rows, lost, end } = salvaged
  // What was once written behind what is kept, durable or not.
  const beyond = Math.max(unrecorded, (record?.latest.seq ?? 0) - end.seq)
  const unknown = lost.reduce((sum, range) => sum + range.unknown, 0) + beyond
  const floors = floorsAfter(author, salvaged, unknown, old?.floors ?? {})
  const target = await openDatabase(newDraft(directory), true)
  try {
    const writer = new RowWriter(target)
    for (const { summary, frames } of rows) {
      if (frames !== undefined) {
        const preface = summary.removal === undefined ? { before: summary.before } : { summary }
        await writer.put(segmentKey(summary.first), sealSegment(preface, [frames()]))
      }
      await writer.put(summaryKey(summary.first), sealValue([encodeSummary(summary)]))
    }
    for (const range of [ARRIVALS, SNAPSHOTS])
      for await (const [key, value] of files?.entries(range) ?? []) {
        const whole = mended(value)
        if (whole !== undefined) await writer.put(key, whole)
      }
    await writer.flush()
    // Last: a draft with it is whole.
    await target.put(META_KEY, encodeMeta({ author, floors }), { sync: true })
  } finally {
    await target.close()
  }
  return { lost, floors }
}

/** Whose log it is, and the network that its events are signed in. */
export type LogOwner = { readonly author: NodeId; readonly network: NetworkId }

function salvage(files: DatabaseFiles | undefined, { author, network }: LogOwner, mark: HeadMark | undefined): Salvaged {
  const verify = verifierOf(network)
  const isSigned: SalvageTools['isSigned'] = ({ body, signature }, by) => verify('event', body, signature, by)
  const salvage = new Salvage({ chain: chainDigest, author, isSigned })
  for (const [version, isCurrent] of versionsOf(files, SUMMARIES)) {
    const value = mended(files?.value(version) ?? NOTHING)
    const summary = value && readSummary({ first: firstOfKey(version.key), value })
    if (summary === undefined) continue
    salvage.addSummary(summary, isCurrent)
  }
  for (const [version, isCurrent] of versionsOf(files, SEGMENTS)) {
    const read = (): Buffer => {
      const value = files?.value(version) ?? NOTHING
      return mended(value) ?? value
    }
    const value = read()
    const found = { first: firstOfKey(version.key), ...unsealed(value), isCurrent }
    if (!salvage.addSegment(found, () => storedFrames(read()))) salvage.addRaw(read)
  }
  for (const place of files?.unread ?? []) salvage.addRaw(() => files?.value({ place }) ?? NOTHING)
  return salvage.finish(mark)
}

/**
 * A log that says it is another node's is respected, unless there are private events of this node in it: then it is a file of
 * the other's that has come among its own.
 * @throws LogError `LOG_FOREIGN`
 */
function assertOwn({ rows }: Salvaged, author: NodeId, found: NodeId | undefined): void {
  const isOwn = rows.some(({ summary }) => summary.runs.some((run) => run.stream === 'local' && run.author === author))
  if (found !== undefined && found !== author && !isOwn) throw new LogError({ code: 'LOG_FOREIGN', expected: author, found })
}

const NOTHING = Buffer.alloc(0)

/** All that was written under these keys, and whether it holds still: the newest of a key, unless it was deleted. */
function* versionsOf(files: DatabaseFiles | undefined, range: KeyRange): Generator<[StoredVersion, isCurrent: boolean]> {
  let before: Uint8Array | undefined
  for (const version of files?.versions(range) ?? []) {
    const isNewest = version.isLive && (before === undefined || Buffer.compare(before, version.key) !== 0)
    if (version.isLive) before = version.key
    if (!version.isDeletion && version.key.length === KEY_BYTES) yield [version, isNewest]
  }
}

/** A value whose checksum holds, if need be once a single bit of it is flipped back. */
function mended(value: Buffer): Buffer | undefined {
  if (value.length < CHECKSUM_BYTES || isSealed(value)) return value.length < CHECKSUM_BYTES ? undefined : value
  const [found, wanted] = [crc32(value.subarray(CHECKSUM_BYTES)), value.readUInt32LE(0)]
  const flipped = flippedBit(value.length - CHECKSUM_BYTES, found, wanted)
  if (flipped === undefined) return undefined
  const whole = Buffer.from(value)
  if (flipped.byte < 0) whole.writeUInt32LE(found, 0)
  else whole[CHECKSUM_BYTES + flipped.byte] = (whole[CHECKSUM_BYTES + flipped.byte] as number) ^ flipped.mask
  return isSealed(whole) ? whole : undefined
}

/** An entry that is gone or altered is made again; one of a newer version or of another node is respected. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof LogError && error.code !== 'LOG_DAMAGED') throw error
  return undefined
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

import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbstractSnapshot } from 'abstract-level'
import type { Upcast } from '../codec/upcasting.ts'
import { auditEntries, type VerifyOptions } from '../damage/audit-log.level.ts'
import type { LogVerdict } from '../damage/verify-log.ts'
import { encodeMeta, entriesOfDatabase, type LogDatabase, type Meta } from '../leveldb/log-database.level.ts'
import { asUnavailable, RenewedDatabase } from '../leveldb/renewed-database.level.ts'
import type { Commit } from '../log/commit-plan.ts'
import { type CopyOptions, copyLog } from '../log/copy-log.level.ts'
import type { HeadMark } from '../log/head-record.ts'
import type { LogState } from '../log/log-state.ts'
import type { LogStore, StoreRange } from '../log/log-store.ts'
import type { Envelope, SignedEvent } from '../model/envelope.ts'
import { toHex } from '../model/hex.ts'
import type { NodeId } from '../model/ids.ts'
import type { Clock } from '../model/time.ts'
import { bytesIn, planPruning, readSnapshot } from '../pruning/pruning.level.ts'
import type { Arrival, Pruned, PruneRequest, SnapshotRow } from '../pruning/retention.ts'
import type { Thinned } from '../pruning/thinning.ts'
import { encodeFrame, readSegment, signedEventsOf, wantedKinds } from './segment.ts'
import { entryOf, kindBits, type SegmentDirectory, type SegmentEntry } from './segment-directory.ts'
import { arrivalKey, firstOfKey, META_KEY, segmentKey, snapshotKey, summaryKey } from './segment-keys.ts'
import { encodeSummary, joinSummaries, NO_KINDS, type SegmentSummary, shareKinds, withKind } from './segment-summary.ts'
import {
  asDamage,
  chainDigest,
  damaged,
  isSealed,
  orDamaged,
  sealSegment,
  sealValue,
  storedFrames,
} from './segment-value.level.ts'

/**
 * Small segments at the end of the log are joined by the commit that brings them to this many events or bytes: each
 * event is written twice, no reader ever meets more than a few small segments, and the join costs no write of its own.
 */
export const JOIN_EVENTS = 128
export const JOIN_BYTES = 256 * 1024
/** A commit of this many events on its own is left alone. */
const LARGE_EVENTS = 64

/** How often the time of arrival is written down, in ms: retention counts in days. */
const ARRIVAL_EVERY_MS = 3_600_000

/** Bytes that one call of an iterator brings at most; LevelDB's 16 KiB would be half a segment. */
const READ_AHEAD_BYTES = 1024 * 1024
/** Removing it changes nothing, but an fsync comes with it. */
const NO_KEY = new Uint8Array([0])
/** Entries asked for in one call: the bytes above are the real bound. */
const READ_AHEAD_ENTRIES = 1000
const BATCH_EVENTS = 1024

/** A small segment at the end: its summary and its frames. */
export type TailSegment = { readonly summary: SegmentSummary; readonly frames: Uint8Array }

/** Called when a commit is in the database. */
export type Committed = (head: number, digest: Uint8Array, durable: boolean) => void

export type SegmentStoreParts = {
  readonly directory: SegmentDirectory
  readonly upcast: Upcast
  readonly tail: TailSegment[]
  /** Chain digest after the last event. */
  readonly digest: Uint8Array
  readonly committed: Committed
  /** Called when the database is closed; `clean` if all of it is on the disk. */
  readonly closed: (clean: boolean) => void
  /** Brings the head file to the disk, with all that `committed` told it. */
  readonly syncHead: () => void
  readonly clock: Clock
  /** Whose log it is; nobody else prunes. */
  readonly author: NodeId
  readonly state: LogState
  readonly arrivals: Arrival[]
  /** Opens the database again after a failed write. */
  readonly reopen: () => Promise<LogDatabase>
}

/** Segments in LevelDB. */
export class SegmentStore implements LogStore {
  readonly #handle: RenewedDatabase
  readonly #parts: SegmentStoreParts
  #tail: TailSegment[]
  #digest: Uint8Array
  #unsynced = false
  /** A write that may be in the database, and is not in the directory yet. */
  #writing: Promise<void> | undefined
  #broken = false

  constructor(database: LogDatabase, parts: SegmentStoreParts) {
    this.#handle = new RenewedDatabase(database, parts.reopen)
    this.#parts = parts
    this.#tail = parts.tail
    this.#digest = parts.digest
  }

  /** For writing: whoever writes mends first. */
  get #database(): LogDatabase {
    return this.#handle.current
  }

  async write(commit: Commit, durable: boolean): Promise<void> {
    await this.mend()
    const frame = encodeFrame(commit.events)
    const summary = summarise(commit, this.#digest, chainDigest(this.#digest, frame))
    const tail = [...this.#tail, { summary, frames: frame }]
    const joins = isComplete(tail)
    const written = joins ? tail : [{ summary, frames: frame }]
    const whole = joinSummaries(
      written[0]?.summary ?? summary,
      written.slice(1).map((segment) => segment.summary),
    )
    const batch = this.#database.batch()
    for (const { summary: small } of written.slice(1, -1)) batch.del(segmentKey(small.first)).del(summaryKey(small.first))
    const frames = written.map((segment) => segment.frames)
    batch.put(segmentKey(whole.first), sealSegment({ before: whole.before }, frames))
    batch.put(summaryKey(whole.first), sealValue([encodeSummary(whole)]))
    const arrival = this.#arrivalOf(summary.first)
    if (arrival !== undefined) batch.put(arrivalKey(arrival.seq), sealValue([Buffer.from(String(arrival.at))]))
    await this.#alone(async () => {
      await batch.write({ sync: durable })
      if (arrival !== undefined) this.#parts.arrivals.push(arrival)
      if (durable && this.#unsynced) await this.#syncOlderFiles()
      this.#parts.directory.replaceLast(written.length - 1, entryOf(whole))
    })
    this.#unsynced = !durable
    this.#digest = summary.after
    this.#tail = joins || summary.count >= LARGE_EVENTS ? [] : tail
    this.#parts.committed(summary.first + summary.count - 1, this.#digest, durable)
  }

  /** Changes segments and the directory together, as readers see it. A failure leaves a database that has to be mended. */
  async #alone(change: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#writing = promise
    try {
      await change()
    } catch (error) {
      this.#broken = true
      throw error
    } finally {
      this.#writing = undefined
      resolve()
    }
  }

  /** Takes something from the directory and the database as of one moment: not while a write is in only one of them. */
  async #atOnce<T>(take: (database: LogDatabase) => T): Promise<T> {
    for (;;) {
      const database = await this.#handle.readable
      if (this.#writing === undefined) return take(database)
      await this.#writing
    }
  }

  /**
   * Takes events out of some segments, from the one with `from` on, in one write with the snapshot's rows.
   * @returns where to go on, undefined at the end
   */
  async prune(request: PruneRequest, from: number): Promise<Pruned & { readonly next: number | undefined }> {
    await this.mend()
    const { directory, upcast, author, state } = this.#parts
    if (request.throughEnd === true) await this.#closeTail(request)
    const tail = this.#tail[0]?.summary.first ?? Number.POSITIVE_INFINITY
    const { thinned, rows, next } = await planPruning(this.#database, { directory, upcast }, request, from, tail - 1)
    if (thinned.length === 0) return { events: 0, bytes: 0, next }
    const batch = this.#database.batch()
    batch.put(META_KEY, encodeMeta({ author, floors: state.floors }))
    const { snapshot } = request
    if (snapshot !== undefined) {
      for (const [key, value] of snapshot.rows())
        batch.put(snapshotKey(snapshot.projection, key), sealValue([Buffer.from(value)]))
    }
    for (const { summary, frames } of thinned) {
      if (frames === undefined) batch.del(segmentKey(summary.first)).del(summaryKey(summary.first))
      else batch.put(segmentKey(summary.first), sealSegment({ summary }, [frames]))
    }
    for (const summary of rows) batch.put(summaryKey(summary.first), sealValue([encodeSummary(summary)]))
    await this.#alone(async () => {
      // What the head file says is durable must not lie where only the digests at the ends are known.
      await this.#syncAll()
      await batch.write({ sync: true })
      for (const summary of rows) directory.replace(entryOf(summary))
      for (const { dropped } of thinned) state.unplace(dropped)
    })
    const sum = (of: (one: Thinned) => number): number => thinned.reduce((total, one) => total + of(one), 0)
    return { events: sum(({ events }) => events), bytes: sum(({ bytes }) => bytes), next }
  }

  get arrivals(): readonly Arrival[] {
    return this.#parts.arrivals
  }

  /** Whose log it is, and which numbers are not given out. */
  async writeMeta(meta: Pick<Meta, 'author' | 'floors'>): Promise<void> {
    await this.mend()
    try {
      await this.#database.put(META_KEY, encodeMeta(meta), { sync: true })
    } catch (error) {
      this.#broken = true
      throw error
    }
  }

  /** Gives back the space of what was taken out. */
  async compact(to: number): Promise<void> {
    await this.#database.compactRange(segmentKey(0), segmentKey(to))
    await this.#database.compactRange(summaryKey(0), summaryKey(to))
  }

  async snapshot(projection: string): Promise<readonly SnapshotRow[]> {
    return readSnapshot(await this.#handle.readable, projection)
  }

  bytesOnDisk(): Promise<number> {
    return bytesIn(this.#database.location)
  }

  async *batches({ from, to, kinds }: StoreRange): AsyncGenerator<readonly Envelope[]> {
    const range = { from, to, wanted: kinds && wantedKinds(kinds) }
    // A join moves segments to other keys: directory and snapshot must be of the same moment.
    const { database, stretches, snapshot } = await this.#atOnce((database) => ({
      database,
      stretches: this.#parts.directory.stretches(from, to, kinds && kindBits(kinds)),
      snapshot: database.snapshot(),
    }))
    try {
      for (const stretch of stretches) {
        let batch: Envelope[] = []
        for await (const { entry, value } of this.#segments(stretch, { database, snapshot })) {
          const { first, count } = entry
          orDamaged(first, first + count - 1, () =>
            readSegment(storedFrames(value), 0, first, range, this.#parts.upcast, batch),
          )
          if (batch.length < BATCH_EVENTS) continue
          yield batch
          batch = []
        }
        if (batch.length > 0) yield batch
      }
    } finally {
      await snapshot.close()
    }
  }

  async signedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]> {
    const entries = new Map<number, SegmentEntry>()
    const { database, moment } = await this.#atOnce((database) => {
      for (const seq of seqs) {
        const entry = this.#parts.directory.find(seq)
        if (entry !== undefined && entry.gone !== true) entries.set(entry.first, entry)
      }
      return { database, moment: database.snapshot() }
    })
    const asked = new Set(seqs)
    const found = new Map<number, SignedEvent>()
    await using snapshot = moment
    const values = await database.getMany([...entries.keys()].map(segmentKey), { snapshot }).catch((error) => {
      throw asUnavailable(asDamage(error, Math.min(...seqs), Math.max(...seqs)))
    })
    for (const [index, entry] of [...entries.values()].entries()) {
      const value = values[index]
      const last = entry.first + entry.count - 1
      if (value === undefined) throw damaged({ from: entry.first, to: last, what: 'missing' })
      if (!isSealed(value)) throw damaged({ from: entry.first, to: last, what: 'altered' })
      orDamaged(entry.first, last, () => {
        for (const { seq, body, signature } of signedEventsOf(storedFrames(value), 0, entry.first)) {
          // Copies, so that an event that waits in a queue does not keep its segment in memory.
          if (asked.has(seq)) found.set(seq, { body: new Uint8Array(body), signature: new Uint8Array(signature) })
        }
      })
    }
    return seqs.flatMap((seq) => found.get(seq) ?? [])
  }

  /** Audits what is stored at this moment, while commits go on; the files themselves are not looked at. */
  async verify(options: VerifyOptions): Promise<LogVerdict> {
    const database = await this.#handle.readable
    const last = this.#parts.directory.last
    const mark = { seq: last === undefined ? 0 : last.first + last.count - 1, digest: toHex(this.#digest) }
    const record = { latest: mark, durable: mark, clean: true, boot: null }
    await using snapshot = database.snapshot()
    const entries = entriesOfDatabase(database, snapshot)
    const audited = { entries, record, boot: null, isRepaired: false, problems: [] }
    return await auditEntries(audited, options).catch((error: unknown) => Promise.reject(asUnavailable(error)))
  }

  /** Writes a copy of all that is stored at this moment as the log of another data directory. @returns its last event */
  async copyTo(directory: string, options: CopyOptions): Promise<HeadMark> {
    const database = await this.#handle.readable
    await using moment = database.snapshot()
    // A commit that is being written may be in the database already: the copy then reaches further than its record.
    const last = this.#parts.directory.last
    const head = { seq: last === undefined ? 0 : last.first + last.count - 1, digest: toHex(this.#digest) }
    await copyLog(database, moment, directory, head, options).catch((error: unknown) => Promise.reject(asUnavailable(error)))
    return head
  }

  async close(): Promise<void> {
    let clean = false
    try {
      await this.mend()
      if (this.#unsynced) {
        await this.#database.del(NO_KEY, { sync: true })
        await this.#syncOlderFiles()
      }
      clean = true
    } catch {
      // Nothing to tell anyone: what was promised to be durable is. The log just does not count as closed cleanly.
    }
    try {
      await this.#handle.close()
    } finally {
      this.#parts.closed(clean)
    }
  }

  /** Makes the log one that can be written again after a failed write. @throws what the disk says: it is still not */
  async mend(): Promise<void> {
    if (this.#broken) await this.#mend()
  }

  /** Makes one segment of the small ones at the end if some of what is wanted may stand in them: a tail is not thinned. */
  async #closeTail({ to, kinds }: PruneRequest): Promise<void> {
    const [first, ...more] = this.#tail
    const wanted = kindBits(kinds)
    if (first === undefined || first.summary.first > to) return
    if (!this.#tail.some(({ summary }) => shareKinds(summary.kinds, wanted))) return
    if (more.length > 0) {
      const whole = joinSummaries(
        first.summary,
        more.map(({ summary }) => summary),
      )
      const batch = this.#database.batch()
      for (const { summary } of more) batch.del(segmentKey(summary.first)).del(summaryKey(summary.first))
      const frames = this.#tail.map((segment) => segment.frames)
      batch.put(segmentKey(whole.first), sealSegment({ before: whole.before }, frames))
      batch.put(summaryKey(whole.first), sealValue([encodeSummary(whole)]))
      try {
        await batch.write()
      } catch (error) {
        this.#broken = true
        throw error
      }
      this.#parts.directory.replaceLast(this.#tail.length, entryOf(whole))
      this.#unsynced = true
    }
    this.#tail = []
  }

  /** Brings everything that was ever written to the disk, and the head file after it. */
  async #syncAll(): Promise<void> {
    await this.#database.del(NO_KEY, { sync: true })
    if (this.#unsynced) await this.#syncOlderFiles()
    this.#unsynced = false
    this.#parts.committed(this.#parts.state.head, this.#digest, true)
    this.#parts.syncHead()
  }

  /** One an hour; never earlier than the one before, whatever the clock does. */
  #arrivalOf(seq: number): Arrival | undefined {
    const now = this.#parts.clock.now()
    const last = this.#parts.arrivals.at(-1)
    return last === undefined || now - last.at >= ARRIVAL_EVERY_MS ? { seq, at: now } : undefined
  }

  async *#segments(
    stretch: readonly SegmentEntry[],
    { database, snapshot }: { database: LogDatabase; snapshot: AbstractSnapshot },
  ): AsyncGenerator<{ entry: SegmentEntry; value: Buffer }> {
    const [first, last] = [stretch[0], stretch.at(-1)]
    if (first === undefined || last === undefined) return
    const bounds = { gte: segmentKey(first.first), lte: segmentKey(last.first) }
    const iterator = iteratorOf(database, { ...bounds, snapshot })
    let next = iterator.nextv(READ_AHEAD_ENTRIES)
    let index = 0
    try {
      for (let entries = await next; entries.length > 0; entries = await next) {
        // The next call reads in another thread while these are decoded.
        next = iterator.nextv(READ_AHEAD_ENTRIES)
        next.catch(() => {})
        for (const [key, value] of entries) {
          const entry = stretch[index++]
          if (entry === undefined || firstOfKey(key) !== entry.first) throw missing(stretch, entry, firstOfKey(key))
          if (!isSealed(value)) throw damaged({ from: entry.first, to: entry.first + entry.count - 1, what: 'altered' })
          yield { entry, value }
        }
      }
      const lost = stretch[index]
      if (lost !== undefined) throw missing(stretch, lost, last.first + last.count)
    } catch (error) {
      throw asUnavailable(asDamage(error, stretch[index]?.first ?? last.first, last.first + last.count - 1))
    } finally {
      await iterator.close()
    }
  }

  // A torn record at the end of LevelDB's own log would hide everything written after it, so a database whose write
  // failed is never written to again: it is opened anew, which starts a new file. A write that failed at its fsync may
  // be there all the same; its appenders were told that it is not, so it is taken out.
  async #mend(): Promise<void> {
    await this.#handle.renew()
    const last = this.#parts.directory.last
    const next = last === undefined ? 1 : last.first + last.count
    const batch = this.#database.batch()
    for (const prefix of [segmentKey, summaryKey]) {
      const range = { gte: prefix(next), lte: prefix(Number.MAX_SAFE_INTEGER) }
      for (const key of await this.#database.keys(range).all()) batch.del(key)
    }
    for (const { summary, frames } of this.#tail) {
      batch.put(segmentKey(summary.first), sealSegment({ before: summary.before }, [frames]))
      batch.put(summaryKey(summary.first), sealValue([encodeSummary(summary)]))
    }
    await batch.write({ sync: true })
    this.#broken = false
    this.#unsynced = false
  }

  // LevelDB's fsync reaches the file it writes to now. When that file is new, the end of the one before it may still be
  // on its way: a power cut would then leave a hole under a durable event.
  async #syncOlderFiles(): Promise<void> {
    const names = (await readdir(this.#database.location)).filter((name) => name.endsWith('.log')).sort()
    for (const name of names.slice(0, -1)) await syncFile(join(this.#database.location, name))
  }
}

function iteratorOf(database: LogDatabase, range: { gte: Uint8Array; lte: Uint8Array; snapshot: AbstractSnapshot }) {
  try {
    return database.iterator({ ...range, highWaterMarkBytes: READ_AHEAD_BYTES })
  } catch (error) {
    throw asUnavailable(error)
  }
}

async function syncFile(path: string): Promise<void> {
  try {
    await using file = await open(path, 'r')
    await file.datasync()
  } catch (error) {
    // Gone: its events stand in a table by now, which LevelDB synced before it removed the file.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function missing(stretch: readonly SegmentEntry[], expected: SegmentEntry | undefined, found: number): Error {
  const from = expected?.first ?? (stretch.at(-1)?.first ?? 0) + (stretch.at(-1)?.count ?? 0)
  return found > from
    ? damaged({ from, to: found - 1, what: 'missing' })
    : damaged({ from: found, to: from, what: 'reordered' })
}

function isComplete(tail: readonly TailSegment[]): boolean {
  if (tail.length === 1) return false
  if (!isSmall(tail.at(-1)?.summary)) return true
  let events = 0
  let bytes = 0
  for (const { summary, frames } of tail) {
    events += summary.count
    bytes += frames.length
  }
  return events >= JOIN_EVENTS || bytes >= JOIN_BYTES
}

function summarise({ events, runs }: Commit, before: Uint8Array, after: Uint8Array): SegmentSummary {
  let kinds = NO_KINDS
  let lamportMin = Number.POSITIVE_INFINITY
  let lamportMax = 0
  for (const { envelope } of events) {
    kinds = withKind(kinds, envelope.kind)
    lamportMin = Math.min(lamportMin, envelope.lamport)
    lamportMax = Math.max(lamportMax, envelope.lamport)
  }
  return { first: events[0]?.envelope.seq ?? 0, count: events.length, kinds, lamportMin, lamportMax, before, after, runs }
}

/** True if a segment belongs to the small ones at the end that a later commit will join. */
export function isSmall(summary: SegmentSummary | undefined): boolean {
  return summary !== undefined && summary.count < LARGE_EVENTS && summary.removal === undefined
}

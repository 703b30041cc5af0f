import type { LogDatabase } from '../leveldb/log-database.level.ts'
import { type DamagedRange, LogError } from '../log/event-log.ts'
import type { LogState } from '../log/log-state.ts'
import { toHex } from '../model/hex.ts'
import type { Arrival } from '../pruning/retention.ts'
import { framesOf } from './segment.ts'
import { entryOf, type SegmentDirectory } from './segment-directory.ts'
import { ARRIVALS, firstOfKey, SUMMARIES, segmentKey, summaryKey } from './segment-keys.ts'
import { isSmall, JOIN_BYTES, JOIN_EVENTS, type TailSegment } from './segment-store.level.ts'
import { DIGEST_BYTES, decodeSummary, isMissed, type SegmentSummary } from './segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, damaged, isSealed, orDamaged, storedFrames } from './segment-value.level.ts'

// What open() does: read every summary, but no event save those of the small segments at the end.

const READ_AHEAD = { entries: 1000, bytes: 1024 * 1024 }

const lastOf = ({ first, count }: { readonly first: number; readonly count: number }): number => first + count - 1

/**
 * Reads the summaries into the state and the directory.
 * @returns the small segments at the end, and the chain digest after the last event
 * @throws LogError `LOG_DAMAGED` if they do not follow one another from sequence 1 without a gap and in one chain
 */
export async function scanSummaries(
  database: LogDatabase,
  state: LogState,
  directory: SegmentDirectory,
): Promise<{ tail: TailSegment[]; digest: Uint8Array }> {
  let tail: SegmentSummary[] = []
  let digest: Uint8Array = new Uint8Array(DIGEST_BYTES)
  const ranges: DamagedRange[] = []
  const iterator = database.iterator({ ...SUMMARIES, highWaterMarkBytes: READ_AHEAD.bytes })
  try {
    for (;;) {
      const entries = await iterator.nextv(READ_AHEAD.entries)
      if (entries.length === 0) break
      for (const [key, value] of entries) {
        const first = firstOfKey(key)
        const next = state.head + 1
        if (first > next) ranges.push({ from: next, to: first - 1, what: 'missing' })
        if (first < next) ranges.push({ from: first, to: next - 1, what: 'reordered' })
        if (!isSealed(value)) {
          ranges.push({ from: first, to: first, what: 'altered' })
          continue
        }
        const summary = orDamaged(first, first, () => decodeSummary(value.subarray(CHECKSUM_BYTES)))
        if (ranges.length === 0 && toHex(summary.before) !== toHex(digest)) {
          ranges.push({ from: first, to: lastOf(summary), what: 'altered' })
        }
        state.advance(lastOf(summary), summary.lamportMax, ranges.length === 0 ? summary.runs : [])
        if (ranges.length === 0 && summary.removal !== undefined && !isMissed(summary.removal))
          state.know(summary.removal.known)
        directory.push(entryOf(summary))
        digest = summary.after
        tail = isSmall(summary) ? [...tail, summary].slice(-JOIN_EVENTS) : []
      }
    }
  } finally {
    await iterator.close()
  }
  if (ranges.length > 0) throw new LogError({ code: 'LOG_DAMAGED', ranges })
  return { tail: await loadTail(database, tail), digest }
}

/** The last small segments that a commit may still join, read and held against their digests. */
async function loadTail(database: LogDatabase, summaries: readonly SegmentSummary[]): Promise<TailSegment[]> {
  const tail: TailSegment[] = []
  let events = 0
  let bytes = 0
  for (const summary of summaries.toReversed()) {
    const value = await readSealed(database, summary)
    const frames = orDamaged(summary.first, lastOf(summary), () => storedFrames(value))
    events += summary.count
    bytes += frames.length
    if (events >= JOIN_EVENTS || bytes >= JOIN_BYTES) break
    if (toHex(digestAfter(summary, frames, lastOf(summary)) ?? new Uint8Array()) !== toHex(summary.after)) {
      throw damaged({ from: summary.first, to: lastOf(summary), what: 'altered' })
    }
    tail.unshift({ summary, frames })
  }
  return tail
}

async function readSealed(database: LogDatabase, { first, count }: { first: number; count: number }): Promise<Buffer> {
  const value = await database.get(segmentKey(first))
  if (value === undefined) throw damaged({ from: first, to: first + count - 1, what: 'missing' })
  if (!isSealed(value)) throw damaged({ from: first, to: first + count - 1, what: 'altered' })
  return value
}

/** The chain digest after `seq`, or undefined if no frame ends there. */
function digestAfter(summary: SegmentSummary, segment: Uint8Array, seq: number): Uint8Array | undefined {
  let digest = summary.before
  return orDamaged(summary.first, lastOf(summary), () => {
    for (const frame of framesOf(segment, 0, summary.first)) {
      digest = chainDigest(digest, segment.subarray(frame.start, frame.end))
      if (frame.first + frame.count - 1 === seq) return digest
    }
    return undefined
  })
}

/** The times of arrival that were written down. */
export async function readArrivals(database: LogDatabase): Promise<Arrival[]> {
  const arrivals: Arrival[] = []
  for (const [key, value] of await database.iterator(ARRIVALS).all()) {
    // One that is damaged is done without: the one before speaks for its events, and they stay a little longer.
    const at = isSealed(value) ? Number(value.subarray(CHECKSUM_BYTES).toString()) : Number.NaN
    if (Number.isSafeInteger(at)) arrivals.push({ seq: firstOfKey(key), at })
  }
  return arrivals
}

/** The chain digest (hex) after the event `seq` of an open log, or undefined if no commit ended there. */
export async function digestAt(database: LogDatabase, directory: SegmentDirectory, seq: number): Promise<string | undefined> {
  if (seq === 0) return toHex(new Uint8Array(DIGEST_BYTES))
  const entry = directory.find(seq)
  if (entry === undefined) return undefined
  const sealed = await database.get(summaryKey(entry.first))
  if (sealed === undefined || !isSealed(sealed))
    throw damaged({ from: entry.first, to: entry.first + entry.count - 1, what: 'altered' })
  const summary = decodeSummary(sealed.subarray(CHECKSUM_BYTES))
  if (seq === lastOf(summary)) return toHex(summary.after)
  // Frames are not what they were: only the digests at its ends are known.
  if (summary.removal !== undefined) return undefined
  const value = await readSealed(database, entry)
  const frames = orDamaged(entry.first, lastOf(entry), () => storedFrames(value))
  const digest = digestAfter(summary, frames, seq)
  return digest && toHex(digest)
}

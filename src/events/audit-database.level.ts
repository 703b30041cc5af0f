import type { AbstractSnapshot } from 'abstract-level'
import { LogError } from './event-log.ts'
import type { HeadRecord } from './head-record.ts'
import type { NetworkId, NodeId } from './ids.ts'
import { type LogDatabase, readMeta } from './log-database.level.ts'
import { firstOfKey, SEGMENTS, SUMMARIES } from './segment-keys.ts'
import { framesAt, prefaceOf } from './segment-preface.ts'
import { decodeSummary, type SegmentSummary } from './segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, isSealed } from './segment-value.level.ts'
import { SignaturePool } from './signature-pool.sodium.ts'
import { VarintError } from './varint.ts'
import { type FoundSegment, LogAudit, type LogVerdict, markOf } from './verify-log.ts'

export type VerifyOptions = {
  /** The network whose events they are: every signature is checked too, on all cores. */
  readonly signaturesOf?: NetworkId
  /** Whose log it should be. */
  readonly author?: NodeId
  readonly onProgress?: (progress: { readonly events: number; readonly of: number }) => void
}

export type AuditedDatabase = {
  readonly database: LogDatabase
  /** Reads as of this moment; without it, of the moment when the audit begins. */
  readonly snapshot?: LogSnapshot
  /** How far the log must reach, and the boot to hold it against. */
  readonly record: HeadRecord | undefined
  readonly boot: string | null
  readonly isRepaired: boolean
  /** What is known to be wrong already. */
  readonly problems: readonly string[]
}

type LogSnapshot = AbstractSnapshot

const READ_AHEAD = { entries: 1000, bytes: 1024 * 1024 }

/** Reads every segment of an open database and holds it against its summary, the chain and the head record. */
export async function auditDatabase(audited: AuditedDatabase, options: VerifyOptions): Promise<LogVerdict> {
  const { database, record, boot, isRepaired } = audited
  const { signaturesOf, onProgress } = options
  const problems = [...audited.problems]
  const mark = markOf(record, boot)
  const checker = new LogAudit(chainDigest, mark, isRepaired)
  await checkMeta(database, options.author, problems)
  let checked = 0
  const pool = signaturesOf === undefined ? undefined : new SignaturePool(signaturesOf)
  try {
    for await (const found of segmentsOf(database, audited.snapshot)) {
      checker.add(found)
      onProgress?.({ events: checker.events, of: Math.max(checker.events, mark?.seq ?? 0) })
      if (pool === undefined || !found.frames) continue
      await pool.check({ first: found.first, frames: found.frames }, (result) => {
        checked += result.checked
        for (const seq of result.forged) checker.forged(seq)
      })
    }
    await pool?.drain()
  } finally {
    await pool?.[Symbol.asyncDispose]()
  }
  return checker.finish(record, boot, problems, checked)
}

async function checkMeta(database: LogDatabase, author: NodeId | undefined, problems: string[]): Promise<void> {
  try {
    await readMeta(database, author)
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'LOG_DAMAGED') throw error
    problems.push('the entry that names format and author is gone or altered')
  }
}

/** Segments and summaries side by side, whichever of the two is there. */
export async function* segmentsOf(database: LogDatabase, snapshot: LogSnapshot | undefined): AsyncGenerator<FoundSegment> {
  const summaries = entriesOf(database, { ...SUMMARIES, ...(snapshot && { snapshot }) })
  const segments = entriesOf(database, { ...SEGMENTS, ...(snapshot && { snapshot }) })
  let summary = await summaries.next()
  let segment = await segments.next()
  while (!summary.done || !segment.done) {
    const summaryFirst = summary.done ? Number.POSITIVE_INFINITY : summary.value.first
    const segmentFirst = segment.done ? Number.POSITIVE_INFINITY : segment.value.first
    const first = Math.min(summaryFirst, segmentFirst)
    yield {
      first,
      summary: !summary.done && summaryFirst === first ? readSummary(summary.value) : undefined,
      ...(!segment.done && segmentFirst === first ? unsealed(segment.value.value) : { frames: undefined, preface: undefined }),
    }
    if (summaryFirst === first) summary = await summaries.next()
    if (segmentFirst === first) segment = await segments.next()
  }
}

type Entry = { readonly first: number; readonly value: Buffer }

async function* entriesOf(
  database: LogDatabase,
  range: { gte: Uint8Array; lt: Uint8Array; snapshot?: LogSnapshot },
): AsyncGenerator<Entry, undefined> {
  const iterator = database.iterator({ ...range, highWaterMarkBytes: READ_AHEAD.bytes })
  try {
    for (;;) {
      const entries = await iterator.nextv(READ_AHEAD.entries)
      if (entries.length === 0) return
      for (const [key, value] of entries) if (key.length === 9) yield { first: firstOfKey(key), value }
    }
  } finally {
    await iterator.close()
  }
}

/** Frames and preface of a stored segment; null where it fails its checksum. */
function unsealed(value: Buffer): Pick<FoundSegment, 'frames' | 'preface'> {
  const nothing = { frames: null, preface: undefined }
  if (!isSealed(value)) return nothing
  try {
    return { frames: value.subarray(framesAt(value, CHECKSUM_BYTES)), preface: prefaceOf(value, CHECKSUM_BYTES) }
  } catch (error) {
    if (error instanceof VarintError) return nothing
    throw error
  }
}

function readSummary({ first, value }: Entry): SegmentSummary | undefined {
  if (!isSealed(value)) return undefined
  try {
    const summary = decodeSummary(value.subarray(CHECKSUM_BYTES))
    return summary.first === first ? summary : undefined
  } catch {
    // It has its checksum and still is no summary: as good as none.
    return undefined
  }
}

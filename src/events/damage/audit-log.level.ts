import { VarintError } from '../codec/varint.ts'
import { SignaturePool } from '../keys/signature-pool.sodium.ts'
import { readMeta } from '../leveldb/log-database.level.ts'
import type { StoredEntries } from '../leveldb/stored-entries.ts'
import { LogError } from '../log/event-log.ts'
import type { HeadRecord } from '../log/head-record.ts'
import type { NetworkId, NodeId } from '../model/ids.ts'
import { firstOfKey, type KeyRange, SEGMENTS, SUMMARIES } from '../segments/segment-keys.ts'
import { framesAt, prefaceOf } from '../segments/segment-preface.ts'
import { decodeSummary, type SegmentSummary } from '../segments/segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, isSealed } from '../segments/segment-value.level.ts'
import { type FoundSegment, LogAudit, type LogVerdict, markOf } from './verify-log.ts'

export type VerifyOptions = {
  /** The network whose events they are: every signature is checked too, on all cores. */
  readonly signaturesOf?: NetworkId
  /** Whose log it should be. */
  readonly author?: NodeId
  readonly onProgress?: (progress: { readonly events: number; readonly of: number }) => void
}

export type AuditedLog = {
  readonly entries: StoredEntries
  /** How far the log must reach, and the boot to hold it against. */
  readonly record: HeadRecord | undefined
  readonly boot: string | null
  readonly isRepaired: boolean
  /** What is known to be wrong already. */
  readonly problems: readonly string[]
}

/** `author`: whose log it is, as far as it says. */
export type AuditedVerdict = LogVerdict & { readonly author: NodeId | undefined }

/** Reads every segment of a database and holds it against its summary, the chain and the head record. */
export async function auditEntries(audited: AuditedLog, options: VerifyOptions): Promise<AuditedVerdict> {
  const { entries, record, boot, isRepaired } = audited
  const { signaturesOf, onProgress } = options
  const problems = [...audited.problems]
  const mark = markOf(record, boot)
  const checker = new LogAudit(chainDigest, mark, isRepaired)
  const said = await authorOf(entries, problems)
  const locals = new Set<NodeId>()
  let checked = 0
  const pool = signaturesOf === undefined ? undefined : new SignaturePool(signaturesOf)
  try {
    for await (const found of segmentsOf(entries)) {
      checker.add(found)
      for (const { author, stream } of found.summary?.runs ?? []) if (stream === 'local') locals.add(author)
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
  // Private events are always their own node's, so they say best whose log it is.
  const { author: expected = said } = options
  const author = expected !== undefined && locals.has(expected) ? expected : ([...locals][0] ?? said)
  if (said !== undefined && author !== undefined && said !== author)
    problems.push(`the entry that names format and author is that of the log of node ${said}`)
  for (const other of locals) if (other !== author) problems.push(`there are private events of node ${other} in it`)
  if (options.author !== undefined && author !== undefined && author !== options.author)
    throw new LogError({ code: 'LOG_FOREIGN', expected: options.author, found: author })
  return { ...checker.finish(record, boot, problems, checked), author }
}

/** Whose log it says it is. */
async function authorOf(entries: StoredEntries, problems: string[]): Promise<NodeId | undefined> {
  try {
    return (await readMeta(entries, undefined)).author
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'LOG_DAMAGED') throw error
    problems.push('the entry that names format and author is gone or altered')
    return undefined
  }
}

/** Segments and summaries side by side, whichever of the two is there. */
export async function* segmentsOf(stored: StoredEntries): AsyncGenerator<FoundSegment> {
  const summaries = entriesOf(stored, SUMMARIES)
  const segments = entriesOf(stored, SEGMENTS)
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

async function* entriesOf(stored: StoredEntries, range: KeyRange): AsyncGenerator<Entry, undefined> {
  for await (const [key, value] of stored.entries(range)) if (key.length === 9) yield { first: firstOfKey(key), value }
}

/** Frames and preface of a stored segment; null where it fails its checksum. */
export function unsealed(value: Buffer): Pick<FoundSegment, 'frames' | 'preface'> {
  const nothing = { frames: null, preface: undefined }
  if (!isSealed(value)) return nothing
  try {
    return { frames: value.subarray(framesAt(value, CHECKSUM_BYTES)), preface: prefaceOf(value, CHECKSUM_BYTES) }
  } catch (error) {
    if (error instanceof VarintError) return nothing
    throw error
  }
}

export function readSummary({ first, value }: Entry): SegmentSummary | undefined {
  if (!isSealed(value)) return undefined
  try {
    const summary = decodeSummary(value.subarray(CHECKSUM_BYTES))
    return summary.first === first ? summary : undefined
  } catch {
    // It has its checksum and still is no summary: as good as none.
    return undefined
  }
}

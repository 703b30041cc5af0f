import { copyFileSync, existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { LogError } from './event-log.ts'
import { bootId, isHeadFileWhole, readHeadFile } from './head-file.fs.ts'
import { damageInLogFile, damageInTable } from './leveldb-files.ts'
import { type LogDatabase, logPaths, openDatabase, readMeta } from './log-database.level.ts'
import { claimPath } from './open-paths.fs.ts'
import { firstOfKey, SEGMENTS, SUMMARIES } from './segment-keys.ts'
import { decodeSummary, type SegmentSummary } from './segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, isSealed } from './segment-value.level.ts'
import { SignaturePool } from './signature-pool.sodium.ts'
import { type FoundSegment, LogAudit, type LogVerdict, markOf } from './verify-log.ts'

export type VerifyOptions = {
  /** Check every signature too, on all cores. */
  readonly signatures?: boolean
  readonly onProgress?: (progress: { readonly events: number; readonly of: number }) => void
}

const READ_AHEAD = { entries: 1000, bytes: 1024 * 1024 }

/**
 * Reads all of a stopped node's log and names every range that is missing, altered or reordered. The files are not
 * touched: opening a LevelDB database rewrites it, and with it the traces of what happened, so a copy is opened whose
 * tables are hard links. The caller holds the directory's lock, see `openStoppedDirectory`.
 * @throws LogError `LOG_MISSING`, `LOG_LOCKED`, `LOG_NEWER`
 */
export async function verifyLog(directory: string, options: VerifyOptions = {}): Promise<LogVerdict> {
  const paths = logPaths(directory)
  if (!existsSync(paths.database) && !existsSync(paths.head)) throw new LogError({ code: 'LOG_MISSING', directory })
  const release = claimPath(directory, 'log')
  const copy = mkdtempSync(join(directory, 'verify-'))
  try {
    linkDatabase(paths.database, copy)
    const record = readHeadFile(paths.head)
    const problems = fileDamage(copy, record?.clean ?? false)
    if (record === undefined) problems.push('the head file is missing or unreadable')
    else if (!isHeadFileWhole(paths.head)) problems.push('one of the two records of the head file is unreadable')
    try {
      return await auditAt(copy, false, problems, paths.head, options)
    } catch (error) {
      if (error instanceof LogError) throw error
      problems.unshift(`the database cannot be read: ${sentence(error, copy)}`)
    }
    try {
      await ClassicLevel.repair(copy)
      return await auditAt(copy, true, problems, paths.head, options)
    } catch (error) {
      if (error instanceof LogError) throw error
      problems.push(`nor can it be repaired: ${sentence(error, copy)}`)
      return verdictWithout(problems, paths.head)
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
    release()
  }
}

const isTable = (name: string): boolean => /\.(ldb|sst)$/.test(name)

/** Tables never change once they are written; everything else is copied. Not the lock: closing any copy of it would free it. */
function linkDatabase(from: string, to: string): void {
  if (!existsSync(from)) return
  for (const name of readdirSync(from)) {
    if (name === 'LOCK') continue
    try {
      if (isTable(name)) linkSync(join(from, name), join(to, name))
      else copyFileSync(join(from, name), join(to, name))
    } catch (error) {
      if (!isTable(name)) throw error
      copyFileSync(join(from, name), join(to, name))
    }
  }
}

/** Sentences about LevelDB's files whose own checksums fail, even where no event that counts stands in those bytes. */
function fileDamage(path: string, isClean: boolean): string[] {
  return readdirSync(path).flatMap((name) => {
    const isLog = name.endsWith('.log') || name.startsWith('MANIFEST')
    if (!isLog && !isTable(name)) return []
    const bytes = readFileSync(join(path, name))
    const [first, ...others] = isLog ? damageInLogFile(bytes, !isClean) : damageInTable(bytes)
    if (first === undefined) return []
    return [`${name} is damaged at byte ${first}${others.length > 0 ? ` and in ${others.length} other places` : ''}`]
  })
}

function sentence(error: unknown, path: string): string {
  const { cause, message } = error as Error
  return cause instanceof Error ? sentence(cause, path) : message.replaceAll(`${path}/`, '').replaceAll(path, 'the log')
}

function verdictWithout(problems: readonly string[], headPath: string): LogVerdict {
  const record = readHeadFile(headPath)
  return new LogAudit(chainDigest, markOf(record, bootId()), true).finish(record, bootId(), problems, 0)
}

async function auditAt(
  path: string,
  isRepaired: boolean,
  problems: readonly string[],
  headPath: string,
  options: VerifyOptions,
): Promise<LogVerdict> {
  const database = await openDatabase(path, false)
  try {
    return await audit(database, isRepaired, [...problems], headPath, options)
  } finally {
    await database.close()
  }
}

async function audit(
  database: LogDatabase,
  isRepaired: boolean,
  problems: string[],
  headPath: string,
  { signatures = false, onProgress }: VerifyOptions,
): Promise<LogVerdict> {
  const record = readHeadFile(headPath)
  const boot = bootId()
  const mark = markOf(record, boot)
  const checker = new LogAudit(chainDigest, mark, isRepaired)
  await checkMeta(database, problems)
  let checked = 0
  const pool = signatures ? new SignaturePool() : undefined
  try {
    for await (const found of segmentsOf(database)) {
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

async function checkMeta(database: LogDatabase, problems: string[]): Promise<void> {
  try {
    await readMeta(database, undefined)
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'LOG_DAMAGED') throw error
    problems.push('the entry that names format and author is gone or altered')
  }
}

/** Segments and summaries side by side, whichever of the two is there. */
async function* segmentsOf(database: LogDatabase): AsyncGenerator<FoundSegment> {
  const summaries = entriesOf(database, SUMMARIES)
  const segments = entriesOf(database, SEGMENTS)
  let summary = await summaries.next()
  let segment = await segments.next()
  while (!summary.done || !segment.done) {
    const summaryFirst = summary.done ? Number.POSITIVE_INFINITY : summary.value.first
    const segmentFirst = segment.done ? Number.POSITIVE_INFINITY : segment.value.first
    const first = Math.min(summaryFirst, segmentFirst)
    yield {
      first,
      summary: !summary.done && summaryFirst === first ? readSummary(summary.value) : undefined,
      frames: !segment.done && segmentFirst === first ? unsealed(segment.value.value) : undefined,
    }
    if (summaryFirst === first) summary = await summaries.next()
    if (segmentFirst === first) segment = await segments.next()
  }
}

type Entry = { readonly first: number; readonly value: Buffer }

async function* entriesOf(database: LogDatabase, range: { gte: Uint8Array; lt: Uint8Array }): AsyncGenerator<Entry, undefined> {
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

const unsealed = (value: Buffer): Uint8Array | null => (isSealed(value) ? value.subarray(CHECKSUM_BYTES) : null)

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

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { claimPath } from '../files/open-paths.fs.ts'
import { replaceFile } from '../files/replace-file.fs.ts'
import { syncDirectory } from '../files/sync-directory.fs.ts'
import { logPaths, openDatabase } from '../leveldb/log-database.level.ts'
import { bootId, HeadFile } from '../log/head-file.fs.ts'
import type { HeadMark } from '../log/head-record.ts'
import type { Floors } from '../log/log-state.ts'
import { toHex } from '../model/hex.ts'
import { META_KEY, SUMMARIES } from '../segments/segment-keys.ts'
import { decodeSummary } from '../segments/segment-summary.ts'
import { CHECKSUM_BYTES } from '../segments/segment-value.level.ts'
import type { LostRange } from './salvage.ts'
import { removeScrubRecord } from './scrub-record.fs.ts'
import type { LogVerdict } from './verify-log.ts'

// How a repaired log takes the place of the damaged one: in steps, each of which may be the last before a crash. Until the
// damaged database is moved, whoever comes next begins again; from then on he finishes, and says what was said in vain.

/** The new database while it is being written, in the data directory. */
const DRAFT = 'log.repaired'
/** The damaged files until the repaired log is in its place; then they are called `damaged-<n>`. */
const ASIDE = 'damaged.part'
/** Stands with the damaged files: what was wrong with them, and what is gone. */
const REPORT = 'repair.json'

export type RepairReport = {
  /** What was wrong. */
  readonly before: LogVerdict
  readonly lost: readonly LostRange[]
  /** Own events are numbered from here on, so that no number is given out twice; streams that lost nothing are not named. */
  readonly floors: Floors
}

/** The report, and where the damaged files are kept. */
export type KeptReport = RepairReport & { readonly keptIn: string }

/** Where the new database is to be written; what an earlier repair left there is gone. */
export function newDraft(directory: string): string {
  const draft = join(directory, DRAFT)
  rmSync(draft, { recursive: true, force: true })
  return draft
}

/**
 * Moves the damaged database aside and the draft, which must be whole, to its place. States that follow from the log go
 * with it: they may hold what it has lost, and are folded again.
 */
export async function putInPlace(directory: string, report: RepairReport): Promise<KeptReport> {
  const paths = logPaths(directory)
  const aside = join(directory, ASIDE)
  mkdirSync(aside)
  if (existsSync(paths.head)) copyFileSync(paths.head, join(aside, 'head'))
  replaceFile(join(aside, REPORT), Buffer.from(`${JSON.stringify(report, null, 2)}\n`))
  const projections = join(directory, 'projections')
  if (existsSync(projections)) renameSync(projections, join(aside, 'projections'))
  if (existsSync(paths.database)) renameSync(paths.database, join(aside, 'log'))
  return { ...report, keptIn: await finish(directory) }
}

/**
 * Ends what a repair that was cut off has begun. The caller holds the directory's lock.
 * @returns its report, where it had come so far that it had to be finished
 */
export async function finishEarlierRepair(directory: string): Promise<KeptReport | undefined> {
  const [draft, aside] = [join(directory, DRAFT), join(directory, ASIDE)]
  if (!existsSync(draft) && !existsSync(aside)) return undefined
  const release = claimPath(directory, 'log')
  try {
    const report = readReport(aside)
    const isInPlace = existsSync(logPaths(directory).database)
    if (existsSync(draft) && (isInPlace || (report === undefined && !(await isWhole(draft))))) {
      rmSync(draft, { recursive: true })
      // Somebody put a log there by hand: what was moved aside is kept all the same.
      if (existsSync(join(aside, 'log'))) nameAside(directory)
      else rmSync(aside, { recursive: true, force: true })
      return undefined
    }
    const keptIn = await finish(directory)
    return report && { ...report, keptIn }
  } finally {
    release()
  }
}

/** The damaged database is moved. */
async function finish(directory: string): Promise<string> {
  const draft = join(directory, DRAFT)
  if (existsSync(draft)) {
    // It speaks of tables of the old log, and the new ones may have their names.
    removeScrubRecord(directory)
    renameSync(draft, logPaths(directory).database)
    syncDirectory(directory)
  }
  await recordHead(directory)
  return nameAside(directory)
}

function nameAside(directory: string): string {
  const aside = join(directory, ASIDE)
  const keptIn = nextDamaged(directory)
  if (existsSync(aside)) {
    syncDirectory(aside)
    renameSync(aside, keptIn)
    syncDirectory(directory)
  }
  return keptIn
}

function nextDamaged(directory: string): string {
  for (let number = 1; ; number++) {
    const path = join(directory, `damaged-${number}`)
    if (!existsSync(path)) return path
  }
}

function readReport(aside: string): RepairReport | undefined {
  try {
    return JSON.parse(readFileSync(join(aside, REPORT), 'utf8')) as RepairReport
  } catch {
    return undefined
  }
}

/** True if the last entry of a draft is written. */
async function isWhole(draft: string): Promise<boolean> {
  const database = await openDatabase(draft, false).catch(() => undefined)
  if (database === undefined) return false
  const meta = await database.get(META_KEY)
  await database.close()
  return meta !== undefined
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

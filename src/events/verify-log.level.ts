import { existsSync } from 'node:fs'
import { auditDatabase, type VerifyOptions } from './audit-database.level.ts'
import { LogError } from './event-log.ts'
import { bootId, isHeadFileWhole, readHeadFile } from './head-file.fs.ts'
import { linkedCopy } from './linked-copy.fs.ts'
import { LOG_NAME, logPaths, openDatabase, repairDatabase } from './log-database.level.ts'
import { fileDamage } from './log-files.fs.ts'
import { claimPath } from './open-paths.fs.ts'
import { chainDigest } from './segment-value.level.ts'
import { LogAudit, type LogVerdict, markOf } from './verify-log.ts'

const COPY_PREFIX = 'verify-'

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
  try {
    using linked = linkedCopy(directory, LOG_NAME, COPY_PREFIX)
    const copy = linked.path
    const record = readHeadFile(paths.head)
    const problems = existsSync(paths.database)
      ? fileDamage(paths.database, { isClean: record?.clean ?? false, tables: true })
      : []
    if (record === undefined) problems.push('the head file is missing or unreadable')
    else if (!isHeadFileWhole(paths.head)) problems.push('one of the two records of the head file is unreadable')
    try {
      return await auditAt(copy, false, problems, paths.head, options)
    } catch (error) {
      if (error instanceof LogError) throw error
      problems.unshift(`the database cannot be read: ${sentence(error, copy)}`)
    }
    try {
      await repairDatabase(copy)
      return await auditAt(copy, true, problems, paths.head, options)
    } catch (error) {
      if (error instanceof LogError) throw error
      problems.push(`nor can it be repaired: ${sentence(error, copy)}`)
      return verdictWithout(problems, paths.head)
    }
  } finally {
    release()
  }
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
    const record = readHeadFile(headPath)
    return await auditDatabase({ database, record, boot: bootId(), isRepaired, problems }, options)
  } finally {
    await database.close()
  }
}

import { existsSync } from 'node:fs'
import { claimPath } from '../files/open-paths.fs.ts'
import { DatabaseFiles } from '../leveldb/database-files.fs.ts'
import { logPaths } from '../leveldb/log-database.level.ts'
import { fileDamage, readManifest } from '../leveldb/log-files.fs.ts'
import type { StoredEntries } from '../leveldb/stored-entries.ts'
import { LogError } from '../log/event-log.ts'
import { bootId, isHeadFileWhole, readHeadFile } from '../log/head-file.fs.ts'
import { type AuditedVerdict, auditEntries, type VerifyOptions } from './audit-log.level.ts'

/**
 * Reads all of a stopped node's log and names every range that is missing, altered or reordered. The files are read as they
 * are, without LevelDB: that rewrites what it opens, and with it the traces of what happened, and damage can end its
 * process. The caller holds the directory's lock, see `openStoppedDirectory`.
 * @throws LogError `LOG_MISSING`, `LOG_LOCKED`, `LOG_NEWER`
 */
export async function verifyLog(directory: string, options: VerifyOptions = {}): Promise<AuditedVerdict> {
  const paths = logPaths(directory)
  if (!existsSync(paths.database) && !existsSync(paths.head)) throw new LogError({ code: 'LOG_MISSING', directory })
  const release = claimPath(directory, 'log')
  try {
    const record = readHeadFile(paths.head)
    const isThere = existsSync(paths.database)
    const check = { isClean: record?.clean ?? false }
    const problems = isThere ? [...(await fileDamage(paths.database, check)).problems] : []
    if (record === undefined) problems.push('the head file is missing or unreadable')
    else if (!isHeadFileWhole(paths.head)) problems.push('one of the two records of the head file is unreadable')
    using files = isThere ? DatabaseFiles.read(paths.database) : undefined
    // Without a MANIFEST what was replaced cannot be told from what holds.
    const isRepaired = isThere && !isManifestWhole(paths.database)
    const audited = { entries: files ?? NO_ENTRIES, record, boot: bootId(), isRepaired, problems }
    return await auditEntries(audited, options)
  } finally {
    release()
  }
}

function isManifestWhole(database: string): boolean {
  const manifest = readManifest(database)
  return typeof manifest !== 'string' && manifest.live !== undefined
}

const NO_ENTRIES: StoredEntries = {
  get: async () => undefined,
  async *entries() {},
}

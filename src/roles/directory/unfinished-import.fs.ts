import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../events/files/replace-file.fs.ts'

// A log that an import has filled half way reads well, and its chain holds: nothing in it tells. So a mark stands beside
// it from before the first event until all are on the disk, and whoever opens the directory meanwhile is told.

const UNFINISHED = 'import.json'

/** The file whose events are not all in this directory's log; undefined if no import was cut off here. */
export function unfinishedImport(directory: string): string | undefined {
  const path = join(directory, UNFINISHED)
  if (!existsSync(path)) return undefined
  try {
    const { file } = JSON.parse(readFileSync(path, 'utf8')) as { file?: unknown }
    return typeof file === 'string' ? file : 'an export'
  } catch {
    return 'an export'
  }
}

/** @param file whose events are about to be stored */
export function beginImport(directory: string, file: string): void {
  replaceFile(join(directory, UNFINISHED), Buffer.from(`${JSON.stringify({ file }, null, 2)}\n`))
}

/** All of it is on the disk. */
export function endImport(directory: string): void {
  rmSync(join(directory, UNFINISHED), { force: true })
}

import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../files/replace-file.fs.ts'

// Which tables of a log were found whole, in `scrub.json` of the data directory. It is only a memory: without it all are
// read again.

const FILE = 'scrub.json'

/** A table that was found whole: when, ms since 1970, the CRC-32 of its file, and which file that was. */
export type TableFound = { readonly at: number; readonly crc32: number; readonly file: string }

/**
 * Tells a file from any other that comes to its place, as a copy put there by hand does; undefined where there is none.
 * LevelDB never writes to a table again.
 */
export function fileStamp(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && `${found.ino} ${found.size} ${found.mtimeMs}`
}

export type ScrubRecord = {
  /** By the table's name. */
  readonly checked: Readonly<Record<string, TableFound>>
  /** Tables that were found damaged; a start looks at these first. */
  readonly damaged: readonly string[]
  /** LevelDB opens tables that were not read just now: should it end the process, the next start reads all. */
  readonly isOpening?: boolean
}

const isFound = (entry: Partial<TableFound> | null): boolean =>
  Number.isFinite(entry?.at) && Number.isFinite(entry?.crc32) && typeof entry?.file === 'string'

/** Empty where there is none that can be read. */
export function readScrubRecord(directory: string): ScrubRecord {
  try {
    const { checked, damaged, isOpening } = JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as Partial<ScrubRecord>
    const found = Object.entries(checked ?? {}).filter(([, each]) => isFound(each))
    return {
      checked: Object.fromEntries(found),
      damaged: Array.isArray(damaged) ? damaged.filter((name) => typeof name === 'string') : [],
      ...(isOpening === true && { isOpening }),
    }
  } catch {
    return { checked: {}, damaged: [] }
  }
}

/** For a database that is made anew: its tables may have the names of others. */
export const removeScrubRecord = (directory: string): void => rmSync(join(directory, FILE), { force: true })

export function writeScrubRecord(directory: string, record: ScrubRecord): void {
  replaceFile(join(directory, FILE), Buffer.from(`${JSON.stringify(record, null, 2)}\n`))
}

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../files/replace-file.fs.ts'

// Which tables of a log were found whole, in `scrub.json` of the data directory. It is only a memory: without it all are
// read again.

const FILE = 'scrub.json'

/** When a table was found whole, ms since 1970, and the CRC-32 of its file then: tables never change. */
export type TableFound = { readonly at: number; readonly crc32: number }

export type ScrubRecord = {
  /** By the table's name. */
  readonly checked: Readonly<Record<string, TableFound>>
  /** Tables that were found damaged; a start looks at these first. */
  readonly damaged: readonly string[]
  /** LevelDB opens tables that were not read just now: should it end the process, the next start reads all. */
  readonly isOpening?: boolean
}

/** Empty where there is none that can be read. */
export function readScrubRecord(directory: string): ScrubRecord {
  try {
    const { checked, damaged, isOpening } = JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as Partial<ScrubRecord>
    const found = Object.entries(checked ?? {}).filter(([, each]) => Number.isFinite(each?.at) && Number.isFinite(each.crc32))
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

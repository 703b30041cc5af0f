import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { logPaths } from '../leveldb/log-database.level.ts'
import type { TableMemory } from '../leveldb/log-files.fs.ts'
import { isHeadClean } from '../log/head-file.fs.ts'
import type { Clock } from '../model/time.ts'
import { fileStamp, readScrubRecord, type ScrubRecord, type TableFound, writeScrubRecord } from './scrub-record.fs.ts'

/**
 * Bytes of tables that are read at a start although they were found whole before, those first that were not read for longest.
 * From the cache of the system they take a tenth of a second.
 */
const READ_AGAIN_BYTES = 192 << 20

/**
 * Which tables a start reads before LevelDB does, whose assertions end the process at a damaged block: each that was never
 * found whole, so that none is opened that nobody has read. What has spoilt since then ends the process at most once: after
 * an end that was not clean all are read.
 */
export class TablesAtStart implements TableMemory {
  readonly #directory: string
  readonly #clock: Clock
  readonly #record: ScrubRecord
  /** Found whole before. */
  readonly #known: ReadonlySet<string>
  readonly #again: ReadonlySet<string>
  readonly #whole = new Map<string, TableFound>()
  #passesOver = false

  constructor(directory: string, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
    this.#record = readScrubRecord(directory)
    const { checked, damaged, isOpening } = this.#record
    const paths = logPaths(directory)
    const isSame = (name: string): boolean => fileStamp(join(paths.database, name)) === checked[name]?.file
    this.#known = new Set(Object.keys(checked).filter((name) => !damaged.includes(name) && isSame(name)))
    const isClean = isHeadClean(paths.head) && isOpening !== true
    this.#again = isClean ? longestUnread(paths.database, this.#record) : this.#known
  }

  reads(name: string): boolean {
    const isRead = !this.#known.has(name) || this.#again.has(name)
    if (!isRead) this.#passesOver = true
    return isRead
  }

  isKnown(name: string, bytes: Uint8Array): boolean {
    return this.#record.checked[name]?.crc32 === crc32(bytes)
  }

  onWhole(name: string, bytes: Uint8Array): void {
    const file = fileStamp(join(logPaths(this.#directory).database, name))
    if (file !== undefined) this.#whole.set(name, { at: this.#clock.now(), crc32: crc32(bytes), file })
  }

  /** Keeps what was found, for the next start and the scrub. LevelDB comes next. */
  remember(): void {
    if (this.#whole.size > 0 || this.#passesOver) this.#write(this.#passesOver)
  }

  /** LevelDB has opened them, and from now on the head file says that the end was not clean. */
  opened(): void {
    if (this.#passesOver) this.#write(false)
  }

  #write(isOpening: boolean): void {
    const { database } = logPaths(this.#directory)
    const checked = Object.entries(this.#record.checked).filter(([name]) => existsSync(join(database, name)))
    const damaged = this.#record.damaged.filter((name) => !this.#whole.has(name))
    try {
      const found = { checked: Object.fromEntries([...checked, ...this.#whole]), damaged }
      writeScrubRecord(this.#directory, { ...found, ...(isOpening && { isOpening }) })
    } catch {
      // The disk is full or failing, which the log's own writes will tell: these tables are read once more.
    }
  }
}

function longestUnread(database: string, { checked }: ScrubRecord): ReadonlySet<string> {
  let left = READ_AGAIN_BYTES
  const again = Object.entries(checked)
    .sort(([, a], [, b]) => a.at - b.at)
    .filter(([name]) => {
      left -= statSync(join(database, name), { throwIfNoEntry: false })?.size ?? 0
      return left >= 0
    })
  return new Set(again.map(([name]) => name))
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { LiveTable } from '../leveldb/leveldb-manifest.ts'
import { blocksOf, placesOfTable, type Span } from '../leveldb/leveldb-table.ts'
import { logPaths } from '../leveldb/log-database.level.ts'
import { belongs, readManifest, tableNames } from '../leveldb/log-files.fs.ts'
import type { DamagedRange } from '../log/event-log.ts'
import type { Clock } from '../model/time.ts'
import { firstOfKey, isKeyPrefix, KEY_BYTES, SEGMENTS } from '../segments/segment-keys.ts'
import { isSealed } from '../segments/segment-value.level.ts'
import { fileStamp, readScrubRecord, type ScrubRecord, writeScrubRecord } from './scrub-record.fs.ts'

// Reads the tables of a log that is in use, as disks forget: LevelDB hands out what has changed without a word. Tables never
// change once they are written, so they can be read beside it.

/** A table that was read is read again after this, ms. */
export const SCRUB_AGAIN_MS = 7 * 86_400_000

export type TableDamage = {
  readonly file: string
  /** Events that stand there, as far as that can be told. */
  readonly range: DamagedRange
}

export type ScrubOptions = {
  /** The node's data directory. */
  readonly directory: string
  readonly clock: Clock
  /** Called between blocks with the bytes that were read, to go slowly. */
  pause(bytes: number): Promise<void>
  onDamage(damage: TableDamage): void
}

/**
 * Reads every table that was not read for a week.
 * @returns how many were read
 * @throws what the disk says; the signal's reason
 */
export async function scrubLog({ directory, clock, pause, onDamage }: ScrubOptions, signal: AbortSignal): Promise<number> {
  const { database } = logPaths(directory)
  const manifest = readManifest(database)
  const tables = (typeof manifest === 'string' ? undefined : manifest.live?.tables) ?? new Map<number, LiveTable>()
  let record: ScrubRecord = readScrubRecord(directory)
  let read = 0
  for (const [number, table] of tables) {
    const name = tableNames(number)[0] as string
    if (record.damaged.includes(name) || clock.now() - (record.checked[name]?.at ?? 0) < SCRUB_AGAIN_MS) continue
    signal.throwIfAborted()
    // Gone meanwhile: joined with others to another table.
    const file = fileStamp(join(database, name))
    const bytes = await readFile(join(database, name)).catch(() => undefined)
    if (bytes === undefined || file === undefined) continue
    const damaged: Span[] = belongs(bytes, table) ? [] : [{ at: 0, length: bytes.length }]
    for (const { isWhole, ...block } of blocksOf(bytes)) {
      if (!isWhole) damaged.push(block)
      await pause(block.length)
      signal.throwIfAborted()
    }
    read++
    if (damaged.length > 0) onDamage({ file: name, range: rangeOf(bytes, damaged) })
    const names = [...tables.keys()].flatMap(tableNames)
    const checked = only(record.checked, names)
    record =
      damaged.length > 0
        ? {
            checked: only(
              checked,
              names.filter((each) => each !== name),
            ),
            damaged: [...record.damaged, name],
          }
        : { checked: { ...checked, [name]: { at: clock.now(), crc32: crc32(bytes), file } }, damaged: record.damaged }
    writeScrubRecord(directory, record)
  }
  return read
}

const only = (checked: ScrubRecord['checked'], names: readonly string[]): ScrubRecord['checked'] =>
  Object.fromEntries(Object.entries(checked).filter(([name]) => names.includes(name)))

/** The events of these blocks: from the first that begins in them to the last before one that begins behind them. */
function rangeOf(bytes: Uint8Array, blocks: readonly Span[]): DamagedRange {
  const looking = { isKey: isKeyPrefix, isSound: (_key: Uint8Array, value: Uint8Array) => isSealed(Buffer.from(value)) }
  // Segments where there are some: summaries stand in front of all of them, whatever their places are.
  const places = placesOfTable(bytes, looking)
    .filter(({ key }) => key.length === KEY_BYTES)
    .map(({ key, at }) => ({
      first: firstOfKey(key),
      isSegment: compare(key, SEGMENTS.gte) >= 0 && compare(key, SEGMENTS.lt) < 0,
      at,
    }))
  const segments = places.filter(({ isSegment }) => isSegment)
  const ranges = blocks.map(({ at, length }) => {
    const within = (place: { at: number }): boolean => place.at >= at && place.at < at + length
    const list = segments.some(within) || !places.some(within) ? segments : places
    const from = (list.find(within) ?? list.findLast((place) => place.at < at))?.first ?? 1
    const next = list.find((place) => place.at >= at + length && place.first > from)?.first ?? Number.MAX_SAFE_INTEGER
    return { from, to: next - 1 }
  })
  return {
    from: Math.min(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
    what: 'altered',
  }
}

const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

import { joinBytes } from '../codec/join-bytes.ts'
import { Cursor, VarintError } from '../codec/varint.ts'
import { crc32c } from './crc32c.ts'
import { unmask, viewOf } from './leveldb-block.ts'

// Log files of LevelDB (`.log`, `MANIFEST`), read from outside: the binding drops a damaged record without a word.
// Format: doc/log_format.md of google/leveldb.

const BLOCK_BYTES = 32_768
const RECORD_HEADER_BYTES = 7
/** Parts of a record: whole, or the first, middle and last of several. */
const PART = { full: 1, first: 2, last: 4 } as const

/**
 * A `.log` or `MANIFEST` file.
 * @param mayBeTorn it was not closed cleanly: what is cut off or unwritten at its very end is how a crash leaves it, and
 *   no damage; whether something acknowledged was in it, the head file knows
 */
export function damageInLogFile(bytes: Uint8Array, mayBeTorn: boolean): number[] {
  const view = viewOf(bytes)
  const damaged: number[] = []
  let lastWhole = -1
  for (let block = 0; block < bytes.length; block += BLOCK_BYTES) {
    const blockEnd = Math.min(block + BLOCK_BYTES, bytes.length)
    let at = block
    while (at + RECORD_HEADER_BYTES <= blockEnd) {
      const length = view.getUint16(at + 4, true)
      const end = at + RECORD_HEADER_BYTES + length
      if (end > blockEnd || unmask(view.getUint32(at, true)) !== crc32c(bytes, at + 6, end)) {
        damaged.push(at)
        break
      }
      lastWhole = at
      at = end
    }
    // The rest of a block that is too short for a header is filled with zeros.
    if (blockEnd - at < RECORD_HEADER_BYTES && bytes.subarray(at, blockEnd).some((byte) => byte !== 0)) damaged.push(at)
  }
  return mayBeTorn ? damaged.filter((at) => at < lastWhole) : damaged
}

/** The records of a `.log` or `MANIFEST` file, up to the first that is damaged or cut off. */
export function* recordsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (const { record, isWhole } of allRecordsOf(bytes)) {
    if (!isWhole) return
    yield record
  }
}

type Fragment = { readonly kind: number; readonly at: number; readonly end: number; readonly isWhole: boolean }

/** Parts of records: the whole ones, and what stands between them. */
function* fragmentsOf(bytes: Uint8Array): Generator<Fragment> {
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const blockEnd = Math.min(bytes.length, at - (at % BLOCK_BYTES) + BLOCK_BYTES)
    if (blockEnd - at < RECORD_HEADER_BYTES) {
      at = blockEnd
      continue
    }
    const end = endOfFragment(bytes, at, blockEnd)
    if (end !== undefined) {
      yield { kind: bytes[at + 6] as number, at: at + RECORD_HEADER_BYTES, end, isWhole: true }
      at = end
      continue
    }
    // Its length may be what is damaged: the next one is looked for.
    let next = at + 1
    while (next < blockEnd && endOfFragment(bytes, next, blockEnd) === undefined) next++
    yield { kind: 0, at: Math.min(at + RECORD_HEADER_BYTES, next), end: next, isWhole: false }
    at = next
  }
}

/** Where the fragment ends whose header stands here; undefined if none does whose checksum holds. */
function endOfFragment(bytes: Uint8Array, at: number, blockEnd: number): number | undefined {
  const kind = bytes[at + 6] as number
  if (at + RECORD_HEADER_BYTES > blockEnd || kind < PART.full || kind > PART.last) return undefined
  const end = at + RECORD_HEADER_BYTES + ((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8))
  if (end > blockEnd || unmask(viewOf(bytes).getUint32(at, true)) !== crc32c(bytes, at + 6, end)) return undefined
  return end
}

/** Every record, with what is left of those that are damaged. */
function* allRecordsOf(bytes: Uint8Array): Generator<{ record: Uint8Array; isWhole: boolean }> {
  let parts: Fragment[] = []
  const taken = (): { record: Uint8Array; isWhole: boolean } => {
    const record = joinBytes(parts.map(({ at, end }) => bytes.subarray(at, end)))
    const isWhole = parts.every((part) => part.isWhole) && parts.at(-1)?.kind !== PART.first
    parts = []
    return { record, isWhole }
  }
  for (const fragment of fragmentsOf(bytes)) {
    const { kind, isWhole } = fragment
    const begins = isWhole && (kind === PART.full || kind === PART.first)
    // One before that did not come to its end, or a part without a beginning.
    if (begins && parts.length > 0) yield { ...taken(), isWhole: false }
    parts.push(isWhole && !begins && parts.length === 0 ? { ...fragment, isWhole: false } : fragment)
    if (isWhole && (kind === PART.full || kind === PART.last)) yield taken()
  }
  if (parts.length > 0) yield { ...taken(), isWhole: false }
}

/** A put or a deletion. */
export type LogFileEntry = {
  readonly key: Uint8Array
  /** LevelDB's number of the write; 0 where it is not known. */
  readonly write: number
  readonly value: Uint8Array | undefined
  /** Its record is whole: it was written, all of it. */
  readonly isWhole: boolean
}

const BATCH_HEADER_BYTES = 12
const PUT = 1

/**
 * What the records of a `.log` file write, one batch each (db/write_batch.cc); of those that are damaged the puts that can be
 * found.
 * @param isKey true for the first byte of a key
 * @param keyBytes length of the keys that are looked for
 * @returns also the damaged records, as far as they can be told from others
 */
export function readLogFile(
  bytes: Uint8Array,
  isKey: (first: number) => boolean,
  keyBytes: number,
): { entries: LogFileEntry[]; unread: Uint8Array[] } {
  const entries: LogFileEntry[] = []
  const unread: Uint8Array[] = []
  for (const { record, isWhole } of allRecordsOf(bytes)) {
    const batch = isWhole ? entriesOfBatch(record) : undefined
    entries.push(...(batch ?? putsWithin(record, isKey, keyBytes)))
    if (batch === undefined) unread.push(record)
  }
  return { entries, unread }
}

/** Undefined for what has its checksum and still is no batch. */
function entriesOfBatch(record: Uint8Array): LogFileEntry[] | undefined {
  if (record.length < BATCH_HEADER_BYTES) return undefined
  try {
    const entries: LogFileEntry[] = []
    const first = Number(viewOf(record).getBigUint64(0, true))
    const cursor = new Cursor(record, BATCH_HEADER_BYTES)
    while (cursor.at < cursor.end) {
      const isPut = record[cursor.skip(1)] === PUT
      const key = readText(cursor)
      entries.push({ key, write: first + entries.length, value: isPut ? readText(cursor) : undefined, isWhole: true })
    }
    return entries
  } catch (error) {
    if (error instanceof VarintError) return undefined
    throw error
  }
}

function readText(cursor: Cursor): Uint8Array {
  const length = cursor.varint()
  const start = cursor.skip(length)
  return cursor.bytes.subarray(start, start + length)
}

/** Values may be cut off or damaged: it is for the caller to say which are sound. */
function putsWithin(record: Uint8Array, isKey: (first: number) => boolean, keyBytes: number): LogFileEntry[] {
  const entries: LogFileEntry[] = []
  for (let at = record.indexOf(keyBytes); at >= 0; at = record.indexOf(keyBytes, at + 1)) {
    // Sequences are far below 2^32: four bytes of a key are zero.
    const looksLikeKey =
      record[at - 1] === PUT && isKey(record[at + 1] ?? 0) && record.subarray(at + 2, at + 6).every((byte) => byte === 0)
    if (!looksLikeKey || at + 1 + keyBytes >= record.length) continue
    const value = valueAt(record, at + 1 + keyBytes)
    if (value !== undefined) entries.push({ key: record.subarray(at + 1, at + 1 + keyBytes), write: 0, value, isWhole: false })
  }
  return entries
}

function valueAt(record: Uint8Array, at: number): Uint8Array | undefined {
  try {
    const cursor = new Cursor(record, at)
    const length = cursor.varint()
    return record.subarray(cursor.at, Math.min(record.length, cursor.at + length))
  } catch (error) {
    if (error instanceof VarintError) return undefined
    throw error
  }
}

/** True if whole records of a `.log` file write what was written before: LevelDB ends its process over it. */
export function repeatsWrites(entries: readonly LogFileEntry[]): boolean {
  let before = -1
  for (const { write, isWhole } of entries) {
    if (!isWhole) continue
    if (write <= before) return true
    before = write
  }
  return false
}

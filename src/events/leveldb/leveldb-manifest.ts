import { Cursor } from '../codec/varint.ts'
import { recordsOf } from './leveldb-log-file.ts'

// Which files of a LevelDB directory belong to the database: a table that a crash left half written is none of them, and
// one that is missing or too short is found by its name and size alone. Format: db/version_edit.cc of google/leveldb.

/** Size in bytes, and its first and last key (without the number of the write), as copies. */
export type LiveTable = { readonly size: number; readonly first: Uint8Array; readonly last: Uint8Array }

export type LiveFiles = {
  /** By their numbers. */
  readonly tables: ReadonlyMap<number, LiveTable>
  /** Log files with this number and later ones hold what is in no table yet. */
  readonly logNumber: number
}

const KEY_TRAILER_BYTES = 8

const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const

/** Follows the edits of a MANIFEST file whose checksums hold. @throws VarintError if they cannot be read */
export function liveFiles(manifest: Uint8Array): LiveFiles {
  const tables = new Map<number, LiveTable>()
  let logNumber = 0
  for (const record of recordsOf(manifest)) {
    const cursor = new Cursor(record)
    const skipText = (): void => void cursor.skip(cursor.varint())
    const userKey = (): Uint8Array => {
      const length = cursor.varint()
      const start = cursor.skip(length)
      return record.slice(start, start + Math.max(0, length - KEY_TRAILER_BYTES))
    }
    while (cursor.at < cursor.end) {
      switch (cursor.varint()) {
        case TAG.logNumber:
          logNumber = cursor.varint()
          break
        case TAG.nextFile:
        case TAG.lastSequence:
        case TAG.previousLogNumber:
          cursor.varint()
          break
        case TAG.comparator:
          skipText()
          break
        case TAG.compactPointer:
          cursor.varint()
          skipText()
          break
        case TAG.deletedFile:
          cursor.varint()
          tables.delete(cursor.varint())
          break
        case TAG.newFile: {
          cursor.varint()
          const [number, size] = [cursor.varint(), cursor.varint()]
          tables.set(number, { size, first: userKey(), last: userKey() })
          break
        }
        // A later LevelDB's: nothing behind it can be told.
        default:
          cursor.skip(cursor.end - cursor.at)
      }
    }
  }
  return { tables, logNumber }
}

import { crc32c } from './crc32c.ts'
import { Cursor, VarintError } from './varint.ts'

// The checksums inside LevelDB's files, checked from outside: the binding drops a damaged record of a log file and hands
// out a damaged block of a table without a word. Formats: doc/log_format.md and doc/table_format.md of google/leveldb.
// Every function returns the byte offsets of what is damaged.

const BLOCK_BYTES = 32_768
const RECORD_HEADER_BYTES = 7
const FOOTER_BYTES = 48
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]

/** LevelDB stores checksums rotated and shifted, because a checksum of data that holds checksums is weak. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

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

/** Parts of a record: whole, or the first, middle and last of several. */
const PART = { full: 1, first: 2, last: 4 } as const

/** The records of a `.log` or `MANIFEST` file, up to the first that is damaged or cut off. */
export function* recordsOf(bytes: Uint8Array): Generator<Uint8Array> {
  const view = viewOf(bytes)
  let parts: Uint8Array[] = []
  for (let at = 0; at + RECORD_HEADER_BYTES <= bytes.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES)
    if (left < RECORD_HEADER_BYTES) {
      at += left
      continue
    }
    const end = at + RECORD_HEADER_BYTES + view.getUint16(at + 4, true)
    if (end > at + left || end > bytes.length) return
    if (unmask(view.getUint32(at, true)) !== crc32c(bytes, at + 6, end)) return
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, end)
    const kind = bytes[at + 6]
    at = end
    if (kind === PART.full) yield part
    else if (kind === PART.first) parts = [part]
    else parts.push(part)
    if (kind !== PART.last) continue
    const record = new Uint8Array(parts.reduce((length, { length: more }) => length + more, 0))
    parts.reduce((place, piece) => {
      record.set(piece, place)
      return place + piece.length
    }, 0)
    yield record
  }
}

type Handle = { readonly offset: number; readonly size: number }

const readHandle = (cursor: Cursor): Handle => ({ offset: cursor.varint(), size: cursor.varint() })

function isBlockWhole(bytes: Uint8Array, { offset, size }: Handle): boolean {
  const end = offset + size + 1
  return end + 4 <= bytes.length && unmask(viewOf(bytes).getUint32(end, true)) === crc32c(bytes, offset, end)
}

/** A table, `.ldb` or `.sst`. Blocks behind a damaged index cannot be found and are not looked at. */
export function damageInTable(bytes: Uint8Array): number[] {
  const footer = bytes.length - FOOTER_BYTES
  if (footer < 0 || MAGIC.some((byte, index) => bytes[bytes.length - 8 + index] !== byte)) return [Math.max(0, footer)]
  try {
    const cursor = new Cursor(bytes, footer)
    const meta = readHandle(cursor)
    const index = readHandle(cursor)
    const padding = bytes.subarray(cursor.at, bytes.length - 8)
    if (padding.some((byte) => byte !== 0)) return [cursor.at]
    const outer = [meta, index].filter((handle) => !isBlockWhole(bytes, handle)).map(({ offset }) => offset)
    if (outer.length > 0) return outer
    return handlesOf(bytes, index)
      .filter((handle) => !isBlockWhole(bytes, handle))
      .map(({ offset }) => offset)
  } catch (error) {
    if (error instanceof VarintError) return [footer]
    throw error
  }
}

/** The data blocks that a whole index block names; none for a compressed one. */
function handlesOf(bytes: Uint8Array, { offset, size }: Handle): Handle[] {
  if (bytes[offset + size] !== 0) return []
  const restarts = viewOf(bytes).getUint32(offset + size - 4, true)
  const cursor = new Cursor(bytes, offset, offset + size - 4 - restarts * 4)
  const handles: Handle[] = []
  while (cursor.at < cursor.end) {
    cursor.varint()
    const keyLength = cursor.varint()
    const valueLength = cursor.varint()
    cursor.skip(keyLength)
    const start = cursor.skip(valueLength)
    handles.push(readHandle(new Cursor(bytes, start, start + valueLength)))
  }
  return handles
}

import { crc32c } from '../../../src/events/leveldb/crc32c.ts'

// Files of LevelDB written by hand, after doc/log_format.md, doc/table_format.md and db/version_edit.cc of google/leveldb.

export const bytesOf = (...parts: readonly (number | string | Uint8Array)[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      parts.map((part) =>
        typeof part === 'number' ? Uint8Array.of(part) : typeof part === 'string' ? Buffer.from(part) : part,
      ),
    ),
  )

export function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.of(...bytes, rest)
}

export function fixed(value: number, length: 2 | 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes.slice(0, length)
}

/** The checksum of these bytes as it stands in a file. */
export function maskedChecksum(bytes: Uint8Array): Uint8Array {
  const crc = crc32c(bytes, 0, bytes.length)
  return fixed((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, 4)
}

const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7

/** A `.log` or `MANIFEST` file with these records. */
export function logFileOf(...records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = []
  let at = 0
  const put = (part: Uint8Array): void => {
    parts.push(part)
    at += part.length
  }
  for (const record of records) {
    let from = 0
    for (let isFirst = true; isFirst || from < record.length; isFirst = false) {
      let room = BLOCK_BYTES - (at % BLOCK_BYTES)
      if (room < HEADER_BYTES) {
        put(new Uint8Array(room))
        room = BLOCK_BYTES
      }
      const content = record.subarray(from, from + room - HEADER_BYTES)
      from += content.length
      const isLast = from === record.length
      const kind = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3
      put(bytesOf(maskedChecksum(bytesOf(kind, content)), fixed(content.length, 2), kind, content))
      // A record that fills its block exactly goes on with an empty part only if something is left of it.
      if (isLast) break
    }
  }
  return bytesOf(...parts)
}

export type Write = { readonly key: Uint8Array; readonly value?: Uint8Array | undefined }

const text = (bytes: Uint8Array): Uint8Array => bytesOf(varint(bytes.length), bytes)

/** The record of a batch: puts, and deletions where there is no value. */
export const batchOf = (first: number, writes: readonly Write[]): Uint8Array =>
  bytesOf(
    fixed(first, 8),
    fixed(writes.length, 4),
    ...writes.map(({ key, value }) => (value === undefined ? bytesOf(0, text(key)) : bytesOf(1, text(key), text(value)))),
  )

/** A key as it stands in a table. */
export const internalKey = ({ key, write, isDeletion = false }: { key: Uint8Array; write: number; isDeletion?: boolean }) =>
  bytesOf(key, isDeletion ? 0 : 1, fixed(write, 8).subarray(0, 7))

/** A block with its trailer; every entry with its whole key, unless it says how much of the one before it shares. */
export function blockOf(entries: readonly (readonly [key: Uint8Array, value: Uint8Array, shared?: number])[]): Uint8Array {
  const content = bytesOf(
    ...entries.map(([key, value, shared = 0]) =>
      bytesOf(varint(shared), varint(key.length - shared), varint(value.length), key.subarray(shared), value),
    ),
    ...[fixed(0, 4), fixed(1, 4)],
  )
  return sealedBlock(content)
}

/** What stands in a file for a block of this content. */
export const sealedBlock = (content: Uint8Array, kind = 0): Uint8Array =>
  bytesOf(content, kind, maskedChecksum(bytesOf(content, kind)))

const TRAILER_BYTES = 5
export const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb)

/** A table of these blocks, which come with their trailers. */
export function tableOf(blocks: readonly Uint8Array[], indexOf = blockOf): Uint8Array {
  let at = 0
  const handles = blocks.map((block) => {
    const handle = bytesOf(varint(at), varint(block.length - TRAILER_BYTES))
    at += block.length
    return handle
  })
  const meta = blockOf([])
  const index = indexOf(handles.map((handle, number) => [bytesOf(fixed(number, 4), 1, new Uint8Array(7)), handle] as const))
  const footer = bytesOf(
    ...[varint(at), varint(meta.length - TRAILER_BYTES)],
    ...[varint(at + meta.length), varint(index.length - TRAILER_BYTES)],
  )
  return bytesOf(...blocks, meta, index, footer, new Uint8Array(40 - footer.length), MAGIC)
}

import { crc32c } from './crc32c.ts'

// The checksum that LevelDB puts behind every block of a table and before every record of a log file.
// Formats: doc/log_format.md and doc/table_format.md of google/leveldb.

/** The kind of a block (one byte: 0 plain, others compressed) and its checksum. */
export const TRAILER_BYTES = 5

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** LevelDB stores checksums rotated and shifted, because a checksum of data that holds checksums is weak. */
export function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

/** Where a block stands in a table, without its trailer. */
export type Handle = { readonly offset: number; readonly size: number }

export function isBlockWhole(bytes: Uint8Array, { offset, size }: Handle): boolean {
  const end = offset + size + 1
  return end + 4 <= bytes.length && unmask(viewOf(bytes).getUint32(end, true)) === crc32c(bytes, offset, end)
}

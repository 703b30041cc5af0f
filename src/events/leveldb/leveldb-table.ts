import { Cursor, VarintError } from '../codec/varint.ts'
import { crc32cSteps } from './crc32c.ts'
import { type Handle, isBlockWhole, TRAILER_BYTES, unmask, viewOf } from './leveldb-block.ts'

// A table of LevelDB (`.ldb`, `.sst`), read from outside, so that nothing that is damaged reaches LevelDB, which hands it out
// without a word or ends the process. Blocks are believed by their checksums. Where one fails, or where no block can be found
// since the end of the file is gone, entries are looked for one by one, and it is for the caller to say which values are sound.
// Format: doc/table_format.md of google/leveldb; a key is followed by eight bytes: the number of its write, and put or delete.

const FOOTER_BYTES = 48
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
const KEY_TRAILER_BYTES = 8
/** Plain, or compressed by snappy; the others came with later versions. */
const KIND_MAX = 1
/** Longest key that is looked for in bytes without a checksum. */
const KEY_BYTES_MAX = 1_024
/** Longest block that is looked for without its handle: values here stay far below. */
const BLOCK_BYTES_MAX = 4 << 20
/** Entries in a row with unsound values after which bytes are no entries at all. */
const UNSOUND_MAX = 4

export type TableEntry = {
  readonly key: Uint8Array
  /** LevelDB's number of the write: of two entries with one key the higher one holds. */
  readonly write: number
  readonly isDeletion: boolean
  /** The value, in the bytes of the file. */
  readonly at: number
  readonly length: number
}

/** Which bytes can be a key's first, and whether the value of a key is sound by a checksum of its own. */
export type Looking = { isKey(first: number): boolean; isSound(key: Uint8Array, value: Uint8Array): boolean }

/** The byte offsets of what is damaged. Blocks behind a damaged index cannot be found and are not looked at. */
export function damageInTable(bytes: Uint8Array): number[] {
  const found = handlesIn(bytes)
  if ('damaged' in found) return found.damaged
  return found.blocks.filter((handle) => !isBlockWhole(bytes, handle)).map(({ offset }) => offset)
}

/** Looks at one block after the other, so that a caller can rest in between. */
export function* blocksOf(bytes: Uint8Array): Generator<Span & { readonly isWhole: boolean }> {
  const found = handlesIn(bytes)
  if ('damaged' in found) yield { at: 0, length: bytes.length, isWhole: false }
  else for (const handle of found.blocks) yield { at: handle.offset, length: handle.size, isWhole: isBlockWhole(bytes, handle) }
}

/**
 * True for a table that blocks of any kind fill, one behind the other, each with its checksum. For tables whose index may be
 * compressed, so that it does not tell where they begin: four times as slow.
 */
export function isTableWhole(bytes: Uint8Array): boolean {
  const footer = bytes.length - FOOTER_BYTES
  if (footer < 0 || MAGIC.some((byte, index) => bytes[bytes.length - 8 + index] !== byte)) return false
  let at = 0
  while (at < footer) {
    const block = blockAt(bytes, at, footer, KIND_MAX)
    if (block === undefined) return false
    at = block.offset + block.size + TRAILER_BYTES
  }
  return true
}

/** Keys that stand in a table and where, in the order of the file, also of damaged blocks as far as they can be read. */
export const placesOfTable = (bytes: Uint8Array, looking: Looking): Pick<TableEntry, 'key' | 'at'>[] =>
  readTable(bytes, looking).entries.toSorted((a, b) => a.at - b.at)

/** First and last key of a table whose index is whole, without the write's number; undefined where there is none. */
export function boundsOfTable(bytes: Uint8Array): { readonly first: Uint8Array; readonly last: Uint8Array } | undefined {
  const found = handlesIn(bytes)
  if ('damaged' in found) return undefined
  const [first, last] = [found.blocks[0], found.blocks.at(-1)].map((handle) =>
    handle !== undefined && isBlockWhole(bytes, handle) ? entriesOfBlock(bytes, handle) : [],
  )
  const [lowest, highest] = [first?.[0], last?.at(-1)]
  return lowest && highest && { first: lowest.key, last: highest.key }
}

/** Bytes of a file. */
export type Span = { readonly at: number; readonly length: number }

/** What is found in a table: its entries, and the bytes that belong to no whole block. */
export type TableContent = { readonly entries: TableEntry[]; readonly unread: Span[] }

/** All entries of a table that can be had, in the order of the file. */
export function readTable(bytes: Uint8Array, looking: Looking): TableContent {
  const content: TableContent = { entries: [], unread: [] }
  const found = handlesIn(bytes)
  if ('damaged' in found) {
    readWithin(bytes, 0, bytes.length, looking, content)
    return content
  }
  let at = 0
  for (const handle of found.blocks.toSorted((a, b) => a.offset - b.offset)) {
    if (handle.offset > at) readWithin(bytes, at, handle.offset, looking, content)
    at = Math.max(at, handle.offset + handle.size + TRAILER_BYTES)
    if (isBlockWhole(bytes, handle)) content.entries.push(...entriesOfBlock(bytes, handle))
    else readWithin(bytes, handle.offset, Math.min(at, bytes.length), looking, content)
  }
  return content
}

type Handles = { readonly blocks: readonly Handle[] } | { readonly damaged: number[] }

function handlesIn(bytes: Uint8Array): Handles {
  const footer = bytes.length - FOOTER_BYTES
  if (footer < 0 || MAGIC.some((byte, index) => bytes[bytes.length - 8 + index] !== byte))
    return { damaged: [Math.max(0, footer)] }
  try {
    const cursor = new Cursor(bytes, footer)
    const [meta, index] = [readHandle(cursor), readHandle(cursor)]
    const padding = bytes.subarray(cursor.at, bytes.length - 8)
    if (padding.some((byte) => byte !== 0)) return { damaged: [cursor.at] }
    const outer = [meta, index].filter((handle) => !isBlockWhole(bytes, handle)).map(({ offset }) => offset)
    if (outer.length > 0) return { damaged: outer }
    return { blocks: handlesOfIndex(bytes, index) }
  } catch (error) {
    if (error instanceof VarintError || error instanceof RangeError) return { damaged: [footer] }
    throw error
  }
}

const readHandle = (cursor: Cursor): Handle => ({ offset: cursor.varint(), size: cursor.varint() })

/** The data blocks that a whole index block names; none for a compressed one. */
function handlesOfIndex(bytes: Uint8Array, { offset, size }: Handle): Handle[] {
  if (bytes[offset + size] !== 0) return []
  const cursor = new Cursor(bytes, offset, endOfEntries(bytes, offset, offset + size))
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

/** Where the entries of a block end and its restart points begin. @throws VarintError if they cannot be in it */
function endOfEntries(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 4) throw new VarintError('a block is too short')
  const end = to - 4 - viewOf(bytes).getUint32(to - 4, true) * 4
  if (end < from) throw new VarintError('a block has no room for its restart points')
  return end
}

/** The entries of a block whose checksum holds; none of a compressed one, which p2pt writes none of. */
function entriesOfBlock(bytes: Uint8Array, { offset, size }: Handle): TableEntry[] {
  if (bytes[offset + size] !== 0) return []
  try {
    const end = endOfEntries(bytes, offset, offset + size)
    const cursor = new Cursor(bytes, offset, end)
    const entries: TableEntry[] = []
    let key: Uint8Array = new Uint8Array()
    while (cursor.at < end) {
      const read = readEntry(cursor, key)
      key = read.key
      entries.push(read.entry)
    }
    return entries
  } catch (error) {
    // It has its checksum and still is no block.
    if (error instanceof VarintError) return []
    throw error
  }
}

/** @param before the whole key of the entry before, of which this one's may share a beginning */
function readEntry(cursor: Cursor, before: Uint8Array): { key: Uint8Array; entry: TableEntry } {
  const [shared, more, length] = [cursor.varint(), cursor.varint(), cursor.varint()]
  if (shared > before.length || more > KEY_BYTES_MAX || shared + more <= KEY_TRAILER_BYTES)
    throw new VarintError('an entry has no key')
  const start = cursor.skip(more)
  const key = new Uint8Array(shared + more)
  key.set(before.subarray(0, shared))
  key.set(cursor.bytes.subarray(start, start + more), shared)
  const at = cursor.skip(length)
  const trailer = key.length - KEY_TRAILER_BYTES
  const kind = key[trailer] as number
  if (kind > 1) throw new VarintError('an entry neither puts nor deletes')
  let write = 0
  for (let place = 7; place >= 1; place--) write = write * 256 + (key[trailer + place] as number)
  return { key, entry: { key: key.subarray(0, trailer), write, isDeletion: kind === 0, at, length } }
}

/** Blocks and entries in bytes of which nobody says where they begin. */
function readWithin(bytes: Uint8Array, from: number, to: number, looking: Looking, { entries, unread }: TableContent): void {
  let unreadFrom = from
  const readUpTo = (end: number): void => {
    if (end > unreadFrom) unread.push({ at: unreadFrom, length: end - unreadFrom })
  }
  for (let at = from; at < to; ) {
    const block = blockAt(bytes, at, to)
    if (block !== undefined) {
      readUpTo(at)
      // The blocks of the index are among them: their values are none.
      entries.push(...entriesOfBlock(bytes, block).filter((entry) => isSound(bytes, entry, looking)))
      at = block.offset + block.size + TRAILER_BYTES
      unreadFrom = at
      continue
    }
    const run = runAt(bytes, at, to, looking)
    entries.push(...run.entries)
    at = nextBeginning(bytes, Math.max(run.end, at + 1), to, looking)
  }
  readUpTo(to)
}

const isSound = (bytes: Uint8Array, { key, isDeletion, at, length }: TableEntry, looking: Looking): boolean =>
  isDeletion || looking.isSound(key, bytes.subarray(at, at + length))

/** The block that begins here, if one does: where it ends its checksum tells. */
function blockAt(bytes: Uint8Array, from: number, to: number, kindMax = 0): Handle | undefined {
  const view = viewOf(bytes)
  const last = Math.min(to, from + BLOCK_BYTES_MAX) - TRAILER_BYTES
  let crc = crc32cSteps.start
  for (let at = from; at <= last; at++) {
    const byte = bytes[at] as number
    crc = crc32cSteps.add(crc, byte)
    // The kind of the block is under the checksum, and 0 where nothing is compressed.
    if (byte > kindMax || unmask(view.getUint32(at + 1, true)) !== crc32cSteps.end(crc)) continue
    return { offset: from, size: at - from }
  }
  return undefined
}

/** Entries one behind the other from here on, as far as their values are sound; unsound ones between them come along. */
function runAt(bytes: Uint8Array, from: number, to: number, looking: Looking): { entries: TableEntry[]; end: number } {
  const cursor = new Cursor(bytes, from, to)
  const entries: TableEntry[] = []
  let unsound: TableEntry[] = []
  let end = from
  let key: Uint8Array = new Uint8Array()
  try {
    while (unsound.length <= UNSOUND_MAX) {
      const read = readEntry(cursor, key)
      if (!looking.isKey(read.key[0] as number)) break
      key = read.key
      if (!isSound(bytes, read.entry, looking)) {
        unsound.push(read.entry)
        continue
      }
      entries.push(...unsound, read.entry)
      unsound = []
      end = cursor.at
    }
  } catch (error) {
    if (!(error instanceof VarintError)) throw error
  }
  // What is behind the last sound one may be an entry with a damaged value, or no entry at all.
  return { entries: [...entries, ...unsound.slice(0, 1)], end }
}

/** The next place where an entry with a whole key may begin: such stand at restart points. */
function nextBeginning(bytes: Uint8Array, from: number, to: number, { isKey }: Looking): number {
  for (let at = bytes.indexOf(0, from); at >= 0 && at < to; at = bytes.indexOf(0, at + 1)) {
    const more = bytes[at + 1] ?? 0
    if (more <= KEY_TRAILER_BYTES || more > 127) continue
    let value = at + 2
    while (value < at + 6 && (bytes[value] ?? 0) >= 128) value++
    if (isKey(bytes[value + 1] ?? 0) && (bytes[value + 1 + more - KEY_TRAILER_BYTES] ?? 2) <= 1) return at
  }
  return to
}

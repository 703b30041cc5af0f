import type { InfoHash, NodeId } from '../events/index.ts'
import { stringHash } from '../projections/string-hash.ts'
import { ServiceError } from './services.ts'

// Where the next page of a search begins, as text that whoever asked keeps: how far each part of the query has been shown, and
// which torrents have been, where several lists may hold the same one. Bound to the words of its query.

/** Parts of a query: as many as it may have words. */
export const CURSOR_PARTS_MAX = 32
/** Torrents that are remembered as shown; a search over several lists has no page beyond. */
export const CURSOR_SHOWN_MAX = 1_000
/** Nobody looks further into a list. */
const POSITION_MAX = 10_000
/** Of a list that has been shown to its end. */
const AT_END = 0xffff
const VERSION = 1
const HASH_BYTES = 7
const NODE_BYTES = 8
const SHOWN_BYTES = 3
/** Of a cursor with all that it may hold. */
const CHARACTERS_MAX = Math.ceil(
  ((1 + HASH_BYTES + 4 + 1 + CURSOR_PARTS_MAX * (1 + NODE_BYTES + 2) + 2 + CURSOR_SHOWN_MAX * SHOWN_BYTES) * 4) / 3,
)

/** A list that is paged: the partition of a word, or what one node holds. */
export type PartName = { partition: number } | { node: NodeId }

export type CursorPart = {
  part: PartName
  /** Hits of its list that come before the next page, in all; `end` where there are no more. */
  position: number | 'end'
}

/** `salt`: chosen anew for each search, so that nobody makes torrents that are taken for another that was shown. */
export type SearchPlace = { parts: readonly CursorPart[]; salt: number; shown: ReadonlySet<number> }

/** By what a torrent is remembered that was shown, 24 bits. */
export const shownMark = (salt: number, infoHash: InfoHash): number =>
  stringHash(`${salt}/${infoHash}`) % 2 ** (8 * SHOWN_BYTES)

export const isSamePart = (one: PartName, two: PartName): boolean =>
  'partition' in one ? 'partition' in two && one.partition === two.partition : 'node' in two && prefix(one) === prefix(two)

const prefix = ({ node }: { node: NodeId }): string => node.slice(0, 2 * NODE_BYTES)

/** @returns undefined where more has been shown than a cursor can hold */
export function encodeCursor(query: string, { parts, salt, shown }: SearchPlace): string | undefined {
  if (parts.length > CURSOR_PARTS_MAX || shown.size > CURSOR_SHOWN_MAX) return undefined
  const bytes: number[] = [VERSION]
  const put = (value: number, width: number) => {
    for (let at = width - 1; at >= 0; at--) bytes.push(Math.floor(value / 2 ** (8 * at)) % 256)
  }
  put(stringHash(query), HASH_BYTES)
  put(salt, 4)
  put(parts.length, 1)
  for (const { part, position } of parts) {
    if ('partition' in part) {
      put(0, 1)
      put(part.partition, 2)
    } else {
      put(1, 1)
      for (let at = 0; at < NODE_BYTES; at++) put(Number.parseInt(part.node.slice(2 * at, 2 * at + 2), 16), 1)
    }
    put(position === 'end' ? AT_END : Math.min(position, POSITION_MAX), 2)
  }
  put(shown.size, 2)
  for (const mark of shown) put(mark, SHOWN_BYTES)
  return Buffer.from(bytes).toString('base64url')
}

/** @throws ServiceError `usage`: it is no cursor, or that of another query */
export function decodeCursor(query: string, text: string): SearchPlace {
  const bytes = text.length > CHARACTERS_MAX || !/^[\w-]*$/.test(text) ? Buffer.alloc(0) : Buffer.from(text, 'base64url')
  let at = 0
  const take = (width: number): number => {
    if (at + width > bytes.length) throw noCursor()
    const value = bytes.subarray(at, at + width).reduce((sum, byte) => sum * 256 + byte, 0)
    at += width
    return value
  }
  if (take(1) !== VERSION) throw noCursor()
  if (take(HASH_BYTES) !== stringHash(query))
    throw new ServiceError('usage', 'this cursor belongs to another query: give it with the words that it came from')
  const salt = take(4)
  const parts = Array.from({ length: atMost(take(1), CURSOR_PARTS_MAX) }, (): CursorPart => {
    const part = take(1) === 0 ? { partition: take(2) } : { node: hexOf(NODE_BYTES, take) as NodeId }
    const position = take(2)
    return { part, position: position === AT_END ? 'end' : atMost(position, POSITION_MAX) }
  })
  const shown = new Set(Array.from({ length: atMost(take(2), CURSOR_SHOWN_MAX) }, () => take(SHOWN_BYTES)))
  if (at !== bytes.length) throw noCursor()
  return { parts, salt, shown }
}

const noCursor = (): ServiceError =>
  new ServiceError('usage', 'this is no cursor of a search: give the "cursor" of an earlier answer as it was, or none')

function atMost(value: number, max: number): number {
  if (value > max) throw noCursor()
  return value
}

const hexOf = (width: number, take: (width: number) => number): string =>
  Array.from({ length: width }, () => take(1).toString(16).padStart(2, '0')).join('')

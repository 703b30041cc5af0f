import { createHash } from 'node:crypto'

// What the odd torrents are made of. Nothing here is random: the same files come of every run.

/** Why a torrent is refused: a row of docs/torrents-refused.md each, and what the refusal says. */
export const REASONS = {
  'no-torrent': /^not a torrent file: /,
  malformed:
    /info dictionary is malformed: (?!a key occurs twice)|is not a dictionary|is not text|has no (?:path|length)|no name/,
  'same-key': /a key occurs twice|it has "info" twice/,
  'leaves-its-folder': /leads out of its folder/,
  'absolute-path': /is an absolute path/,
  nul: /has a NUL in a file name/,
  'path-length': /a path is too long|a path has \d+ parts/,
  sizes: /negative length|larger than any disk|holds no data|holds no files/,
  'same-paths': /too many of its files have the same paths/,
  'piece-length': /its piece length is|no piece length/,
  'piece-hashes': /piece hashes/,
  'piece-count': /pieces, at most 262144 are accepted/,
  'file-count': /files, at most 65536 are accepted/,
  'file-size': /the torrent file has \d+ bytes/,
  'v2-only': /v2-only torrents are not supported yet/,
  version: /it is of version/,
  'two-halves': /its two versions|none of version 2|file tree/,
} as const
export type Reason = keyof typeof REASONS

/** Where p2pt calls a file otherwise than libtorrent does: a row of docs/torrents-refused.md each. */
export type Difference = 'case-kept' | 'byte-for-byte' | 'del-replaced' | 'direction-kept' | 'longer-names'

export type Odd = {
  readonly name: string
  readonly file: Uint8Array
  /** Files that stand on the disk, with their lengths; or the reason to refuse it. */
  readonly expect: readonly (readonly [path: string, lengthBytes: number])[] | Reason
  readonly differs?: Difference
}

/** Bytes that stand in a torrent as they are. */
export class Raw {
  readonly bytes: Uint8Array
  constructor(text: string | Uint8Array) {
    this.bytes = Buffer.from(text)
  }
}
export type Value = number | bigint | string | Uint8Array | Raw | readonly Value[] | Pairs
/** Keys in the order in which they are written. */
export type Pairs = Map<string | Uint8Array, Value>

/** Bencode (BEP 3) in the order that is given. */
export function write(value: Value): Uint8Array {
  if (value instanceof Raw) return value.bytes
  if (typeof value === 'number' || typeof value === 'bigint') return Buffer.from(`i${value}e`)
  if (typeof value === 'string') return write(Buffer.from(value))
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value])
  const parts = value instanceof Map ? [...value].flat() : value
  const [open, ...inside] = [value instanceof Map ? 'd' : 'l', ...parts.map((part) => write(part as Value))]
  return Buffer.concat([Buffer.from(open), ...inside, Buffer.from('e')])
}

/** Sorted, as BEP 3 has it; keys that are undefined are left out. */
export const sorted = (entries: { readonly [key: string]: Value | undefined }): Pairs =>
  new Map(
    Object.entries(entries)
      .flatMap(([key, value]): [string, Value][] => (value === undefined ? [] : [[key, value]]))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

export const PIECE = 16_384

/** So many bytes that look random. */
export const data = (lengthBytes: number, seed: string | number = 1): Uint8Array =>
  createHash('shake256', { outputLength: lengthBytes }).update(`odd ${seed}`).digest()

export function hashes(bytes: Uint8Array, pieceLengthBytes: number): Uint8Array {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += pieceLengthBytes) {
    pieces.push(
      createHash('sha1')
        .update(bytes.subarray(at, at + pieceLengthBytes))
        .digest(),
    )
  }
  return Buffer.concat(pieces)
}

/** Hashes of so many pieces whose bytes nobody has. */
export const anyHashes = (count: number): Uint8Array => new Uint8Array(20 * count).fill(7)

export type More = { readonly [key: string]: Value | undefined }

/** A torrent of one file, `a.bin` of 40,000 bytes where nothing else is said. */
export function single(more: More = {}): Pairs {
  const { length = 40_000, 'piece length': piece = PIECE } = more
  const bytes = typeof length === 'number' && length >= 0 && length < 1e7 ? length : 40_000
  const each = typeof piece === 'number' && piece > 0 ? piece : PIECE
  return sorted({ length, name: 'a.bin', 'piece length': piece, pieces: hashes(data(bytes), each), ...more })
}

export type File = { length: Value; path?: readonly (string | Uint8Array)[]; [key: string]: Value | undefined }
export const file = (length: number, ...path: readonly (string | Uint8Array)[]): File => ({ length, path })

/** A torrent of these files in the folder `T`. */
export function multi(files: readonly File[], more: More = {}): Pairs {
  const bytes = files.reduce((sum, { length }) => sum + (typeof length === 'number' && length > 0 ? length : 0), 0)
  const { 'piece length': piece = PIECE } = more
  const count = Math.ceil(bytes / (typeof piece === 'number' && piece > 0 ? piece : PIECE))
  return sorted({ files: files.map(sorted), name: 'T', 'piece length': piece, pieces: anyHashes(count), ...more })
}

/** A torrent file around an info dictionary. */
export const torrent = (info: Value, more: More = {}): Uint8Array => write(sorted({ info, ...more }))
/** What a torrent of {@link single} stands as. */
export const ALONE: Odd['expect'] = [['a.bin', 40_000]]

import type { InfoHash } from '../events/index.ts'
import { toHex } from '../events/index.ts'
import type { Bencoded, BencodedDictionary } from './bencode.ts'
import { decode, dictionarySpans } from './bencode.ts'
import type { TorrentMetainfo } from './engine.ts'
import { TorrentError } from './engine.ts'

// The check every torrent passes before the data path sees it. Each bound below was a way to make a client that
// believes its input hang, run out of memory or write outside its directory.

/** 16 KiB: a block on the wire (BEP 3); pieces are whole blocks. */
export const BLOCK_BYTES = 16_384
/** A piece is held in memory until its hash is checked. */
export const PIECE_BYTES_MAX = 64 * 1024 * 1024
/**
 * One object a piece is kept; a million of them stopped the event loop for 19 s. At the 64 MiB bound this is still 16 TiB.
 */
export const PIECE_COUNT_MAX = 262_144
export const FILE_COUNT_MAX = 65_536
/** Hashes of 262,144 pieces are 5 MiB; the rest is names. An event of the log (6 MiB) and a line of the control socket (8 MiB) hold it. */
export const TORRENT_FILE_BYTES_MAX = 5.5 * 1024 * 1024
/** What file systems take for one name. */
const NAME_BYTES_MAX = 255
const PATH_BYTES_MAX = 3_000
const SHA1_BYTES = 20

export type MetainfoFile = {
  /** Relative to the download directory, the torrent's name first. */
  path: readonly string[]
  lengthBytes: number
  /** Alignment only (BEP 47): zeros, never on the disk. */
  padding: boolean
}

export type Metainfo = TorrentMetainfo & {
  /** BEP 27: its peers are to be had from its trackers alone. */
  isPrivate: boolean
  files: readonly MetainfoFile[]
  /** sha-1 of each piece, 20 bytes each. */
  pieceHashes: Uint8Array
}

/** sha-1 of these chunks one after the other, as hex. */
export type Sha1 = (chunks: readonly Uint8Array[]) => string

const refuse = (why: string): never => {
  throw new TorrentError('TORRENT_REFUSED', `this torrent is refused: ${why}`)
}

/**
 * Checks a .torrent file (BEP 3; BEP 52 hybrids by their v1 half) and returns it reduced to its info dictionary:
 * trackers and web seeds of other networks are dropped, the info hash stays.
 * @throws TorrentError `NOT_A_TORRENT` when it is no torrent at all, `TORRENT_REFUSED` when it is a hostile or unusable one
 */
export function checkTorrentFile(bytes: Uint8Array, sha1: Sha1): Metainfo {
  if (bytes.length > TORRENT_FILE_BYTES_MAX) {
    refuse(`the torrent file has ${bytes.length} bytes, at most ${TORRENT_FILE_BYTES_MAX} are accepted`)
  }
  let infoBytes: Uint8Array | undefined
  try {
    infoBytes = dictionarySpans(bytes).get('info')
  } catch (cause) {
    throw new TorrentError('NOT_A_TORRENT', `not a torrent file: ${reasonOf(cause)}`, { cause })
  }
  if (infoBytes === undefined) throw new TorrentError('NOT_A_TORRENT', 'not a torrent file: it has no info dictionary')
  return checkInfo(infoBytes, sha1)
}

/** Checks a bare info dictionary, as ut_metadata delivers it (BEP 9). @throws TorrentError as {@link checkTorrentFile} */
export function checkInfo(infoBytes: Uint8Array, sha1: Sha1): Metainfo {
  const info = infoDictionary(infoBytes)
  if (info.get('pieces') === undefined && info.get('meta version') === 2) {
    refuse('it is a version 2 torrent; p2pt needs version 1 or hybrid: ask for one of those')
  }
  const name = text(info.get('name.utf-8') ?? info.get('name'))
  if (name === undefined) return refuse('it has no name')
  checkName(name)
  const pieceLengthBytes = info.get('piece length')
  if (typeof pieceLengthBytes !== 'number') return refuse('it has no piece length')
  if (pieceLengthBytes < BLOCK_BYTES || pieceLengthBytes > PIECE_BYTES_MAX || pieceLengthBytes % BLOCK_BYTES !== 0) {
    refuse(`its piece length is ${pieceLengthBytes} bytes; it must be a multiple of ${BLOCK_BYTES} up to ${PIECE_BYTES_MAX}`)
  }
  const pieceHashes = info.get('pieces')
  if (!(pieceHashes instanceof Uint8Array) || pieceHashes.length % SHA1_BYTES !== 0) {
    return refuse('its piece hashes are not a string of 20 byte hashes')
  }
  const pieceCount = pieceHashes.length / SHA1_BYTES
  if (pieceCount > PIECE_COUNT_MAX) refuse(`it has ${pieceCount} pieces, at most ${PIECE_COUNT_MAX} are accepted`)
  const files = filesOf(info, name)
  const sizeBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0)
  if (!Number.isSafeInteger(sizeBytes)) refuse('its files are larger than any disk')
  if (sizeBytes === 0) refuse('it holds no data')
  const expected = Math.ceil(sizeBytes / pieceLengthBytes)
  if (pieceCount !== expected) refuse(`it has ${pieceCount} piece hashes where its ${sizeBytes} bytes need ${expected}`)
  return {
    infoHash: sha1([infoBytes]) as InfoHash,
    name,
    sizeBytes,
    fileCount: files.filter((file) => !file.padding).length,
    pieceCount,
    pieceLengthBytes,
    torrentFile: torrentFileOf(infoBytes),
    files,
    pieceHashes,
    isPrivate: typeof info.get('private') === 'number' && info.get('private') !== 0,
  }
}

/** Length of one piece; the last may be shorter. */
export const pieceBytes = (metainfo: TorrentMetainfo, index: number): number =>
  index === metainfo.pieceCount - 1 ? metainfo.sizeBytes - index * metainfo.pieceLengthBytes : metainfo.pieceLengthBytes

/** The expected sha-1 of one piece, hex. */
export function pieceHash(metainfo: Metainfo, index: number): string {
  return toHex(metainfo.pieceHashes.subarray(index * SHA1_BYTES, (index + 1) * SHA1_BYTES))
}

/** `magnet:?xt=urn:btih:...` of a torrent (BEP 9), with its name. */
export const magnetOf = (torrent: { infoHash: InfoHash; name: string }): string =>
  `magnet:?xt=urn:btih:${torrent.infoHash}&dn=${encodeURIComponent(torrent.name)}`

function infoDictionary(bytes: Uint8Array): BencodedDictionary {
  let info: Bencoded
  try {
    // Unsorted keys would be sorted by the next client that encodes them, and the info hash would change.
    info = decode(bytes, { sortedKeys: true })
  } catch (cause) {
    throw new TorrentError('TORRENT_REFUSED', `this torrent is refused: its info dictionary is malformed: ${reasonOf(cause)}`, {
      cause,
    })
  }
  return info instanceof Map ? info : refuse('its info is not a dictionary')
}

function filesOf(info: BencodedDictionary, name: string): MetainfoFile[] {
  const length = info.get('length')
  const list = info.get('files')
  if (length !== undefined && list !== undefined) refuse('it claims to be one file and several')
  if (list === undefined) return [{ path: [name], lengthBytes: lengthOf(length, name), padding: false }]
  if (!Array.isArray(list)) return refuse('its list of files is not a list')
  if (list.length > FILE_COUNT_MAX) refuse(`it has ${list.length} files, at most ${FILE_COUNT_MAX} are accepted`)
  const files = list.map((entry: Bencoded) => fileOf(entry, name))
  checkDistinct(files)
  return files
}

function fileOf(entry: Bencoded, name: string): MetainfoFile {
  if (!(entry instanceof Map)) return refuse('an entry of its list of files is not a dictionary')
  const parts: Bencoded = entry.get('path.utf-8') ?? entry.get('path')
  if (!Array.isArray(parts) || parts.length === 0) return refuse('a file has no path')
  const path = [name, ...parts.map((part: Bencoded) => text(part) ?? refuse('a path is not text'))]
  for (const part of path) checkName(part)
  if (utf8Length(path.join('/')) > PATH_BYTES_MAX) refuse('a path is too long')
  return {
    path,
    lengthBytes: lengthOf(entry.get('length'), path.join('/')),
    padding: text(entry.get('attr'))?.includes('p') === true,
  }
}

function lengthOf(length: Bencoded | undefined, name: string): number {
  if (typeof length !== 'number') return refuse(`${quoted(name)} has no length`)
  if (length < 0) refuse(`${quoted(name)} has the negative length ${length}`)
  return length
}

function checkName(name: string): void {
  if (name === '' || name === '.' || name === '..') refuse(`${quoted(name)} is not a usable file name`)
  if (/[/\\\u0000-\u001f\u007f]/.test(name)) refuse(`${quoted(name)} has a slash or a control character in a file name`)
  if (utf8Length(name) > NAME_BYTES_MAX) refuse(`a file name is longer than ${NAME_BYTES_MAX} bytes`)
}

/** Two entries on one path, or a file where another needs a folder, would write over each other. */
function checkDistinct(files: readonly MetainfoFile[]): void {
  const kept = files.filter((file) => !file.padding)
  const paths = new Set(kept.map((file) => file.path.join('/')))
  if (paths.size !== kept.length) refuse('two of its files have the same path')
  for (const { path } of kept) {
    for (let depth = 1; depth < path.length; depth++) {
      if (paths.has(path.slice(0, depth).join('/'))) refuse('one of its files is named like a folder of another')
    }
  }
}

function torrentFileOf(infoBytes: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode('d4:info')
  const file = new Uint8Array(head.length + infoBytes.length + 1)
  file.set(head)
  file.set(infoBytes, head.length)
  file[file.length - 1] = 0x65
  return file
}

const text = (value: Bencoded | undefined): string | undefined =>
  value instanceof Uint8Array ? new TextDecoder().decode(value) : undefined
const utf8Length = (value: string): number => new TextEncoder().encode(value).length
const quoted = (value: string): string => JSON.stringify(value.slice(0, 80))
const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

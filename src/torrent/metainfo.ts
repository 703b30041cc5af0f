import type { InfoHash } from '../events/index.ts'
import { toHex } from '../events/index.ts'
import type { Bencoded, BencodedDictionary } from './bencode.ts'
import { BencodeError, decode, dictionarySpans } from './bencode.ts'
import type { TorrentMetainfo } from './engine.ts'
import { TorrentError } from './engine.ts'
import { fileListOf, type MetainfoFile } from './metainfo/file-list.ts'
import { PIECE_BYTES_MAX, PIECE_COUNT_MAX, TORRENT_FILE_BYTES_MAX } from './metainfo/limits.ts'
import { refuse } from './metainfo/refusal.ts'
import { type NamedSources, NO_SOURCES, sourcesOf } from './metainfo/sources.ts'
import { checkHybrid, checkVersion } from './metainfo/version-two.ts'

export type { MetainfoFile } from './metainfo/file-list.ts'
export { BLOCK_BYTES, FILE_COUNT_MAX, PIECE_COUNT_MAX, TORRENT_FILE_BYTES_MAX } from './metainfo/limits.ts'

// The check every torrent passes before the data path sees it: strict where that protects somebody, and else as lenient as
// libtorrent 2.0.8. docs/torrents-refused.md has every reason to refuse one; the rooms of `metainfo` have the rules.

const SHA1_BYTES = 20

export type Metainfo = TorrentMetainfo &
  NamedSources & {
    files: readonly MetainfoFile[]
    /** sha-1 of each piece, 20 bytes each. */
    pieceHashes: Uint8Array
    /** BEP 27: its peers are to be had from its trackers alone. */
    isPrivate: boolean
  }

/** sha-1 of these chunks one after the other, as hex. */
export type Sha1 = (chunks: readonly Uint8Array[]) => string

/**
 * Checks a .torrent file (BEP 3; BEP 52 hybrids by their v1 half) and returns it with its torrent file reduced to the info
 * dictionary as it stands, over whose bytes the info hash is. Bytes that follow the torrent are ignored.
 * @throws TorrentError `NOT_A_TORRENT` when it is no torrent at all, `TORRENT_REFUSED` when it is a hostile or unusable one
 */
export const checkTorrentFile = (bytes: Uint8Array, sha1: Sha1): Metainfo => atOnce(torrentFileSteps(bytes, sha1))

/** As {@link checkTorrentFile}, in steps of some milliseconds: a torrent may have 65,536 files. */
export function* torrentFileSteps(bytes: Uint8Array, sha1: Sha1): Generator<void, Metainfo> {
  if (bytes.length > TORRENT_FILE_BYTES_MAX) {
    refuse(`the torrent file has ${bytes.length} bytes, at most ${TORRENT_FILE_BYTES_MAX} are accepted`)
  }
  let spans: ReadonlyMap<string, Uint8Array>
  try {
    spans = dictionarySpans(bytes, { isWhole: false, unique: ['info'] })
  } catch (cause) {
    throw new TorrentError('NOT_A_TORRENT', `not a torrent file: ${reasonOf(cause)}`, { cause })
  }
  const infoBytes = spans.get('info')
  if (infoBytes === undefined) throw new TorrentError('NOT_A_TORRENT', 'not a torrent file: it has no info dictionary')
  yield
  return { ...(yield* infoSteps(infoBytes, sha1)), ...sourcesOf(spans) }
}

/** Checks a bare info dictionary, as ut_metadata delivers it (BEP 9). @throws TorrentError as {@link checkTorrentFile} */
export const checkInfo = (infoBytes: Uint8Array, sha1: Sha1): Metainfo => atOnce(infoSteps(infoBytes, sha1))

/** As {@link checkInfo}, in steps. */
export function* infoSteps(infoBytes: Uint8Array, sha1: Sha1): Generator<void, Metainfo> {
  const info = infoDictionary(infoBytes)
  checkVersion(info)
  const pieceLengthBytes = pieceLengthOf(info)
  const pieceHashes = info.get('pieces')
  if (!(pieceHashes instanceof Uint8Array) || pieceHashes.length % SHA1_BYTES !== 0) {
    return refuse('its piece hashes are not a string of 20 byte hashes')
  }
  const pieceCount = pieceHashes.length / SHA1_BYTES
  if (pieceCount > PIECE_COUNT_MAX) refuse(`it has ${pieceCount} pieces, at most ${PIECE_COUNT_MAX} are accepted`)
  const infoHash = sha1([infoBytes]) as InfoHash
  yield
  const { name, files, renamed } = yield* filesIn(info, infoHash)
  const sizeBytes = files.reduce((sum, file) => sum + file.lengthBytes, 0)
  if (!Number.isSafeInteger(sizeBytes)) refuse('its files are larger than any disk')
  if (sizeBytes === 0) refuse('it holds no data')
  const expected = Math.ceil(sizeBytes / pieceLengthBytes)
  if (pieceCount !== expected) refuse(`it has ${pieceCount} piece hashes where its ${sizeBytes} bytes need ${expected}`)
  checkHybrid(info, files, pieceLengthBytes)
  return {
    infoHash,
    name,
    sizeBytes,
    fileCount: files.filter((file) => !file.padding).length,
    pieceCount,
    pieceLengthBytes,
    torrentFile: torrentFileOf(infoBytes),
    files,
    renamed,
    pieceHashes,
    isPrivate: typeof info.get('private') === 'number' && info.get('private') !== 0,
    ...NO_SOURCES,
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

function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** Its list of files as bytes, which are read one after the other. */
function infoDictionary(bytes: Uint8Array): BencodedDictionary {
  let info: Bencoded
  try {
    // Unsorted keys are taken. A key that occurs twice is not: two clients would read two torrents under one info hash.
    info = decode(bytes, { lenient: true, raw: 'files' })
  } catch (cause) {
    throw malformed(cause)
  }
  return info instanceof Map ? info : refuse('its info is not a dictionary')
}

function* filesIn(info: BencodedDictionary, infoHash: InfoHash): ReturnType<typeof fileListOf> {
  try {
    return yield* fileListOf(info, infoHash)
  } catch (cause) {
    throw cause instanceof BencodeError ? malformed(cause) : cause
  }
}

const malformed = (cause: unknown): TorrentError =>
  new TorrentError('TORRENT_REFUSED', `this torrent is refused: its info dictionary is malformed: ${reasonOf(cause)}`, {
    cause,
  })

function pieceLengthOf(info: BencodedDictionary): number {
  const length = info.get('piece length')
  if (typeof length !== 'number') return refuse('it has no piece length')
  if (length < 1 || length > PIECE_BYTES_MAX) {
    refuse(`its piece length is ${length} bytes; it must be from 1 to ${PIECE_BYTES_MAX}`)
  }
  return length
}

function torrentFileOf(infoBytes: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode('d4:info')
  const file = new Uint8Array(head.length + infoBytes.length + 1)
  file.set(head)
  file.set(infoBytes, head.length)
  file[file.length - 1] = 0x65
  return file
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

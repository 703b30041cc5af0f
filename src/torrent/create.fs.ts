import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { encode } from './bencode.ts'
import type { CreatedTorrent, CreateOptions } from './engine.ts'
import { TorrentError } from './engine.ts'
import { decodeName } from './file-name.fs.ts'
import { FolderWalk, type WalkedFile } from './folder-walk.fs.ts'
import { hybridInfo, inTreeOrder, paddingOf, placesOf } from './hybrid-info.ts'
import { inSteps } from './in-steps.system.ts'
import type { FileHashes } from './metainfo/merkle.ts'
import { quoted } from './metainfo/refusal.ts'
import type { Sha1 } from './metainfo.ts'
import { torrentFileSteps } from './metainfo.ts'
import { hashHybrid, hashPieces } from './piece-hasher.fs.ts'
import { pieceLengthFor } from './piece-length.ts'
import { PrivatePlaces } from './private-places.fs.ts'
import { readProblem } from './read-problem.ts'

const SHA1_BYTES = 20
const SHA256_BYTES = 32
/** Entry points of a DHT that a torrent file names: more would help nobody. */
const NODES_MAX = 8

/** Entry points of the DHT that the torrent will be announced in. */
export type DhtNodes = readonly { host: string; port: number }[]
const LIKE_PADDING = 'is named like padding, which others do not download: rename it, and publish again'
const UNUSABLE =
  'has a backslash or a control character in a name, which others would have to change: rename it, and publish again'

/**
 * Makes a torrent of files and folders where they stand. Several paths must stand in one folder, whose name the torrent
 * then has, so that the torrent can be served from there. A path may be a symbolic link: what it leads to is published, under
 * the name it has there.
 * @throws TorrentError `NO_SUCH_PATH`, `PRIVATE`, `TORRENT_REFUSED` (no data, unusable names), `DISK`; the signal's reason
 * once that is aborted
 */
export async function createFrom(
  paths: readonly string[],
  options: CreateOptions & { nodes?: DhtNodes; places?: PrivatePlaces },
  sha1: Sha1,
): Promise<CreatedTorrent> {
  const { signal, dataDirectory, hidden = false, hybrid = false, onWalk, onProgress } = options
  const places = options.places ?? (await PrivatePlaces.of(dataDirectory))
  const real: string[] = []
  for (const path of paths) real.push(await realPathOf(path))
  const [first] = real
  if (first === undefined) throw new TorrentError('NO_SUCH_PATH', 'no file or folder was given')
  const parent = dirname(first)
  if (real.some((path) => dirname(path) !== parent)) {
    throw new TorrentError('NO_SUCH_PATH', 'files that are published together must stand in the same folder')
  }
  const several = real.length > 1
  const name = basename(several ? parent : first)
  if (name === '') throw new TorrentError('TORRENT_REFUSED', `${first} has no name of its own: publish a folder in it`)

  const walk = new FolderWalk({ hidden, places, signal, onFiles: onWalk })
  for (const path of real) {
    await places.checkNamed(path)
    await walk.add(path, several ? [basename(path)] : [])
  }
  const { skipped } = walk
  const files = hybrid ? inTreeOrder(walk.files) : walk.files
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  if (sizeBytes === 0) throw new TorrentError('TORRENT_REFUSED', nothingIn(first, files.length, skipped.hidden.count))
  const pieceLengthBytes = pieceLengthFor(sizeBytes)
  const padding = hybrid ? paddingOf(files, pieceLengthBytes) : files.map(() => 0)
  const listed = placesOf(padding)
  const paddedBytes = padding.reduce((sum, bytes) => sum + bytes, sizeBytes)
  const pieceCount = Math.ceil(paddedBytes / pieceLengthBytes)
  const nodes = nodesOf(options.nodes ?? [])
  const describe = async (pieces: Uint8Array, trees: readonly (FileHashes | undefined)[] | undefined) => {
    const { info, layers } = trees
      ? hybridInfo(name, files, trees, { pieceLengthBytes, pieces })
      : { info: infoOf(name, files, pieceLengthBytes, pieces), layers: undefined }
    const torrentFile = encode({ info, ...nodes, ...(layers && { 'piece layers': layers }) })
    const metainfo = await inSteps(torrentFileSteps(torrentFile, sha1))
    // Whoever downloads it would call the file otherwise, and this node would look for it under that name.
    const [renamed] = metainfo.renamed ?? []
    if (renamed !== undefined) throw new TorrentError('TORRENT_REFUSED', `${quoted(renamed.from)} ${UNUSABLE}`)
    const alike = files.findIndex((_, at) => metainfo.files[trees ? (listed[at] ?? at) : at]?.padding !== false)
    if (alike >= 0) throw new TorrentError('TORRENT_REFUSED', `${quoted(files[alike]?.absolute ?? '')} ${LIKE_PADDING}`)
    return { ...metainfo, torrentFile }
  }
  // With blank hashes first: what no torrent may hold is told before hours of hashing, not after.
  if (Number.isSafeInteger(pieceCount * SHA1_BYTES) && pieceCount * SHA1_BYTES < 2 ** 31) {
    await describe(new Uint8Array(Math.ceil(sizeBytes / pieceLengthBytes) * SHA1_BYTES), undefined)
    if (hybrid) await describe(new Uint8Array(pieceCount * SHA1_BYTES), blankTrees(files, pieceLengthBytes))
  } else {
    throw new TorrentError('TORRENT_REFUSED', `${first} holds ${sizeBytes} bytes, more than a torrent can`)
  }
  const hashing = { signal, onProgress: (done: number) => onProgress?.(done, sizeBytes) }
  const { pieces, trees } = hybrid
    ? await hashHybrid(files, pieceLengthBytes, hashing)
    : { pieces: await hashPieces(files, pieceLengthBytes, hashing), trees: undefined }
  return {
    ...(await describe(pieces, trees)),
    directory: several ? dirname(parent) : parent,
    stamps: files.flatMap(({ sizeBytes: size, stamp }, at) => (size > 0 ? [{ file: listed[at] ?? at, stamp }] : [])),
    skipped,
  }
}

/** As long as the trees will be, and each another one. */
function blankTrees(files: readonly WalkedFile[], pieceLengthBytes: number): (FileHashes | undefined)[] {
  return files.map(({ sizeBytes }, index) => {
    if (sizeBytes === 0) return undefined
    const root = new Uint8Array(SHA256_BYTES)
    new DataView(root.buffer).setUint32(0, index)
    const pieces = Math.ceil(sizeBytes / pieceLengthBytes)
    return { root, layer: pieces > 1 ? new Uint8Array(pieces * SHA256_BYTES) : undefined }
  })
}

async function realPathOf(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return decodeName(await realpath(absolute, { encoding: 'buffer' }))
  } catch (cause) {
    if (cause instanceof TorrentError) throw cause
    throw new TorrentError('NO_SUCH_PATH', `there is no readable file or folder ${absolute}: ${readProblem(cause)}`, { cause })
  }
}

function infoOf(name: string, files: readonly WalkedFile[], pieceLengthBytes: number, pieces: Uint8Array) {
  const [only] = files
  const layout =
    only?.path.length === 0
      ? { length: only.sizeBytes }
      : { files: files.map(({ path, sizeBytes }) => ({ length: sizeBytes, path })) }
  return { ...layout, name, 'piece length': pieceLengthBytes, pieces }
}

/** BEP 5: programs that cannot be told of a private DHT (qBittorrent before 4.6) find it by these. No part of the info hash. */
const nodesOf = (nodes: DhtNodes) =>
  nodes.length === 0 ? {} : { nodes: nodes.slice(0, NODES_MAX).map(({ host, port }) => [host, port]) }

function nothingIn(path: string, files: number, hidden: number): string {
  if (hidden > 0) return `there is nothing to publish in ${path} but hidden files; --hidden takes them`
  return files === 0 ? `there is no file in ${path}` : `${path} holds no data`
}

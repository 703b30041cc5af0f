import { realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { encode } from './bencode.ts'
import type { CreatedTorrent, CreateOptions } from './engine.ts'
import { TorrentError } from './engine.ts'
import { decodeName } from './file-name.fs.ts'
import { FolderWalk, type WalkedFile } from './folder-walk.fs.ts'
import { inSteps } from './in-steps.system.ts'
import { quoted } from './metainfo/refusal.ts'
import type { Sha1 } from './metainfo.ts'
import { torrentFileSteps } from './metainfo.ts'
import { hashPieces } from './piece-hasher.fs.ts'
import { pieceLengthFor } from './piece-length.ts'
import { PrivatePlaces } from './private-places.fs.ts'
import { readProblem } from './read-problem.ts'

const SHA1_BYTES = 20
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
  options: CreateOptions & { nodes?: DhtNodes },
  sha1: Sha1,
): Promise<CreatedTorrent> {
  const { signal, dataDirectory, hidden = false, onWalk, onProgress } = options
  const places = await PrivatePlaces.of(dataDirectory)
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
  const { files, skipped } = walk
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  if (sizeBytes === 0) throw new TorrentError('TORRENT_REFUSED', nothingIn(first, files.length, skipped.hidden.count))
  const pieceLengthBytes = pieceLengthFor(sizeBytes)
  const pieceCount = Math.ceil(sizeBytes / pieceLengthBytes)
  const nodes = nodesOf(options.nodes ?? [])
  const describe = async (pieces: Uint8Array) => {
    const torrentFile = encode({ info: infoOf(name, files, pieceLengthBytes, pieces), ...nodes })
    const metainfo = await inSteps(torrentFileSteps(torrentFile, sha1))
    // Whoever downloads it would call the file otherwise, and this node would look for it under that name.
    const [renamed] = metainfo.renamed ?? []
    if (renamed !== undefined) throw new TorrentError('TORRENT_REFUSED', `${quoted(renamed.from)} ${UNUSABLE}`)
    const padding = metainfo.files.findIndex((file) => file.padding)
    if (padding >= 0) throw new TorrentError('TORRENT_REFUSED', `${quoted(files[padding]?.absolute ?? '')} ${LIKE_PADDING}`)
    return { ...metainfo, torrentFile }
  }
  // With blank hashes first: what no torrent may hold is told before hours of hashing, not after.
  if (Number.isSafeInteger(pieceCount * SHA1_BYTES) && pieceCount * SHA1_BYTES < 2 ** 31) {
    await describe(new Uint8Array(pieceCount * SHA1_BYTES))
  } else {
    throw new TorrentError('TORRENT_REFUSED', `${first} holds ${sizeBytes} bytes, more than a torrent can`)
  }
  const hashes = await hashPieces(files, pieceLengthBytes, { signal, onProgress: (done) => onProgress?.(done, sizeBytes) })
  return {
    ...(await describe(hashes)),
    directory: several ? dirname(parent) : parent,
    stamps: files.flatMap(({ sizeBytes: size, stamp }, file) => (size > 0 ? [{ file, stamp }] : [])),
    skipped,
  }
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

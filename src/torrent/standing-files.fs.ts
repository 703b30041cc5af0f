import { lstat, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { InfoHash } from '../events/index.ts'
import { hashDisk } from './disk-check.fs.ts'
import type { CreatedTorrent, StandingOptions } from './engine.ts'
import { TorrentError } from './engine.ts'
import { decodeName } from './file-name.fs.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { FolderWalk } from './folder-walk.fs.ts'
import { inSteps } from './in-steps.system.ts'
import { quoted } from './metainfo/refusal.ts'
import { torrentFileSteps } from './metainfo.ts'
import { countBits } from './piece-ranges.ts'
import { PrivatePlaces } from './private-places.fs.ts'
import { readProblem } from './read-problem.ts'
import { sha1 } from './sha1.system.ts'

// Files that stand where a torrent of them was made, or could have been.

const NOTHING = { count: 0, first: [] }

/**
 * Takes a torrent that others made for one whose files stand here, if every piece of it does.
 * @throws TorrentError `NO_SUCH_PATH` for what is missing, `PRIVATE`, `TORRENT_REFUSED`; the signal's reason
 */
export async function standingFiles(
  torrentFile: Uint8Array,
  { directory, places, signal, onProgress }: StandingOptions & { places: PrivatePlaces },
): Promise<CreatedTorrent> {
  const metainfo = await inSteps(torrentFileSteps(torrentFile, sha1))
  let real: string
  try {
    real = decodeName(await realpath(directory, { encoding: 'buffer' }))
  } catch (cause) {
    if (cause instanceof TorrentError) throw cause
    throw new TorrentError('NO_SUCH_PATH', `there is no readable folder ${directory}: ${readProblem(cause)}`, { cause })
  }
  await places.checkTarget(real)
  // Told before hours of hashing, not after.
  for (const { path, lengthBytes, padding } of metainfo.files) {
    signal?.throwIfAborted()
    if (padding) continue
    const standing = join(real, ...path)
    const found = await stat(standing, { bigint: true }).catch(() => undefined)
    if (found?.isFile() !== true || found.size !== BigInt(lengthBytes)) {
      const what = found === undefined ? 'is not there' : `is not a file of ${lengthBytes} bytes`
      throw new TorrentError('NO_SUCH_PATH', `${quoted(metainfo.name)} cannot be offered: ${standing} ${what}`)
    }
    places.checkFound(standing, found)
  }
  const { bitfield, stamps } = await hashDisk(metainfo, real, { signal, onProgress })
  const missing = metainfo.pieceCount - countBits(bitfield)
  if (missing > 0) {
    const what = `${missing} of its ${metainfo.pieceCount} pieces are others in ${real}`
    throw new TorrentError('NO_SUCH_PATH', `${quoted(metainfo.name)} cannot be offered: ${what}`)
  }
  return {
    ...{ ...metainfo, torrentFile, directory: real, stamps },
    skipped: { hidden: NOTHING, link: NOTHING, special: NOTHING },
  }
}

/**
 * Which torrent a torrent file describes, and how its files look in `directory`, as stamps of those that hold anything.
 * @returns undefined where one of them is not there
 * @throws TorrentError `TORRENT_REFUSED`
 */
export async function looksOfTorrent(
  torrentFile: Uint8Array,
  directory: string,
): Promise<{ infoHash: InfoHash; stamps: FileStamp[] } | undefined> {
  const { infoHash, files } = await inSteps(torrentFileSteps(torrentFile, sha1))
  const stamps: FileStamp[] = []
  for (const { path, lengthBytes, padding } of files) {
    if (padding || lengthBytes === 0) continue
    const found = await stat(join(directory, ...path), { bigint: true }).catch(() => undefined)
    if (found?.isFile() !== true) return undefined
    stamps.push(stampOf(found))
  }
  return { infoHash, stamps }
}

/**
 * The path without links in it, as torrents are made of it; undefined where there is nothing that can be read, or its name is
 * no text.
 */
export async function realPath(path: string): Promise<string | undefined> {
  try {
    return decodeName(await realpath(path, { encoding: 'buffer' }))
  } catch {
    return undefined
  }
}

/**
 * How what stands at a real path looks: a stamp for each of its files that holds anything, in no order. Undefined for what could
 * not be published.
 */
export async function looksOfPath(
  real: string,
  options: { hidden: boolean; signal: AbortSignal },
): Promise<{ stamps: FileStamp[]; fileCount: number } | undefined> {
  try {
    const found = await lstat(real, { bigint: true })
    if (found.isFile()) return { stamps: found.size > 0n ? [stampOf(found)] : [], fileCount: 1 }
    const walk = new FolderWalk({ ...options, places: await PrivatePlaces.of(undefined) })
    await walk.add(real, [])
    const stamps = walk.files.filter(({ sizeBytes }) => sizeBytes > 0).map(({ stamp }) => stamp)
    return { stamps, fileCount: walk.files.length }
  } catch (cause) {
    options.signal.throwIfAborted()
    if (cause instanceof TorrentError) return undefined
    throw cause
  }
}

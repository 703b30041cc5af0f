import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import createTorrent from 'create-torrent'
import { TorrentError } from './engine.ts'
import type { Metainfo } from './metainfo.ts'
import { checkTorrentFile } from './metainfo.ts'
import { sha1 } from './swarm.webtorrent.ts'

export type CreateOptions = {
  name?: string
  onProgress?: (doneBytes: number, totalBytes: number) => void
  signal?: AbortSignal
}

/**
 * Makes a torrent of files and folders where they stand. Several paths must stand in one folder, whose name the torrent
 * then has, so that the torrent can be served from there.
 * @returns the metainfo, and the directory to add it with
 * @throws TorrentError `NO_SUCH_PATH`, `TORRENT_REFUSED` (no data, unusable names), `DISK`
 */
export async function createFrom(paths: readonly string[], options: CreateOptions): Promise<Metainfo & { directory: string }> {
  const absolute = paths.map((path) => resolve(path))
  const [first] = absolute
  if (first === undefined) throw new TorrentError('NO_SUCH_PATH', 'no file or folder was given')
  for (const path of absolute) await checkReadable(path)
  const parent = dirname(first)
  if (absolute.some((path) => dirname(path) !== parent)) {
    throw new TorrentError('NO_SUCH_PATH', 'files that are published together must stand in the same folder')
  }
  const several = absolute.length > 1
  const name = options.name ?? basename(several ? parent : first)
  const torrentFile = await hashFiles(absolute, name, options)
  return { ...checkTorrentFile(torrentFile, sha1), directory: several ? dirname(parent) : parent }
}

async function checkReadable(path: string): Promise<void> {
  try {
    await stat(path)
  } catch (cause) {
    throw new TorrentError('NO_SUCH_PATH', `there is no readable file or folder ${path}`, { cause })
  }
}

function hashFiles(paths: readonly string[], name: string, { signal, onProgress }: CreateOptions): Promise<Uint8Array> {
  return new Promise((fulfil, reject) => {
    // create-torrent cannot be stopped; what it finds after an abort is thrown away.
    const onAbort = () => reject(signal?.reason)
    if (signal?.aborted) return onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    const settings = { name, createdBy: 'p2pt', announceList: [], ...(onProgress === undefined ? {} : { onProgress }) }
    createTorrent([...paths], settings, (error, torrentFile) => {
      signal?.removeEventListener('abort', onAbort)
      if (error === null) fulfil(torrentFile)
      else reject(new TorrentError('DISK', `the files could not be read: ${error.message}`, { cause: error }))
    })
  })
}

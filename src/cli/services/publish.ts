import { existsSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { type ClientService, type PublishProgress, type PublishResult, ServiceError } from '../../roles/index.ts'
import { publishLine } from '../render/progress-bar.ts'
import { ProgressLine, withProgress } from './output.ts'
import { readTorrentFile } from './torrent-file.ts'

/**
 * Publishes each path as a torrent of its own, one after the other.
 * @param show draws progress on stderr
 * @throws ServiceError `usage` if a path is not there; nothing is published then
 */
export async function publishPaths(
  client: ClientService,
  paths: readonly string[],
  details: { title?: string; tags: string[]; hidden: boolean; hybrid?: boolean; directory?: string },
  show: boolean,
): Promise<PublishResult[]> {
  for (const path of paths) if (!existsSync(path)) throw new ServiceError('usage', `there is no file or folder ${path}`)
  if (details.title !== undefined && paths.length > 1)
    throw new ServiceError('usage', 'one title cannot name several torrents: publish them one by one')
  const line = new ProgressLine()
  const results: PublishResult[] = []
  for (const path of paths) {
    const work = client.publish({ ...(await whatIsAt(path)), ...details })
    const draw = (progress: PublishProgress) => line.show((columns) => publishLine(basename(path), progress, columns))
    try {
      results.push(await withProgress(work, show ? draw : undefined))
    } finally {
      line.end()
    }
  }
  return results
}

/** A torrent file is published as the torrent that it describes, anything else as a torrent made of it. */
async function whatIsAt(path: string): Promise<{ path: string } | { torrentFile: string }> {
  const isTorrentFile = path.endsWith('.torrent') && statSync(path).isFile()
  return isTorrentFile ? { torrentFile: await readTorrentFile(path) } : { path: resolve(path) }
}

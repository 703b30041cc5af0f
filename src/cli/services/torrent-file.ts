import { readFile, stat } from 'node:fs/promises'
import { ServiceError } from '../../roles/index.ts'
import { TORRENT_FILE_BYTES_MAX } from '../../torrent/metainfo.ts'

/**
 * A torrent file as base64. What is in it is checked by the node.
 * @throws ServiceError `usage` if there is no such file, or it is too long to be one
 */
export async function readTorrentFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size <= TORRENT_FILE_BYTES_MAX) return await readFile(path, 'base64')
  } catch (cause) {
    throw new ServiceError('usage', `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  throw new ServiceError(
    'usage',
    `${path} is not a torrent file: it is longer than ${TORRENT_FILE_BYTES_MAX / 1024 / 1024} MiB`,
  )
}

import { open } from 'node:fs/promises'
import { ServiceError } from '../../roles/index.ts'
import { TORRENT_FILE_BYTES_MAX } from '../../torrent/metainfo.ts'

/**
 * A torrent file as base64. What is in it is checked by the node.
 * @throws ServiceError `usage` if there is no such file, or it is too long to be one
 */
export async function readTorrentFile(path: string): Promise<string> {
  if (/^\s*magnet:/i.test(path) || /^[0-9a-f]{40}$/i.test(path))
    throw new ServiceError(
      'usage',
      `${path.slice(0, 100)} is no file: \`p2pt client magnet\` takes magnet links and info hashes`,
    )
  try {
    // No farther than a torrent file can be long: a device has no size and no end, and a pipe has no size.
    await using file = await open(path)
    const { size } = await file.stat()
    // Thousands of small ones are read for an import.
    const bytes = Buffer.alloc((size > 0 ? Math.min(size, TORRENT_FILE_BYTES_MAX) : TORRENT_FILE_BYTES_MAX) + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = (await file.read(bytes, length, bytes.length - length)).bytesRead
    }
    if (length <= TORRENT_FILE_BYTES_MAX) return bytes.toString('base64', 0, length)
  } catch (cause) {
    throw new ServiceError('usage', `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  throw new ServiceError(
    'usage',
    `${path} is not a torrent file: it is longer than ${TORRENT_FILE_BYTES_MAX / 1024 / 1024} MiB`,
  )
}

/** A name for the file of a torrent of this name. */
export const fileNameOf = (name: string): string => {
  // Names come from strangers: none leads out of the folder, or hides.
  const plain = [...name].map((letter) => (/[\p{Cc}/\\]/u.test(letter) ? '_' : letter)).join('')
  return `${plain.replace(/^\.+/, '').slice(0, NAME_LENGTH_MAX) || 'torrent'}.torrent`
}

/** With the ending it fits any file system, in any script. */
const NAME_LENGTH_MAX = 60

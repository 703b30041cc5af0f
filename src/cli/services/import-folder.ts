import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BulkItem, ServiceError } from '../../roles/index.ts'
import { checkTorrentFile } from '../../torrent/metainfo.ts'
import { sha1 } from '../../torrent/sha1.system.ts'
import type { BulkEntry } from './publish-list.ts'
import { readTorrentFile } from './torrent-file.ts'

/** What a folder holds to be published, and how many entries of it are not. */
export type FolderContents = { entries: BulkEntry[]; hidden: number; links: number; special: number }

type FolderOptions = { to: string | undefined; tags: readonly string[]; hidden: boolean }

/**
 * Each file and folder in a folder, in the order of their names; of one with torrent files, these, and not the files that they
 * describe. Links are not followed.
 * @param options.to where the files of torrent files stand; undefined: beside them
 * @throws ServiceError `usage` if it cannot be read
 */
export async function contentsOf(folder: string, { to, tags, hidden }: FolderOptions): Promise<FolderContents> {
  const directory = resolve(folder)
  let all: Dirent[]
  try {
    all = await readdir(directory, { withFileTypes: true })
  } catch (cause) {
    throw new ServiceError('usage', `cannot read the folder ${directory}: ${(cause as Error).message}`, { cause })
  }
  const shown = all.filter(({ name }) => hidden || !name.startsWith('.'))
  const some = shown.filter((entry) => entry.isFile() || entry.isDirectory()).map(({ name }) => name)
  const links = shown.filter((entry) => entry.isSymbolicLink()).length
  const isTorrent = new Set(shown.filter((entry) => entry.isFile() && entry.name.endsWith('.torrent')).map(({ name }) => name))
  const where = to === undefined ? directory : resolve(to)
  const described = where === directory ? await namesIn(directory, [...isTorrent]) : new Set<string>()
  const entries = some
    .filter((name) => isTorrent.has(name) || !described.has(name))
    .sort((a, b) => (a < b ? -1 : 1))
    .map((name): { item: BulkItem } => ({
      item: {
        path: join(directory, name),
        ...(isTorrent.has(name) ? { directory: where } : {}),
        ...(tags.length > 0 ? { tags: [...tags] } : {}),
      },
    }))
  return { entries, hidden: all.length - shown.length, links, special: shown.length - some.length - links }
}

/** What torrent files call their files, or the folder of them. */
async function namesIn(directory: string, torrents: readonly string[]): Promise<Set<string>> {
  const names = new Set<string>()
  for (const torrent of torrents) {
    try {
      const bytes = Buffer.from(await readTorrentFile(join(directory, torrent)), 'base64')
      names.add(checkTorrentFile(bytes, sha1).files[0]?.path[0] ?? '')
    } catch {
      // The node says what is wrong with it.
    }
  }
  return names
}

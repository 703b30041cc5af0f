import type { NameOnDisk } from '../events/index.ts'
import { TorrentError } from './engine.ts'
import { isLonger } from './metainfo/file-name.ts'
import { NAME_BYTES_MAX, PATH_BYTES_MAX } from './metainfo/limits.ts'
import { quoted } from './metainfo/refusal.ts'
import type { Metainfo } from './metainfo.ts'

// What the files of a torrent are called on the disk where a person calls them otherwise. All that reads or writes files takes
// the paths of a metainfo: it gets one with these names in it, and nothing else has to know.

/** By place in the torrent; null: its folder, or its file where it has none. Empty: as in the torrent. */
export type NamesOnDisk = ReadonlyMap<number | null, string>

/** The names after a change. */
export function changedNames(before: NamesOnDisk, changes: readonly NameOnDisk[]): NamesOnDisk {
  const names = new Map(before)
  for (const { file, name } of changes) {
    if (name === '') names.delete(file)
    else names.set(file, name)
  }
  return names
}

/** The metainfo with these names in the paths of its files. */
export function placed(metainfo: Metainfo, names: NamesOnDisk): Metainfo {
  if (names.size === 0 && metainfo.files[0]?.ownPath === undefined) return metainfo
  const top = names.get(null)
  const files = metainfo.files.map((file, index) => {
    const ownPath = file.ownPath ?? file.path
    const [folder = '', ...below] = ownPath
    const last = names.get(index)
    if (last !== undefined && below.length > 0) below[below.length - 1] = last
    return { ...file, path: [top || folder, ...below], ownPath }
  })
  return { ...metainfo, files }
}

/** A torrent whose file stands in no folder has one name, whichever way it is asked for. */
export const fileOfName = ({ files }: Metainfo, file: number | null): number | null =>
  file !== null && files[file]?.path.length === 1 ? null : file

/**
 * Whether a person may call a file so.
 * @throws TorrentError `BAD_NAME`
 */
export function checkName(name: string): void {
  const refuse = (why: string) => {
    throw new TorrentError('BAD_NAME', `${quoted(name)} cannot be the name of a file: ${why}`)
  }
  if (name === '') refuse('it is empty')
  if (name === '.' || name === '..') refuse('it is a folder of the system')
  if (name.includes('/')) refuse('a name has no slash; `p2pt client move` puts files elsewhere')
  if (/[\u0000-\u001f\u007f\\]/.test(name)) refuse('it has a backslash or a control character')
  if (!name.isWellFormed()) refuse('it is no text')
  if (isLonger(name, NAME_BYTES_MAX)) refuse(`it has more than ${NAME_BYTES_MAX} bytes`)
}

/**
 * Whether the files of a placed metainfo can stand side by side.
 * @throws TorrentError `BAD_NAME`
 */
export function checkPaths({ files }: Metainfo): void {
  const folders = new Set<string>()
  const taken = new Set<string>()
  for (const { path, padding } of files) {
    if (padding) continue
    for (let depth = 1; depth < path.length; depth++) folders.add(path.slice(0, depth).join('/'))
  }
  for (const { path, padding } of files) {
    if (padding) continue
    const joined = path.join('/')
    if (taken.has(joined) || folders.has(joined)) {
      throw new TorrentError('BAD_NAME', `${quoted(joined)} is the name of something else in the torrent`)
    }
    if (isLonger(joined, PATH_BYTES_MAX)) throw new TorrentError('BAD_NAME', `the path ${quoted(joined)} is too long`)
    taken.add(joined)
  }
}

import type { InfoHash } from '../events/index.ts'
import type { AddOptions, PlaceOptions } from './engine.ts'
import { TorrentError } from './engine.ts'
import type { Taken } from './file-places.fs.ts'
import type { Metainfo } from './metainfo.ts'
import { moveTorrent } from './move-torrent.fs.ts'
import type { PathClaims } from './path-claims.fs.ts'
import { changedNames, checkName, checkPaths, fileOfName, type NamesOnDisk, placed } from './placement.ts'
import { tidy } from './relocation.fs.ts'
import type { TorrentEntry } from './torrent-entry.ts'

// A torrent's files go to another folder, or get other names.

export type Place = { directory: string; names: NamesOnDisk; metainfo: Metainfo | undefined }

/** @throws TorrentError `BAD_NAME`, `NO_METADATA` */
export function placeAfter(
  entry: TorrentEntry,
  metainfo: Metainfo | undefined,
  { directory = entry.directory, names: changes = [] }: PlaceOptions,
): Place {
  if (metainfo === undefined) {
    if (changes.length === 0) return { directory, names: entry.names, metainfo }
    throw new TorrentError('NO_METADATA', `nothing is known of what "${entry.name}" holds yet`)
  }
  for (const { file, name } of changes) {
    if (file !== null && metainfo.files[file]?.padding !== false)
      throw new TorrentError('BAD_NAME', `"${entry.name}" has no file ${file + 1}`)
    if (name !== '') checkName(name)
  }
  const own = changes.map(({ file, name }) => ({ file: fileOfName(metainfo, file), name }))
  const names = changedNames(entry.names, own)
  const after = placed(metainfo, names)
  checkPaths(after)
  return { directory, names, metainfo: after }
}

/** Puts its files there, unless a path is another's. @throws TorrentError `PATH_TAKEN`, `DISK` */
export async function moveEntry(
  claims: PathClaims,
  entry: TorrentEntry,
  metainfo: Metainfo | undefined,
  to: Place,
  options: PlaceOptions & { signal: AbortSignal },
): Promise<void> {
  const { infoHash, directory, ownsFiles } = entry
  const commit = () => entry.goTo(to)
  const taken = (by: Taken | undefined) => {
    if (by !== undefined) throw claims.pathTaken(entry, by, 'choose another folder or name')
  }
  if (metainfo === undefined || to.metainfo === undefined || !ownsFiles) {
    // Nothing on the disk is known to be its own.
    if (to.metainfo !== undefined)
      taken(await claims.places.claim(standingAt(infoHash, to.directory, to.metainfo), claims.stampedBy(entry)))
    await options.begun()
    await options.staged([])
    commit()
    return options.cleared()
  }
  const from = { directory, metainfo }
  const standing = { directory: to.directory, metainfo: to.metainfo }
  const [shared] = await claims.places.shared(standingAt(infoHash, directory, metainfo))
  if (shared !== undefined) {
    const path = metainfo.files[shared]?.path.join('/')
    throw new TorrentError('PATH_TAKEN', `${path} in ${directory} is another torrent's as well, which would lose it`)
  }
  taken(await claims.places.claim({ ...standingAt(infoHash, to.directory, to.metainfo), also: from }, claims.stampedBy(entry)))
  try {
    await moveTorrent(entry, metainfo, { standing, commit }, options)
  } finally {
    claims.places.add(entry)
  }
}

/** A move was cut off: what is left of it where the torrent is not. */
export async function tidyElsewhere(
  { directory, names, ownsFiles }: TorrentEntry,
  metainfo: Metainfo | undefined,
  elsewhere: AddOptions['elsewhere'],
): Promise<void> {
  if (elsewhere === undefined || metainfo === undefined || !ownsFiles) return
  const there = placed(metainfo, changedNames(names, elsewhere.names))
  await tidy({ directory, metainfo }, { directory: elsewhere.directory, metainfo: there }, elsewhere.wasMoved)
}

const standingAt = (infoHash: InfoHash, directory: string, metainfo: Metainfo) => ({
  infoHash,
  directory,
  load: async () => metainfo,
})

import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { InfoHash } from '../events/index.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import type { Metainfo } from './metainfo.ts'

// Which torrent's file stands where. Two torrents must never write one path: the second one's pieces would be bad pieces of
// the first, served with our name. Folders are compared by their real paths, so links and `..` make no difference. Whether a
// file system folds case is not guessed: files that are there already are compared by what they are (size, mtime, inode).

type Torrent = { readonly infoHash: InfoHash; readonly directory: string; readonly metainfo: Metainfo | undefined }
type Placed = { files: readonly string[]; folders: readonly string[] }
export type Taken = { path: string; by: InfoHash }

export class FilePlaces {
  /** Torrents whose paths nobody has asked for yet: a start with thousands of them resolves none. */
  readonly #waiting = new Map<InfoHash, Torrent>()
  readonly #placed = new Map<InfoHash, Placed>()
  readonly #files = new Map<string, Set<InfoHash>>()
  readonly #folders = new Map<string, Set<InfoHash>>()
  /** A torrent's paths are looked up and taken in one turn. */
  #turn: Promise<unknown> = Promise.resolve()

  /** Takes note of a torrent that is served from where it stands, or was accepted before. */
  add(torrent: Torrent): void {
    this.#waiting.set(torrent.infoHash, torrent)
  }

  remove(infoHash: InfoHash): void {
    this.#waiting.delete(infoHash)
    const placed = this.#placed.get(infoHash)
    if (placed === undefined) return
    this.#placed.delete(infoHash)
    for (const path of placed.files) leave(this.#files, path, infoHash)
    for (const path of placed.folders) leave(this.#folders, path, infoHash)
  }

  /**
   * Takes the paths of a torrent, unless another one has one of them.
   * @param stampedBy who has a file that looks like this
   */
  claim(torrent: Torrent, stampedBy: (stamp: FileStamp) => InfoHash | undefined): Promise<Taken | undefined> {
    return this.#inTurn(async () => {
      const taken = await this.#taken(torrent, stampedBy)
      if (taken === undefined) this.add(torrent)
      return taken
    })
  }

  /** The first path of a torrent that another one has too. */
  conflict(torrent: Torrent, stampedBy: (stamp: FileStamp) => InfoHash | undefined): Promise<Taken | undefined> {
    return this.#inTurn(() => this.#taken(torrent, stampedBy))
  }

  /** Places of those files that another torrent has too. */
  shared(torrent: Torrent): Promise<Set<number>> {
    return this.#inTurn(async () => {
      await this.#placeWaiting()
      const { metainfo } = torrent
      const { files } = metainfo === undefined ? NO_PATHS : await pathsOf(torrent.directory, metainfo)
      const shared = new Set<number>()
      for (const [index, path] of files.entries()) if (this.#otherAt(this.#files, path, torrent.infoHash)) shared.add(index)
      return shared
    })
  }

  async #taken(torrent: Torrent, stampedBy: (stamp: FileStamp) => InfoHash | undefined): Promise<Taken | undefined> {
    await this.#placeWaiting()
    const { infoHash, metainfo, directory } = torrent
    if (metainfo === undefined) return undefined
    const { files, folders } = await pathsOf(directory, metainfo)
    for (const [index, path] of files.entries()) {
      if (metainfo.files[index]?.padding) continue
      const by = this.#otherAt(this.#files, path, infoHash) ?? this.#otherAt(this.#folders, path, infoHash)
      if (by !== undefined) return { path, by }
    }
    for (const path of folders) {
      const by = this.#otherAt(this.#files, path, infoHash)
      if (by !== undefined) return { path, by }
    }
    if ((await lookAt(join(directory, metainfo.name))) === undefined) return undefined
    for (const { path, padding } of metainfo.files) {
      const standing = padding ? undefined : join(directory, ...path)
      const found = standing === undefined ? undefined : await lookAt(standing)
      if (standing === undefined || found === undefined || found.size === 0n) continue
      const real = await realpath(standing).catch(() => standing)
      const by = this.#otherAt(this.#files, real, infoHash) ?? stampedBy(stampOf(found))
      if (by !== undefined && by !== infoHash) return { path: real, by }
    }
    return undefined
  }

  #otherAt(map: ReadonlyMap<string, ReadonlySet<InfoHash>>, path: string, than: InfoHash): InfoHash | undefined {
    for (const infoHash of map.get(path) ?? []) if (infoHash !== than) return infoHash
    return undefined
  }

  async #placeWaiting(): Promise<void> {
    const real = new Map<string, string>()
    for (const [infoHash, torrent] of this.#waiting) {
      const { metainfo } = torrent
      const { files, folders } = metainfo === undefined ? NO_PATHS : await pathsOf(torrent.directory, metainfo, real)
      // It may have been removed meanwhile.
      if (this.#waiting.get(infoHash) !== torrent) continue
      this.remove(infoHash)
      const kept = files.filter((_, index) => metainfo?.files[index]?.padding !== true)
      this.#placed.set(infoHash, { files: kept, folders })
      for (const path of kept) enter(this.#files, path, infoHash)
      for (const path of folders) enter(this.#folders, path, infoHash)
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

const NO_PATHS = { files: [], folders: [] }

/**
 * Where each file of a torrent goes, and every folder above one of them.
 * @param real folders that were looked up just now
 */
async function pathsOf(
  directory: string,
  metainfo: Metainfo,
  real: Map<string, string> = new Map(),
): Promise<{ files: string[]; folders: string[] }> {
  const own = new Set<string>()
  const files: string[] = []
  for (const { path } of metainfo.files) {
    const standing = join(directory, ...path)
    const folder = dirname(standing)
    let found = real.get(folder)
    if (found === undefined) {
      found = await realFolder(folder)
      real.set(folder, found)
    }
    own.add(found)
    files.push(join(found, basename(standing)))
  }
  const folders = new Set<string>()
  for (const folder of own) {
    for (let at = folder; !folders.has(at); at = dirname(at)) folders.add(at)
  }
  return { files, folders: [...folders] }
}

/** The real path of a folder, or of the part of it that is there. */
async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder)
  } catch {
    const above = dirname(folder)
    return above === folder ? folder : join(await realFolder(above), basename(folder))
  }
}

const lookAt = (path: string) => stat(path, { bigint: true }).catch(() => undefined)

function enter(map: Map<string, Set<InfoHash>>, path: string, infoHash: InfoHash): void {
  const there = map.get(path)
  if (there === undefined) map.set(path, new Set([infoHash]))
  else there.add(infoHash)
}

function leave(map: Map<string, Set<InfoHash>>, path: string, infoHash: InfoHash): void {
  const there = map.get(path)
  there?.delete(infoHash)
  if (there?.size === 0) map.delete(path)
}

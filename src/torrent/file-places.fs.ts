import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { InfoHash } from '../events/index.ts'
import { looksOf, stampOf } from './file-stamp.ts'
import type { Metainfo } from './metainfo.ts'

// Which torrent's file stands where. Two torrents must never write one path: the second one's pieces would be bad pieces of
// the first, served with our name. Folders are compared by their real paths, so links and `..` make no difference. Whether a
// file system folds case is not guessed: files that are there already are compared by what they are (size, mtime, inode).

type Place = { readonly directory: string; readonly metainfo: Metainfo }
type Torrent = {
  readonly infoHash: InfoHash
  readonly directory: string
  load(): Promise<Metainfo | undefined>
  /** Where its files stand besides, while they are moved. */
  readonly also?: Place
}
/** Paths put together in one turn of the event loop: some milliseconds. */
const FILES_AT_ONCE = 2_000

type Placed = { files: readonly string[]; folders: readonly string[] }
export type Taken = { path: string; by: InfoHash }

export class FilePlaces {
  /** Torrents whose paths nobody has asked for yet: a start with thousands of them resolves none. */
  readonly #waiting = new Map<InfoHash, Torrent>()
  readonly #placed = new Map<InfoHash, Placed>()
  readonly #files = new Owners()
  readonly #folders = new Owners()
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
    for (const path of placed.files) this.#files.delete(path, infoHash)
    for (const path of placed.folders) this.#folders.delete(path, infoHash)
  }

  /**
   * Takes the paths of a torrent, unless another one has one of them.
   * @param lookedLike who has a file that looks like this (`looksOf`)
   */
  claim(torrent: Torrent, lookedLike: (looks: string) => InfoHash | undefined): Promise<Taken | undefined> {
    return this.#inTurn(async () => {
      const taken = await this.#taken(torrent, lookedLike)
      if (taken === undefined) this.add(torrent)
      return taken
    })
  }

  /** The first path of a torrent that another one has too. */
  conflict(torrent: Torrent, lookedLike: (looks: string) => InfoHash | undefined): Promise<Taken | undefined> {
    return this.#inTurn(() => this.#taken(torrent, lookedLike))
  }

  /** Places of those files that another torrent has too. */
  shared(torrent: Torrent): Promise<Set<number>> {
    return this.#inTurn(async () => {
      await this.#placeWaiting()
      const metainfo = await torrent.load()
      const { files } = metainfo === undefined ? NO_PATHS : await pathsOf(torrent.directory, metainfo)
      const shared = new Set<number>()
      for (const [index, path] of files.entries()) if (this.#files.other(path, torrent.infoHash)) shared.add(index)
      return shared
    })
  }

  async #taken(torrent: Torrent, lookedLike: (looks: string) => InfoHash | undefined): Promise<Taken | undefined> {
    await this.#placeWaiting()
    const { infoHash, directory } = torrent
    const metainfo = await torrent.load()
    if (metainfo === undefined) return undefined
    const { files, folders } = await pathsOf(directory, metainfo)
    for (const [index, path] of files.entries()) {
      if (metainfo.files[index]?.padding) continue
      const by = this.#files.other(path, infoHash) ?? this.#folders.other(path, infoHash)
      if (by !== undefined) return { path, by }
    }
    for (const path of folders) {
      const by = this.#files.other(path, infoHash)
      if (by !== undefined) return { path, by }
    }
    if ((await lookAt(join(directory, metainfo.files[0]?.path[0] ?? ''))) === undefined) return undefined
    for (const { path, padding } of metainfo.files) {
      const standing = padding ? undefined : join(directory, ...path)
      const found = standing === undefined ? undefined : await lookAt(standing)
      if (standing === undefined || found === undefined || found.size === 0n) continue
      const real = await realpath(standing).catch(() => standing)
      const by = this.#files.other(real, infoHash) ?? lookedLike(looksOf(stampOf(found)))
      if (by !== undefined && by !== infoHash) return { path: real, by }
    }
    return undefined
  }

  async #placeWaiting(): Promise<void> {
    const real = new Map<string, string>()
    for (const [infoHash, torrent] of this.#waiting) {
      const metainfo = await torrent.load()
      const { files, folders } = metainfo === undefined ? NO_PATHS : await standingPaths(torrent, metainfo, real)
      // It may have been removed meanwhile.
      if (this.#waiting.get(infoHash) !== torrent) continue
      this.remove(infoHash)
      this.#placed.set(infoHash, { files, folders })
      for (const path of files) this.#files.add(path, infoHash)
      for (const path of folders) this.#folders.add(path, infoHash)
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }
}

const NO_PATHS = { files: [], folders: [] }

/** All paths that are a torrent's, without padding. */
async function standingPaths(
  { directory, also }: Torrent,
  metainfo: Metainfo,
  real: Map<string, string>,
): Promise<{ files: string[]; folders: string[] }> {
  const own = async (place: Place) => {
    const { files, folders } = await pathsOf(place.directory, place.metainfo, real)
    return { files: files.filter((_, index) => place.metainfo.files[index]?.padding !== true), folders }
  }
  const here = await own({ directory, metainfo })
  if (also === undefined) return here
  const there = await own(also)
  return { files: [...here.files, ...there.files], folders: [...new Set([...here.folders, ...there.folders])] }
}

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
    // There may be 65,536.
    if (files.length % FILES_AT_ONCE === FILES_AT_ONCE - 1) await setImmediate()
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

/** Whose a path is. Nearly all are of one torrent: only the others cost a set. */
class Owners {
  readonly #owners = new Map<string, InfoHash | Set<InfoHash>>()

  /** Another one that has it. */
  other(path: string, than: InfoHash): InfoHash | undefined {
    const owners = this.#owners.get(path)
    if (typeof owners === 'string') return owners === than ? undefined : owners
    for (const infoHash of owners ?? []) if (infoHash !== than) return infoHash
    return undefined
  }

  add(path: string, infoHash: InfoHash): void {
    const owners = this.#owners.get(path)
    if (owners === undefined) this.#owners.set(path, infoHash)
    else if (typeof owners !== 'string') owners.add(infoHash)
    else if (owners !== infoHash) this.#owners.set(path, new Set([owners, infoHash]))
  }

  delete(path: string, infoHash: InfoHash): void {
    const owners = this.#owners.get(path)
    if (owners === infoHash) this.#owners.delete(path)
    else if (typeof owners === 'object' && owners.delete(infoHash) && owners.size === 0) this.#owners.delete(path)
  }
}

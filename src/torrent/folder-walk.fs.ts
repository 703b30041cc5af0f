import { constants, type Dir, type Dirent } from 'node:fs'
import { access, lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { SkippedKind, SkippedSummary } from './engine.ts'
import { TorrentError } from './engine.ts'
import { decodeName, escapedName } from './file-name.fs.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { FILE_COUNT_MAX, TORRENT_FILE_BYTES_MAX } from './metainfo.ts'
import type { PrivatePlaces } from './private-places.fs.ts'
import { readProblem } from './read-problem.ts'
import { untilAborted } from './until-aborted.ts'

// Finds the files of a torrent. Symbolic links are never followed, wherever they point: a link to the folder itself has no
// end, one that leads out would publish what nobody meant to, and one that stays inside would publish the same bytes twice.

/** Entries looked at, those that are skipped included. */
const ENTRIES_MAX = 4 * FILE_COUNT_MAX
/** Folders within folders. */
const DEPTH_MAX = 100
/** Skipped entries whose names are told, of each kind; the rest is counted. */
const NAMES_TOLD = 5
/** Files between two reports of progress, so that a large folder does not report 65,536 times. */
const REPORT_EVERY = 64

const DOT = 0x2e
const SLASH = Buffer.from('/')

export type WalkedFile = {
  /** Names below the folder that was named; empty for a file that was named itself. */
  path: readonly string[]
  absolute: string
  sizeBytes: number
  stamp: FileStamp
}

export type WalkOptions = {
  /** Takes files and folders whose names begin with a dot. */
  hidden: boolean
  places: PrivatePlaces
  signal?: AbortSignal | undefined
  onFiles?: ((count: number) => void) | undefined
}

const refuse = (why: string, cause?: unknown): never => {
  throw new TorrentError('TORRENT_REFUSED', why, { cause })
}

/** Walks one or several files and folders, and keeps count over all of them. */
export class FolderWalk {
  readonly files: WalkedFile[] = []
  readonly #options: WalkOptions
  readonly #skipped: Record<SkippedKind, { count: number; first: string[] }> = {
    hidden: { count: 0, first: [] },
    link: { count: 0, first: [] },
    special: { count: 0, first: [] },
  }
  #entries = 0
  #nameBytes = 0

  constructor(options: WalkOptions) {
    this.#options = options
  }

  get skipped(): SkippedSummary {
    return this.#skipped
  }

  /**
   * Finds the files of a folder, in the order of the bytes of their paths; or takes a file.
   * @param absolute a real path, no link
   * @param path how it is named within the torrent
   * @throws TorrentError `TORRENT_REFUSED`, `PRIVATE`; the signal's reason once that is aborted
   */
  async add(absolute: string, path: readonly string[]): Promise<void> {
    const found = await this.#lstat(absolute)
    if (found.isDirectory()) await this.#visit(absolute, path)
    else if (found.isFile()) await this.#take(absolute, path)
    else refuse(`${absolute} is ${kindOf(found)}, no file or folder: it cannot be published`)
    this.#options.onFiles?.(this.files.length)
  }

  async #visit(folder: string, path: readonly string[]): Promise<void> {
    if (path.length > DEPTH_MAX) refuse(`${folder} is more than ${DEPTH_MAX} folders deep: publish a part of it`)
    const entries = await this.#list(folder, path)
    this.#options.places.checkFound(folder, await this.#lstat(folder), new Set(entries.map(({ name }) => name)))
    for (const { name, isFolder } of entries) {
      this.#options.signal?.throwIfAborted()
      if (isFolder) await this.#visit(join(folder, name), [...path, name])
      else await this.#take(join(folder, name), [...path, name])
    }
  }

  async #list(folder: string, path: readonly string[]): Promise<{ name: string; isFolder: boolean }[]> {
    const kept: { name: string; isFolder: boolean; key: Buffer }[] = []
    let directory: Dir | undefined
    try {
      // Names as bytes: as text, one that is no UTF-8 would name another file.
      const opening = opendir(folder, { encoding: 'buffer' as BufferEncoding })
      directory = await untilAborted(opening, this.#options.signal, (opened) => opened.close())
      for (;;) {
        const entry = (await untilAborted(directory.read(), this.#options.signal)) as unknown as Dirent<Buffer> | null
        if (entry === null) break
        if (++this.#entries > ENTRIES_MAX) refuse(`${folder} has more than ${ENTRIES_MAX} entries: publish a part of it`)
        const name = this.#nameOf(entry, path)
        if (name === undefined) continue
        this.#nameBytes += entry.name.length
        if (this.#nameBytes > TORRENT_FILE_BYTES_MAX)
          refuse('the names of the files are too long together: publish a part of them')
        const isFolder = entry.isDirectory()
        kept.push({ name, isFolder, key: isFolder ? Buffer.concat([entry.name, SLASH]) : entry.name })
      }
    } catch (cause) {
      throw this.#unreadable(folder, cause)
    } finally {
      // Not awaited: after an abort a read may be under way that never ends.
      void directory?.close().catch(() => {})
    }
    return kept.sort((a, b) => Buffer.compare(a.key, b.key))
  }

  /** Undefined for what is skipped. */
  #nameOf(entry: Dirent<Buffer>, path: readonly string[]): string | undefined {
    const isHidden = entry.name[0] === DOT && !this.#options.hidden
    const kind = isHidden
      ? 'hidden'
      : entry.isSymbolicLink()
        ? 'link'
        : entry.isFile() || entry.isDirectory()
          ? undefined
          : 'special'
    if (kind !== undefined) {
      const skipped = this.#skipped[kind]
      skipped.count++
      const shown = `${[...path, escapedName(entry.name)].join('/')}${entry.isDirectory() ? '/' : ''}`
      if (skipped.first.length < NAMES_TOLD) skipped.first.push(shown)
      return undefined
    }
    return decodeName(entry.name)
  }

  async #take(absolute: string, path: readonly string[]): Promise<void> {
    const found = await this.#lstat(absolute)
    if (!found.isFile()) refuse(`${absolute} was replaced while the folder was read: publish again`)
    this.#options.places.checkFound(absolute, found)
    try {
      await untilAborted(access(absolute, constants.R_OK), this.#options.signal)
    } catch (cause) {
      throw this.#unreadable(absolute, cause)
    }
    if (this.files.length >= FILE_COUNT_MAX) refuse(`more than ${FILE_COUNT_MAX} files: publish a part of them`)
    this.files.push({ path, absolute, sizeBytes: Number(found.size), stamp: stampOf(found) })
    if (this.files.length % REPORT_EVERY === 0) this.#options.onFiles?.(this.files.length)
  }

  async #lstat(path: string) {
    try {
      return await untilAborted(lstat(path, { bigint: true }), this.#options.signal)
    } catch (cause) {
      throw this.#unreadable(path, cause)
    }
  }

  #unreadable(path: string, cause: unknown): unknown {
    if (cause instanceof TorrentError || this.#options.signal?.aborted) return cause
    return new TorrentError('DISK', `${path} cannot be read: ${readProblem(cause)}`, { cause })
  }
}

const kindOf = (found: { isFIFO(): boolean; isSocket(): boolean }): string =>
  found.isFIFO() ? 'a pipe' : found.isSocket() ? 'a socket' : 'a device'

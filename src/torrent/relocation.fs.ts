import { type BigIntStats, constants } from 'node:fs'
import {
  access,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  realpath,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FileStampAt, InfoHash } from '../events/index.ts'
import { diskProblem } from './disk-problem.ts'
import { TorrentError } from './engine.ts'
import { type FileStamp, looksOf, stampOf } from './file-stamp.ts'
import { FilesChanged } from './files-changed.ts'
import type { Metainfo } from './metainfo.ts'

// Puts the files of a torrent somewhere else, so that at any moment one of the two places has all of them, whole. First they
// are brought to the new place as well: by a second name of the same file, or by a copy where that is another file system. Then
// the caller says in its log where the torrent is now, and what stands in the other place goes. Whoever dies in between, or
// fails, takes away what is not where the log says: `tidy`, forth as well as back.

/** Read and written at once by a copy, bytes. */
const CHUNK_BYTES = 1024 * 1024
/** File systems keep times as coarse as this, ms. */
const TIME_GRAIN_MS = 2_000

/** What is done to the disk; a test lets it fail. */
export const systemDisk = { access, link, lstat, mkdir, open, realpath, rename, rmdir, stat, statfs, syncFolder, unlink }
export type Disk = typeof systemDisk

/** Where a torrent stands, with the names that its files have there. */
export type Standing = { directory: string; metainfo: Metainfo }
type Pair = { file: number; from: string; to: string; parts: readonly string[] }

export type MoveOptions = {
  /** How its settled files must look. */
  stamps: ReadonlyMap<number, FileStamp>
  /** Files of which something is verified: they must be there. */
  isNeeded(file: number): boolean
  /** @throws TorrentError if nothing may be put below this folder, which is there, given by its real path */
  checkFolder(real: string): Promise<void>
}

export class Relocation {
  readonly #from: Standing
  readonly #to: Standing
  readonly #disk: Disk
  readonly #pairs: readonly Pair[]
  #totalBytes = 0

  constructor(from: Standing, to: Standing, disk: Disk = systemDisk) {
    this.#from = from
    this.#to = to
    this.#disk = disk
    this.#pairs = pairsOf(from, to)
  }

  /** Looks whether it can be done, before anything is touched. @throws TorrentError */
  async check(options: MoveOptions): Promise<void> {
    await this.#told(() => this.#check(options))
  }

  /**
   * Brings all files to the new place as well, on the disk and not only in its cache. A second name is a touch of the file (ctime): what
   * it holds is hashed once as it is served, which tells an edit in that moment too.
   * @returns how the files look that are other ones there
   * @throws TorrentError; the signal's reason
   */
  async stage(
    stamps: ReadonlyMap<number, FileStamp>,
    { signal, onProgress }: { signal: AbortSignal; onProgress?: ((done: number, total: number) => void) | undefined },
  ): Promise<FileStampAt[]> {
    return this.#told(async () => {
      const fresh: FileStampAt[] = []
      const folders = new Set<string>()
      let done = 0
      for (const pair of this.#pairs) {
        signal.throwIfAborted()
        const source = await look(this.#disk, pair.from)
        if (source === undefined) continue
        const folder = dirname(pair.to)
        if (!folders.has(folder)) await makeFolder(this.#disk, folder)
        for (let at = folder; !folders.has(at); at = dirname(at)) {
          folders.add(at)
          if (at === dirname(this.#to.directory)) break
        }
        const start = done
        const copied = await this.#bring(pair, source, signal, (bytes) => onProgress?.(start + bytes, this.#totalBytes))
        done += Number(source.size)
        onProgress?.(done, this.#totalBytes)
        if (copied !== undefined && stamps.has(pair.file)) fresh.push({ file: pair.file, stamp: copied })
      }
      for (const folder of folders) await this.#disk.syncFolder(folder)
      return fresh
    })
  }

  async #check({ stamps, isNeeded, checkFolder }: MoveOptions): Promise<void> {
    const disk = this.#disk
    const { directory } = this.#to
    const base = await nearest(disk, directory)
    await checkFolder(await disk.realpath(base.path))
    if (!base.isFolder) throw inTheWay(base.path, 'is no folder')
    await disk.access(base.path, constants.W_OK)
    await checkFolders(disk, this.#from, this.#pairs, 'from', true)
    await checkFolders(disk, this.#to, this.#pairs, 'to', false)
    let copiedBytes = 0n
    for (const pair of this.#pairs) {
      const path = pair.parts.join('/')
      const [source, target] = [await look(disk, pair.from), await look(disk, pair.to)]
      if (target !== undefined && !(source !== undefined && isSame(source, target) && isCaseOnly(pair))) throw taken(pair.to)
      if (source === undefined) {
        if (isNeeded(pair.file)) throw new FilesChanged({ file: pair.file, path, how: 'gone' })
        continue
      }
      if (!source.isFile()) throw inTheWay(pair.from, 'is a link or no file: move what it stands for yourself')
      const expected = stamps.get(pair.file)
      if (expected !== undefined && looksOf(stampOf(source)) !== looksOf(expected))
        throw new FilesChanged({ file: pair.file, path, how: 'modified' })
      this.#totalBytes += Number(source.size)
      if (source.dev !== base.dev) copiedBytes += least(source.size, source.blocks * 512n)
    }
    if (copiedBytes === 0n) return
    const { bavail, bsize } = await disk.statfs(base.path, { bigint: true })
    if (bavail * bsize < copiedBytes) {
      throw new TorrentError(
        'DISK',
        `there is no room in ${directory}: ${copiedBytes} bytes go there, and ${bavail * bsize} are free`,
      )
    }
  }

  /** @returns how it looks there, if it is a copy */
  async #bring(
    pair: Pair,
    source: BigIntStats,
    signal: AbortSignal,
    onProgress: (bytes: number) => void,
  ): Promise<FileStamp | undefined> {
    const { dev } = await this.#disk.stat(dirname(pair.to), { bigint: true })
    if (dev === source.dev) {
      // Where the file system folds case both names are one: it is renamed when the log has it.
      if (isCaseOnly(pair)) return undefined
      try {
        await this.#disk.link(pair.from, pair.to)
        return undefined
      } catch (cause) {
        const code = codeOf(cause)
        if (code === 'EEXIST') throw taken(pair.to)
        // It gives no second names: renamed then as well.
        if (NO_LINKS.has(code)) return undefined
        if (code !== 'EXDEV') throw cause
      }
    }
    return this.#copy(pair, signal, onProgress)
  }

  async #copy(pair: Pair, signal: AbortSignal, onProgress: (bytes: number) => void): Promise<FileStamp> {
    const disk = this.#disk
    const partial = partialOf(this.#to, pair)
    await disk.unlink(partial).catch(() => {})
    const source = await disk.open(pair.from, constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      const before = await source.stat({ bigint: true })
      const target = await disk.open(partial, 'wx', Number(before.mode & 0o777n))
      try {
        await copyBytes(source, target, Number(before.size), signal, onProgress)
        await target.utimes(Number(before.atimeMs) / 1000, Number(before.mtimeMs) / 1000)
        await target.sync()
        const after = await source.stat({ bigint: true })
        const copy = await target.stat({ bigint: true })
        if (looksOf(stampOf(before)) !== looksOf(stampOf(after)) || copy.size !== before.size)
          throw new FilesChanged({ file: pair.file, path: pair.parts.join('/'), how: 'modified' })
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
    if ((await look(disk, pair.to)) !== undefined) throw taken(pair.to)
    await disk.rename(partial, pair.to)
    return stampOf(await disk.stat(pair.to, { bigint: true }))
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (codeOf(cause) === '' || cause instanceof TorrentError || !(cause instanceof Error)) throw cause
      throw new TorrentError('DISK', diskProblem(cause, this.#to.directory), { cause })
    }
  }
}

/**
 * Takes away what stands `there` of a torrent that is `here`; what is another's stays.
 * @param wasMoved it came from there: a file that is not here yet is brought. Else it never left, and such a file is not its own.
 * @throws TorrentError `DISK`: it is not done, and has to be tried again
 */
export async function tidy(here: Standing, there: Standing, wasMoved: boolean, disk: Disk = systemDisk): Promise<void> {
  try {
    const brought = new Set<string>()
    const pairs = pairsOf(there, here)
    for (const pair of pairs) {
      await disk.unlink(partialOf(there, { ...pair, to: pair.from })).catch((cause: unknown) => ignore(cause, GONE))
      if (await tidyFile(disk, here, pair, wasMoved)) brought.add(dirname(pair.to))
    }
    for (const folder of brought) await disk.syncFolder(folder)
    const folders = new Set<string>()
    for (const { parts } of pairs) {
      for (let depth = parts.length - 1; depth > 0; depth--) folders.add(join(there.directory, ...parts.slice(0, depth)))
    }
    for (const folder of [...folders].sort((a, b) => b.length - a.length))
      await disk.rmdir(folder).catch((cause: unknown) => ignore(cause, IN_USE))
  } catch (cause) {
    if (cause instanceof TorrentError || !(cause instanceof Error)) throw cause
    throw new TorrentError('DISK', diskProblem(cause, there.directory), { cause })
  }
}

/** @returns true if it was brought */
async function tidyFile(disk: Disk, here: Standing, { from, to, file }: Pair, wasMoved: boolean): Promise<boolean> {
  const left = await look(disk, from)
  if (left === undefined || !left.isFile()) return false
  const own = await look(disk, to)
  if (own === undefined && !wasMoved) return false
  const isOne = own !== undefined && isSame(left, own)
  // Two names of one file that has one name: the file system folds case.
  const isFolded = isOne && (left.nlink === 1n || isCaseOnly({ from, to }))
  if (isFolded && !wasMoved) return false
  if (own === undefined || isFolded) {
    // Never the last one of it. The folder above all is not made: what is mounted there may be missing.
    if ((await look(disk, here.directory)) === undefined)
      throw new TorrentError('DISK', `${here.directory} is not there, and file ${file + 1} of the torrent is still at ${from}`)
    await makeFolder(disk, dirname(to))
    await disk.rename(from, to)
    return true
  }
  const isCopy = own.isFile() && own.size === left.size && apart(own.mtimeMs, left.mtimeMs) <= BigInt(TIME_GRAIN_MS)
  if (isOne || isCopy) await disk.unlink(from)
  return false
}

/** In the folder that a copy goes to, until it is whole. */
const partialOf = (to: Standing & { metainfo: { infoHash: InfoHash } }, pair: Pick<Pair, 'file' | 'to'>): string =>
  join(dirname(pair.to), `.p2pt-${to.metainfo.infoHash.slice(0, 16)}-${pair.file}.part`)

/** Files that stand elsewhere, or under another name, in the other place. */
function pairsOf(from: Standing, to: Standing): Pair[] {
  return from.metainfo.files.flatMap(({ path: parts, padding }, file) => {
    const target = to.metainfo.files[file]?.path
    if (padding || target === undefined) return []
    const pair = { file, parts, from: join(from.directory, ...parts), to: join(to.directory, ...target) }
    return pair.from === pair.to ? [] : [pair]
  })
}

/** Refuses folders of a torrent that are links, which lead out of it, or no folders. */
async function checkFolders(
  disk: Disk,
  { directory, metainfo }: Standing,
  pairs: readonly Pair[],
  end: 'from' | 'to',
  isTakenFrom: boolean,
): Promise<void> {
  const seen = new Set<string>()
  for (const pair of pairs) {
    const parts = metainfo.files[pair.file]?.path ?? []
    for (let depth = 0; depth < parts.length; depth++) {
      const folder = join(directory, ...parts.slice(0, depth))
      if (seen.has(folder)) continue
      seen.add(folder)
      const found = await look(disk, folder)
      if (found === undefined) break
      if (depth > 0 && found.isSymbolicLink()) throw inTheWay(folder, 'is a link, which leads out of the torrent')
      if (depth > 0 && !found.isDirectory()) throw inTheWay(folder, 'is no folder')
      if (isTakenFrom || end === 'to') await disk.access(folder, constants.W_OK)
    }
  }
}

/** The folder, or the first one above it that is there. */
async function nearest(disk: Disk, directory: string): Promise<{ path: string; dev: bigint; isFolder: boolean }> {
  for (let path = directory; ; path = dirname(path)) {
    // Followed: a person's own folder may be a link.
    const found = await disk.stat(path, { bigint: true }).catch((cause: unknown) => ignore(cause, GONE))
    if (found !== undefined) return { path, dev: found.dev, isFolder: found.isDirectory() }
    if (dirname(path) === path) throw inTheWay(directory, 'is in no folder')
  }
}

/** One folder after the other: Node's own recursion never ends below some folders of the system, as /proc. */
async function makeFolder(disk: Disk, folder: string): Promise<void> {
  const missing: string[] = []
  for (let at = folder; (await disk.stat(at).catch((cause: unknown) => ignore(cause, GONE))) === undefined; at = dirname(at)) {
    if (dirname(at) === at) break
    missing.push(at)
  }
  for (const each of missing.reverse()) {
    await disk.mkdir(each).catch((cause: unknown) => ignore(cause, EXISTS))
  }
}

/** Its names are on the disk then. File systems that refuse are believed to do it by themselves. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync().catch((cause: unknown) => ignore(cause, NO_SYNC))
  } finally {
    await folder.close()
  }
}

async function copyBytes(
  source: FileHandle,
  target: FileHandle,
  size: number,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let at = 0; at < size; ) {
    signal.throwIfAborted()
    const { bytesRead } = await source.read(chunk, 0, Math.min(CHUNK_BYTES, size - at), at)
    if (bytesRead === 0) break
    // What was never written stays so: a download has holes.
    if (!ZEROS.subarray(0, bytesRead).equals(chunk.subarray(0, bytesRead))) {
      for (let done = 0; done < bytesRead; ) done += (await target.write(chunk, done, bytesRead - done, at + done)).bytesWritten
    }
    at += bytesRead
    onProgress(at)
  }
  await target.truncate(size)
}

const ZEROS = Buffer.alloc(CHUNK_BYTES)

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])
const EXISTS: ReadonlySet<string> = new Set(['EEXIST'])
const IN_USE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM'])
const NO_SYNC: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EISDIR', 'EPERM', 'EACCES', 'EBADF', 'EROFS'])
/** What file systems say that have no second names, or give this file none. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'])

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

function ignore(cause: unknown, codes: ReadonlySet<string>): undefined {
  if (!codes.has(codeOf(cause))) throw cause
}

const look = (disk: Disk, path: string): Promise<BigIntStats | undefined> =>
  disk.lstat(path, { bigint: true }).catch((cause: unknown) => ignore(cause, GONE))

const isSame = (a: BigIntStats, b: BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino

/** Such names are one on a file system that folds case. */
const isCaseOnly = ({ from, to }: Pick<Pair, 'from' | 'to'>): boolean =>
  from.normalize().toLowerCase() === to.normalize().toLowerCase()

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
const apart = (a: bigint, b: bigint): bigint => (a < b ? b - a : a - b)

const taken = (path: string): TorrentError =>
  inTheWay(path, 'stands there already: move it away, or choose another folder or name')

function inTheWay(path: string, why: string): TorrentError {
  return new TorrentError('FILE_IN_THE_WAY', `${path} ${why}`)
}

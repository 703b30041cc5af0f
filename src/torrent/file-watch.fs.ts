import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileChange, FileStampAt, HowChanged } from '../events/index.ts'
import { type FileLayout, type LaidFile, layoutOf } from './file-layout.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { FilesChanged } from './files-changed.ts'
import type { Metainfo } from './metainfo.ts'
import { hasBit } from './piece-ranges.ts'
import type { Written } from './watched-write.ts'

// Notices that somebody else wrote to a torrent's file. The kernel sets the time of a change before the changed bytes can be
// read, so bytes that were read before a look at the file, which then is as expected, are the bytes that were verified.

/** A file that was deleted or replaced is looked for by its path this often, ms: an open handle does not show it. */
const PATH_LOOK_MS = 1_000

type Watched = {
  /** How it must look; undefined until it was looked at or written to. */
  expected: FileStamp | undefined
  /** All its pieces are verified: we write to it no more. */
  settled: boolean
  pathLookedAt: number
}

export class FileWatch {
  readonly #directory: string
  readonly #layout: FileLayout
  readonly #watched = new Map<number, Watched>()
  readonly #onChanged: (change: FileChange) => void
  #change: FileChange | undefined

  constructor(metainfo: Metainfo, directory: string, stamps: readonly FileStampAt[], onChanged: (change: FileChange) => void) {
    this.#directory = directory
    this.#layout = layoutOf(metainfo)
    this.#onChanged = onChanged
    this.settled(stamps)
  }

  isSettled(file: LaidFile): boolean {
    return this.#of(file).settled
  }

  /** These files have all their pieces, and looked like this when they were verified. */
  settled(stamps: readonly FileStampAt[]): void {
    for (const { file, stamp } of stamps) this.#watched.set(file, { expected: stamp, settled: true, pathLookedAt: 0 })
  }

  /** @throws FilesChanged if anything of this torrent was seen to have changed */
  throwIfChanged(): void {
    if (this.#change !== undefined) throw new FilesChanged(this.#change)
  }

  /**
   * Looks at a file through its open handle and, once a second, at its path. Nobody of us may be writing to it.
   * @throws FilesChanged
   */
  async look(file: LaidFile, handle: FileHandle): Promise<void> {
    this.throwIfChanged()
    const watched = this.#of(file)
    if (watched.expected === undefined) return
    this.#compare(file, await handle.stat({ bigint: true }))
    await this.#lookAtPathInTime(file, watched)
  }

  /** Before we write to a file. @returns how it must look through its open handle, undefined: as it is @throws FilesChanged */
  async beforeWrite(file: LaidFile): Promise<FileStamp | undefined> {
    this.throwIfChanged()
    const watched = this.#of(file)
    if (watched.expected !== undefined) await this.#lookAtPathInTime(file, watched)
    return watched.expected
  }

  /** We wrote to it, unless it did not look as it must. @throws FilesChanged */
  wrote(file: LaidFile, { before, sizeBefore, after }: Written): void {
    const watched = this.#of(file)
    if (after === undefined) this.#compareStamps(file, before, sizeBefore)
    else watched.expected = after
  }

  /** Looks at what stands at its path now. @throws FilesChanged */
  async lookAtPath(file: LaidFile): Promise<void> {
    this.throwIfChanged()
    const watched = this.#of(file)
    watched.pathLookedAt = performance.now()
    if (watched.expected !== undefined) this.#compare(file, await this.#stat(file))
  }

  /** The last piece of a file was verified: it is not written to any more. @throws FilesChanged */
  async settle(file: LaidFile): Promise<FileStampAt> {
    this.throwIfChanged()
    const watched = this.#of(file)
    const found = await this.#stat(file)
    if (watched.expected !== undefined) this.#compare(file, found)
    const stamp = found === undefined ? this.#changed(file, 'gone') : stampOf(found)
    watched.expected = stamp
    watched.settled = true
    return { file: file.index, stamp }
  }

  /**
   * Looks at every file that holds verified pieces, before any of them is served.
   * @returns stamps of files that have all their pieces and had no stamp
   * @throws FilesChanged
   */
  async lookAtAll(verified: Uint8Array, signal: AbortSignal): Promise<FileStampAt[]> {
    const fresh: FileStampAt[] = []
    for (const file of this.#layout.files) {
      const needed = file.padding ? undefined : this.#needed(file, verified)
      if (needed === undefined) continue
      signal.throwIfAborted()
      const watched = this.#of(file)
      const found = await this.#stat(file)
      if (watched.expected !== undefined) this.#compare(file, found)
      if (found === undefined) {
        if (needed.bytes > 0) this.#changed(file, 'gone')
        continue
      }
      if (found.size < BigInt(needed.bytes)) this.#changed(file, 'shorter')
      watched.expected = stampOf(found)
      if (needed.isWhole && !watched.settled) fresh.push({ file: file.index, stamp: watched.expected })
      watched.settled = needed.isWhole
    }
    return fresh
  }

  /** How long a file must be to hold what is verified of it, and whether that is all; undefined where it has no byte. */
  #needed(file: LaidFile, verified: Uint8Array): { bytes: number; isWhole: boolean } | undefined {
    const pieces = this.#layout.piecesOf(file)
    if (pieces === undefined) return undefined
    let last = -1
    let isWhole = true
    for (let index = pieces.last; index >= pieces.first; index--) {
      if (!hasBit(verified, index)) isWhole = false
      else if (last < 0) last = index
      if (!isWhole && last >= 0) break
    }
    if (last < 0) return { bytes: 0, isWhole: false }
    return { bytes: Math.min(file.length, this.#layout.endOf(last) - file.offset), isWhole }
  }

  /** A piece of it does not match its hash, though the file looks as it did. @throws FilesChanged */
  badPiece(file: LaidFile): never {
    return this.#changed(file, 'bad-piece')
  }

  #compare(file: LaidFile, found: BigIntStats | undefined): void {
    if (found === undefined) this.#changed(file, 'gone')
    else this.#compareStamps(file, stampOf(found), Number(found.size))
  }

  #compareStamps(file: LaidFile, found: FileStamp, sizeBytes: number): void {
    const { expected, settled } = this.#of(file)
    if (found !== expected) this.#changed(file, settled && sizeBytes < file.length ? 'shorter' : 'modified')
  }

  async #lookAtPathInTime(file: LaidFile, { pathLookedAt }: Watched): Promise<void> {
    if (performance.now() - pathLookedAt >= PATH_LOOK_MS) await this.lookAtPath(file)
  }

  #changed(file: LaidFile, how: HowChanged): never {
    const isFirst = this.#change === undefined
    this.#change ??= { file: file.index, path: file.path.join('/'), how }
    if (isFirst) this.#onChanged(this.#change)
    throw new FilesChanged(this.#change)
  }

  async #stat(file: LaidFile): Promise<BigIntStats | undefined> {
    try {
      return await stat(join(this.#directory, ...file.path), { bigint: true })
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw cause
    }
  }

  #of(file: LaidFile): Watched {
    let watched = this.#watched.get(file.index)
    if (watched === undefined) {
      watched = { expected: undefined, settled: false, pathLookedAt: 0 }
      this.#watched.set(file.index, watched)
    }
    return watched
  }
}

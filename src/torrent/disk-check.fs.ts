import { createHash, randomInt } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileStampAt } from '../events/index.ts'
import { type FileLayout, type LaidFile, layoutOf } from './file-layout.ts'
import { looksOf, stampOf } from './file-stamp.ts'
import type { FileWatch } from './file-watch.fs.ts'
import type { Metainfo } from './metainfo.ts'
import { pieceBytes, pieceHash } from './metainfo.ts'
import { countBits, hasBit, setBit } from './piece-ranges.ts'
import type { PieceStore } from './piece-store.fs.ts'
import { untilAborted } from './until-aborted.ts'

/** Read at once, bytes. */
const CHUNK_BYTES = 1024 * 1024
/**
 * Pieces hashed of each torrent that is opened again. 5,000 torrents with pieces of 1 MiB are then 10 GB at each start, and
 * nothing else waits for it; what the stamps do not show, a sample shows only where most of a file is wrong.
 */
const SAMPLE_PIECES = 2

export type DiskFound = {
  /** Pieces that stand on the disk and match their hash. */
  bitfield: Uint8Array
  /** How the files look that have all their pieces. */
  stamps: FileStampAt[]
  /** Paths of files that stand there and of which no piece matches. */
  foreign: string[]
}

type SpotCheck = {
  store: PieceStore
  watch: FileWatch
  verified: Uint8Array
  signal: AbortSignal
  pieces?: number | undefined
}

type Reading = { file: LaidFile; handle: FileHandle; stamp: string }
export type CheckOptions = {
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Hashes everything that stands where the files of a torrent go. @throws what the disk throws; the signal's reason */
export async function hashDisk(
  metainfo: Metainfo,
  directory: string,
  { signal, onProgress }: CheckOptions = {},
): Promise<DiskFound> {
  const check = new DiskCheck(metainfo, directory, signal)
  const nothing = new Uint8Array(Math.ceil(metainfo.pieceCount / 8))
  if (!(await somethingStands(metainfo, directory))) return { bitfield: nothing, stamps: [], foreign: [] }
  try {
    for (let index = 0; index < metainfo.pieceCount; index++) {
      signal?.throwIfAborted()
      await check.piece(index)
      onProgress?.(Math.min((index + 1) * metainfo.pieceLengthBytes, metainfo.sizeBytes), metainfo.sizeBytes)
    }
    return await check.found()
  } finally {
    await check.close()
  }
}

/**
 * Sees whether a torrent that is opened again still stands as it was verified: each file by its looks, a few pieces by hash.
 * @param pieces how many of them
 * @returns stamps of settled files that had none
 * @throws FilesChanged
 */
export async function spotCheck(
  metainfo: Metainfo,
  { store, watch, verified, signal, pieces = SAMPLE_PIECES }: SpotCheck,
): Promise<FileStampAt[]> {
  signal.throwIfAborted()
  const fresh = await watch.lookAtAll(verified, signal)
  const layout = layoutOf(metainfo)
  for (const index of sampleOf(verified, metainfo.pieceCount, pieces)) {
    signal.throwIfAborted()
    const piece = await new Promise<Uint8Array>((resolve, reject) => {
      store.get(index, null, (error, bytes) => (bytes === undefined ? reject(error) : resolve(bytes)))
    })
    if (createHash('sha1').update(piece).digest('hex') === pieceHash(metainfo, index)) continue
    for (const { file } of layout.spans(index, 0, piece.length)) if (!file.padding) watch.badPiece(file)
  }
  // Thousands of torrents that nobody asks for must not each keep a file open.
  store.closeIdle(0)
  return fresh
}

/** Verified pieces at random places: over many starts all of them have their turn. */
function sampleOf(verified: Uint8Array, pieceCount: number, count: number): Set<number> {
  const known = countBits(verified)
  const sample = new Set<number>()
  for (let tries = 0; known > 0 && tries < count; tries++) {
    // From a random place on, the next one that is verified.
    let index = randomInt(pieceCount)
    while (!hasBit(verified, index)) index = (index + 1) % pieceCount
    sample.add(index)
  }
  return sample
}

/** One check of the disk, piece after piece; one file is open at a time. */
class DiskCheck {
  readonly #metainfo: Metainfo
  readonly #directory: string
  readonly #signal: AbortSignal | undefined
  readonly #layout: FileLayout
  readonly #bitfield: Uint8Array
  readonly #stamps = new Map<number, string>()
  /** Files that stand there and hold something. */
  readonly #standing = new Set<LaidFile>()
  readonly #unsteady = new Set<LaidFile>()
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  #reading: Reading | undefined
  #absent: LaidFile | undefined

  constructor(metainfo: Metainfo, directory: string, signal: AbortSignal | undefined) {
    this.#metainfo = metainfo
    this.#directory = directory
    this.#signal = signal
    this.#layout = layoutOf(metainfo)
    this.#bitfield = new Uint8Array(Math.ceil(metainfo.pieceCount / 8))
  }

  async piece(index: number): Promise<void> {
    const hash = createHash('sha1')
    for (const { file, fileOffset, length } of this.#layout.spans(index, 0, pieceBytes(this.#metainfo, index))) {
      if (file.padding) hash.update(new Uint8Array(length))
      else if (!(await this.#read(file, fileOffset, length, hash))) return
    }
    if (hash.digest('hex') === pieceHash(this.#metainfo, index)) setBit(this.#bitfield, index)
  }

  async found(): Promise<DiskFound> {
    await this.close()
    // What changed while it was hashed was hashed for nothing.
    for (const file of this.#unsteady) this.#forget(file)
    const stamps: FileStampAt[] = []
    const foreign: string[] = []
    for (const file of this.#layout.files) {
      const pieces = this.#layout.piecesOf(file)
      if (file.padding || pieces === undefined) continue
      let good = 0
      for (let index = pieces.first; index <= pieces.last; index++) if (hasBit(this.#bitfield, index)) good++
      const stamp = this.#stamps.get(file.index)
      if (good === pieces.last - pieces.first + 1 && stamp !== undefined) stamps.push({ file: file.index, stamp })
      if (good === 0 && (this.#standing.has(file) || (await this.#holdsSomething(file)))) foreign.push(file.path.join('/'))
    }
    return { bitfield: this.#bitfield, stamps, foreign }
  }

  async close(): Promise<void> {
    const reading = this.#reading
    this.#reading = undefined
    if (reading === undefined) return
    if (this.#signal?.aborted) void reading.handle.close().catch(() => {})
    else {
      const isSteady = looksOf(stampOf(await reading.handle.stat({ bigint: true }))) === looksOf(reading.stamp)
      if (!isSteady) this.#unsteady.add(reading.file)
      await reading.handle.close()
    }
  }

  /** A piece that is missing anyway is not read: its files were never opened then. */
  async #holdsSomething(file: LaidFile): Promise<boolean> {
    if (this.#stamps.has(file.index)) return false
    const found = await stat(this.#pathOf(file)).catch(() => undefined)
    return found?.isFile() === true && found.size > 0
  }

  #forget(file: LaidFile): void {
    const pieces = this.#layout.piecesOf(file)
    this.#stamps.delete(file.index)
    for (let index = pieces?.first ?? 0; index <= (pieces?.last ?? -1); index++) {
      this.#bitfield[index >> 3] = (this.#bitfield[index >> 3] ?? 0) & ~(0x80 >> (index & 7))
    }
  }

  async #read(file: LaidFile, from: number, length: number, hash: { update(bytes: Uint8Array): unknown }): Promise<boolean> {
    const handle = await this.#open(file)
    if (handle === undefined) return false
    for (let done = 0; done < length; ) {
      const wanted = Math.min(length - done, this.#buffer.length)
      const { bytesRead } = await untilAborted(handle.read(this.#buffer, 0, wanted, from + done), this.#signal)
      if (bytesRead === 0) return false
      hash.update(this.#buffer.subarray(0, bytesRead))
      done += bytesRead
    }
    return true
  }

  async #open(file: LaidFile): Promise<FileHandle | undefined> {
    if (this.#reading?.file === file) return this.#reading.handle
    if (this.#absent === file) return undefined
    await this.close()
    const handle = await this.#openFile(file)
    if (handle === undefined) {
      this.#absent = file
      return undefined
    }
    const found = await handle.stat({ bigint: true })
    if (!found.isFile()) {
      await handle.close()
      this.#absent = file
      return undefined
    }
    this.#reading = { file, handle, stamp: stampOf(found) }
    this.#stamps.set(file.index, this.#reading.stamp)
    if (found.size > 0n) this.#standing.add(file)
    return handle
  }

  async #openFile(file: LaidFile): Promise<FileHandle | undefined> {
    try {
      const opening = open(this.#pathOf(file), constants.O_RDONLY | constants.O_NONBLOCK)
      return await untilAborted(opening, this.#signal, (handle) => handle.close())
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENXIO') return undefined
      throw cause
    }
  }

  #pathOf(file: LaidFile): string {
    return join(this.#directory, ...file.path)
  }
}

/** True if the torrent's file or folder is there at all. */
export const somethingStands = ({ files }: Pick<Metainfo, 'files'>, directory: string): Promise<boolean> =>
  stat(join(directory, files[0]?.path[0] ?? '')).then(
    () => true,
    () => false,
  )

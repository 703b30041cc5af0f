import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { FileStampAt } from '../events/index.ts'
import { type FileLayout, type LaidFile, layoutOf } from './file-layout.ts'
import type { FileWatch } from './file-watch.fs.ts'
import type { Metainfo } from './metainfo.ts'
import { pieceBytes } from './metainfo.ts'
import type { WatchedWriter } from './watched-write.ts'
import { poolWriter } from './write-thread.system.ts'

// The files of one torrent as webtorrent's chunk store. webtorrent's own changes file names it finds unusual, opens
// what it serves for writing, and never makes empty files: a published folder could then not be served as it stands.

/** Files held open; a torrent may have 65,536. */
const OPEN_FILES_MAX = 64

type Done<T = void> = (error: Error | null, value?: T) => void
type OpenFile = { handle: Promise<FileHandle>; users: number }

export class PieceStore {
  readonly chunkLength: number
  readonly #metainfo: Metainfo
  readonly #directory: string
  readonly #layout: FileLayout
  readonly #watch: FileWatch | undefined
  readonly #writer: WatchedWriter
  readonly #open = new Map<string, OpenFile>()
  readonly #writes = new Set<Promise<void>>()
  /** What is done to each file that we still write to, one thing after the other. */
  readonly #turns = new Map<number, Promise<void>>()
  #closed = false

  /** @param watch sees that nobody else changed what is read; without it nothing is looked for */
  constructor(metainfo: Metainfo, directory: string, watch?: FileWatch, writer: WatchedWriter = poolWriter) {
    this.chunkLength = metainfo.pieceLengthBytes
    this.#metainfo = metainfo
    this.#directory = directory
    this.#layout = layoutOf(metainfo)
    this.#watch = watch
    this.#writer = writer
  }

  put(index: number, piece: Uint8Array, done: Done): void {
    const write = this.#write(index, piece)
    this.#writes.add(write)
    settle(write, (error) => {
      this.#writes.delete(write)
      done(error)
    })
  }

  get(index: number, range: { offset?: number; length?: number } | Done<Uint8Array> | null, done?: Done<Uint8Array>): void {
    const answer = typeof range === 'function' ? range : done
    if (answer === undefined) return
    const { offset = 0, length = pieceBytes(this.#metainfo, index) - offset } = typeof range === 'function' ? {} : (range ?? {})
    settle(this.#get(index, offset, length), answer)
  }

  async #get(index: number, offset: number, length: number): Promise<Uint8Array> {
    this.#checkRange(index, offset, length)
    const block = Buffer.allocUnsafe(length)
    await this.read(index, offset, [block])
    return block
  }

  /**
   * Reads bytes that follow each other in a piece into `parts`, one after the other.
   * @throws FilesChanged, RangeError; Error where a file cannot be read
   */
  async read(index: number, offset: number, parts: readonly Uint8Array[]): Promise<void> {
    const length = lengthOf(parts)
    this.#checkRange(index, offset, length)
    for (const span of this.#layout.spans(index, offset, length)) {
      const { file } = span
      const into = span.length === length ? parts : within(parts, span.pieceOffset - offset, span.length)
      if (file.padding) {
        for (const part of into) part.fill(0)
        continue
      }
      const read = () => this.#readParts(file, into, span.fileOffset)
      // A file that we write to looks different after each write: its readers wait for their turn.
      await (this.#watch === undefined || this.#watch.isSettled(file) ? read() : this.#inTurn(file, read))
    }
  }

  #checkRange(index: number, offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > pieceBytes(this.#metainfo, index))
      throw new RangeError('outside of the piece')
  }

  /** What is being written is finished first, and reported. */
  close(done: Done): void {
    this.#closed = true
    settle(this.#closeFiles(), done)
  }

  destroy(done: Done): void {
    this.close(() => settle(this.deleteFiles(), done))
  }

  /** Files without a byte are part of no piece. */
  async createEmptyFiles(isWanted: (file: number) => boolean = () => true): Promise<void> {
    for (const file of this.#layout.files) {
      if (file.length > 0 || file.padding || !isWanted(file.index)) continue
      const path = this.#pathOf(file)
      await mkdir(dirname(path), { recursive: true })
      await (await open(path, constants.O_RDONLY | constants.O_CREAT)).close()
    }
  }

  /** These files have their last piece: how they look from now on. @throws FilesChanged */
  async settle(files: readonly number[]): Promise<FileStampAt[]> {
    const stamps: FileStampAt[] = []
    for (const index of files) {
      const file = this.#layout.files[index]
      const watch = this.#watch
      if (file === undefined || watch === undefined) continue
      stamps.push(await this.#inTurn(file, () => watch.settle(file)))
    }
    return stamps
  }

  /**
   * Deletes the torrent's files, and those of its folders that are empty then.
   * @param kept places of files that stay
   */
  async deleteFiles(kept: ReadonlySet<number> = new Set()): Promise<void> {
    const folders = new Set<string>()
    for (const file of this.#layout.files) {
      if (file.padding || kept.has(file.index)) continue
      const path = this.#pathOf(file)
      await rm(path, { force: true })
      for (let folder = dirname(path); relative(this.#directory, folder) !== ''; folder = dirname(folder)) folders.add(folder)
    }
    // Longest first, so that a folder is empty when its turn comes.
    for (const folder of [...folders].sort((a, b) => b.length - a.length)) await rmdir(folder).catch(() => {})
  }

  async #closeFiles(): Promise<void> {
    await Promise.allSettled(this.#writes)
    const handles = [...this.#open.values()]
    this.#open.clear()
    await Promise.allSettled(handles.map(async ({ handle }) => (await handle).close()))
  }

  async #write(index: number, piece: Uint8Array): Promise<void> {
    for (const { file, fileOffset, pieceOffset, length } of this.#layout.spans(index, 0, piece.length)) {
      if (file.padding) continue
      await this.#inTurn(file, () =>
        this.#use(this.#pathOf(file), true, async (handle) => {
          const part = piece.subarray(pieceOffset, pieceOffset + length)
          const written = await this.#writer.write(handle, part, fileOffset, await this.#watch?.beforeWrite(file))
          this.#watch?.wrote(file, written)
        }),
      )
    }
  }

  async #readParts(file: LaidFile, parts: readonly Uint8Array[], position: number): Promise<void> {
    try {
      await this.#use(this.#pathOf(file), false, async (handle) => {
        await readAll(handle, parts, position)
        // After the bytes, not before: what was changed while they were read must show.
        await this.#watch?.look(file, handle)
      })
    } catch (cause) {
      // A file that is gone or cut short cannot be read: then that is what there is to tell.
      await this.#watch?.lookAtPath(file)
      throw cause
    }
  }

  async #inTurn<T>(file: LaidFile, work: () => Promise<T>): Promise<T> {
    if (this.#watch === undefined) return work()
    const turn = (this.#turns.get(file.index) ?? Promise.resolve()).then(work)
    const ended = turn.then(
      () => {},
      () => {},
    )
    this.#turns.set(file.index, ended)
    try {
      return await turn
    } finally {
      if (this.#turns.get(file.index) === ended) this.#turns.delete(file.index)
    }
  }

  #pathOf(file: LaidFile): string {
    return join(this.#directory, ...file.path)
  }

  async #use<T>(path: string, writing: boolean, work: (handle: FileHandle) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error('the torrent is closed')
    const name = `${writing ? 'w' : 'r'}${path}`
    let file = this.#open.get(name)
    if (file === undefined) {
      const opened = { handle: openFile(path, writing), users: 0 }
      file = opened
      this.#open.set(name, opened)
      opened.handle.catch(() => {
        if (this.#open.get(name) === opened) this.#open.delete(name)
      })
    }
    file.users++
    try {
      return await work(await file.handle)
    } finally {
      file.users--
      this.closeIdle(OPEN_FILES_MAX)
    }
  }

  /** Closes files that nobody reads or writes now, until so many are open. */
  closeIdle(openMax: number): void {
    for (const [name, { handle, users }] of this.#open) {
      if (this.#open.size <= openMax) return
      if (users > 0) continue
      this.#open.delete(name)
      handle.then((opened) => opened.close()).catch(() => {})
    }
  }
}

async function openFile(path: string, writing: boolean): Promise<FileHandle> {
  // A pipe that stands there must not hold a thread for ever.
  if (!writing) return open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  await mkdir(dirname(path), { recursive: true })
  return open(path, constants.O_RDWR | constants.O_CREAT)
}

async function readAll(handle: FileHandle, into: readonly Uint8Array[], position: number): Promise<void> {
  let parts = into
  let at = position
  for (let left = lengthOf(into); left > 0; ) {
    const { bytesRead } = await handle.readv(parts, at)
    if (bytesRead === 0) throw new Error('the file is shorter than the torrent says')
    left -= bytesRead
    at += bytesRead
    if (left > 0) parts = within(parts, bytesRead, left)
  }
}

/** `length` bytes of those that stand in `parts` one after the other. */
function within(parts: readonly Uint8Array[], from: number, length: number): Uint8Array[] {
  const found: Uint8Array[] = []
  let start = 0
  for (const part of parts) {
    const [first, end] = [Math.max(from - start, 0), Math.min(from + length - start, part.length)]
    if (first < end) found.push(part.subarray(first, end))
    start += part.length
  }
  return found
}

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((bytes, part) => bytes + part.length, 0)

function settle<T>(work: Promise<T>, done: Done<T>): void {
  work.then(
    (value) => done(null, value),
    (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
  )
}

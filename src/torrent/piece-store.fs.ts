import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Metainfo } from './metainfo.ts'
import { pieceBytes } from './metainfo.ts'

// The files of one torrent as webtorrent's chunk store. webtorrent's own changes file names it finds unusual, opens
// what it serves for writing, and never makes empty files: a published folder could then not be served as it stands.

/** Files held open; a torrent may have 65,536. */
const OPEN_FILES_MAX = 64

type Done<T = void> = (error: Error | null, value?: T) => void
type StoredFile = { path: string; offset: number; length: number; padding: boolean }
type OpenFile = { handle: Promise<FileHandle>; users: number }
/** A run of bytes inside one file, and where they stand in the piece. */
type Span = { file: StoredFile; fileOffset: number; pieceOffset: number; length: number }

export class PieceStore {
  readonly chunkLength: number
  readonly #metainfo: Metainfo
  readonly #directory: string
  readonly #files: StoredFile[]
  readonly #open = new Map<string, OpenFile>()
  readonly #writes = new Set<Promise<void>>()
  #closed = false

  constructor(metainfo: Metainfo, directory: string) {
    this.chunkLength = metainfo.pieceLengthBytes
    this.#metainfo = metainfo
    this.#directory = directory
    let offset = 0
    this.#files = metainfo.files.map(({ path, lengthBytes, padding }) => {
      const file = { path: join(directory, ...path), offset, length: lengthBytes, padding }
      offset += lengthBytes
      return file
    })
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
    const whole = pieceBytes(this.#metainfo, index)
    const { offset = 0, length = whole - offset } = typeof range === 'function' ? {} : (range ?? {})
    if (offset < 0 || length < 0 || offset + length > whole) answer(new RangeError('outside of the piece'))
    else settle(this.#read(index, offset, length), answer)
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
  async createEmptyFiles(): Promise<void> {
    for (const file of this.#files) {
      if (file.length > 0 || file.padding) continue
      await mkdir(dirname(file.path), { recursive: true })
      await (await open(file.path, constants.O_RDONLY | constants.O_CREAT)).close()
    }
  }

  /** Deletes the torrent's files, and those of its folders that are empty then. */
  async deleteFiles(): Promise<void> {
    const folders = new Set<string>()
    for (const { path, padding } of this.#files) {
      if (padding) continue
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
    for (const { file, fileOffset, pieceOffset, length } of this.#spans(index, 0, piece.length)) {
      if (file.padding) continue
      await this.#use(file.path, true, async (handle) => {
        await writeAll(handle, piece.subarray(pieceOffset, pieceOffset + length), fileOffset)
      })
    }
  }

  async #read(index: number, offset: number, length: number): Promise<Uint8Array> {
    const block = Buffer.allocUnsafe(length)
    for (const span of this.#spans(index, offset, length)) {
      const part = block.subarray(span.pieceOffset - offset, span.pieceOffset - offset + span.length)
      if (span.file.padding) part.fill(0)
      else await this.#use(span.file.path, false, (handle) => readAll(handle, part, span.fileOffset))
    }
    return block
  }

  *#spans(index: number, offset: number, length: number): Generator<Span> {
    let at = index * this.chunkLength + offset
    const end = at + length
    for (let place = this.#fileAt(at); at < end; place++) {
      const file = this.#files[place]
      if (file === undefined) throw new RangeError('outside of the torrent')
      const run = Math.min(file.offset + file.length, end) - at
      if (run <= 0) continue
      yield { file, fileOffset: at - file.offset, pieceOffset: at - index * this.chunkLength, length: run }
      at += run
    }
  }

  /** Binary search: the last file that starts at or before this byte. */
  #fileAt(byte: number): number {
    let low = 0
    let high = this.#files.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#files[middle]?.offset ?? 0) <= byte) low = middle
      else high = middle - 1
    }
    return low
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
      this.#closeIdle()
    }
  }

  #closeIdle(): void {
    for (const [name, { handle, users }] of this.#open) {
      if (this.#open.size <= OPEN_FILES_MAX) return
      if (users > 0) continue
      this.#open.delete(name)
      handle.then((opened) => opened.close()).catch(() => {})
    }
  }
}

async function openFile(path: string, writing: boolean): Promise<FileHandle> {
  if (!writing) return open(path, constants.O_RDONLY)
  await mkdir(dirname(path), { recursive: true })
  return open(path, constants.O_RDWR | constants.O_CREAT)
}

async function readAll(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done)
    if (bytesRead === 0) throw new Error('the file is shorter than the torrent says')
    done += bytesRead
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function settle<T>(work: Promise<T>, done: Done<T>): void {
  work.then(
    (value) => done(null, value),
    (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
  )
}

import type { FileHandle } from 'node:fs/promises'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { ThreadCalls, threadModule } from './thread-calls.system.ts'
import type { WatchedWriter, Written } from './watched-write.ts'
import type { WriteTask } from './write-worker.system.ts'

/** By Node's pool: three trips through it for each write. */
export const poolWriter: WatchedWriter = {
  async write(file, bytes, position, expected) {
    const stats = await file.stat({ bigint: true })
    const [before, sizeBefore] = [stampOf(stats), Number(stats.size)]
    if (expected !== undefined && before !== expected) return { before, sizeBefore, after: undefined }
    for (let done = 0; done < bytes.length; )
      done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
    return { before, sizeBefore, after: stampOf(await file.stat({ bigint: true })) }
  },
}

/**
 * By a thread, where the bytes are in shared memory: a look at the file, the write and another look are one call, which costs the
 * event loop a third. It is not the thread that hashes, so that a disk that hangs holds up no other torrent's hashes.
 */
export class WriteThread implements WatchedWriter, AsyncDisposable {
  readonly #calls = new ThreadCalls<WriteTask, Written>(threadModule('write-worker.system', import.meta.url))

  write(file: FileHandle, bytes: Uint8Array, position: number, expected: FileStamp | undefined): Promise<Written> {
    const { buffer, byteOffset: offset, length } = bytes
    const isShared = buffer instanceof SharedArrayBuffer
    const writing = isShared ? this.#calls.call({ fd: file.fd, buffer, offset, length, position, expected }) : undefined
    return writing ?? poolWriter.write(file, bytes, position, expected)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#calls[Symbol.asyncDispose]()
  }
}

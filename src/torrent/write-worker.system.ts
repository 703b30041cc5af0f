import { fstatSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { type FileStamp, stampOf } from './file-stamp.ts'
import type { ThreadAnswer, ThreadCall } from './thread-calls.system.ts'
import type { Written } from './watched-write.ts'

// The thread of write-thread.system.ts.

/** Bytes stay where they are: only their place is told. */
export type WriteTask = {
  /** Open for writing until the answer. */
  readonly fd: number
  readonly buffer: SharedArrayBuffer
  readonly offset: number
  readonly length: number
  readonly position: number
  readonly expected: FileStamp | undefined
}

function written({ fd, buffer, offset, length, position, expected }: WriteTask): Written {
  const stats = fstatSync(fd, { bigint: true })
  const [before, sizeBefore] = [stampOf(stats), Number(stats.size)]
  if (expected !== undefined && before !== expected) return { before, sizeBefore, after: undefined }
  const bytes = new Uint8Array(buffer, offset, length)
  for (let done = 0; done < length; ) done += writeSync(fd, bytes, done, length - done, position + done)
  return { before, sizeBefore, after: stampOf(fstatSync(fd, { bigint: true })) }
}

parentPort?.on('message', ({ id, task }: ThreadCall<WriteTask>) => {
  const answer = (said: ThreadAnswer<Written>): void => parentPort?.postMessage(said)
  try {
    answer({ id, value: written(task) })
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    answer({ id, error: { message, code } })
  }
})

import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { ThreadAnswer, ThreadCall } from './thread-calls.system.ts'

// The thread of hash-thread.system.ts.

/** Bytes stay where they are: only their place is told. */
export type HashTask = { readonly buffer: SharedArrayBuffer; readonly offset: number; readonly length: number }

parentPort?.on('message', ({ id, task: { buffer, offset, length } }: ThreadCall<HashTask>) => {
  const value = createHash('sha1')
    .update(new Uint8Array(buffer, offset, length))
    .digest('hex')
  parentPort?.postMessage({ id, value } satisfies ThreadAnswer<string>)
})

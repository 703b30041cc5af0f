import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

// The thread of hash-thread.system.ts.

/** Bytes stay where they are: only their place is told. */
export type HashTask = {
  readonly id: number
  readonly buffer: SharedArrayBuffer
  readonly offset: number
  readonly length: number
}
export type HashResult = { readonly id: number; readonly hex: string }

parentPort?.on('message', ({ id, buffer, offset, length }: HashTask) => {
  const hex = createHash('sha1')
    .update(new Uint8Array(buffer, offset, length))
    .digest('hex')
  parentPort?.postMessage({ id, hex } satisfies HashResult)
})

import { createHash, webcrypto } from 'node:crypto'
import { toHex } from '../events/index.ts'
import type { HashTask } from './hash-worker.system.ts'
import { ThreadCalls, threadModule } from './thread-calls.system.ts'

/**
 * sha-1 of pieces beside the event loop. Bytes in shared memory are hashed where they stand, by a thread; others, and all of them
 * once the thread has failed, by Node's pool, which copies them first: that costs as much again as the hash.
 */
export class HashThread implements AsyncDisposable {
  readonly #calls = new ThreadCalls<HashTask, string>(threadModule('hash-worker.system', import.meta.url))

  async hash(bytes: Uint8Array): Promise<string> {
    const { buffer, byteOffset: offset, length } = bytes
    const hashing = buffer instanceof SharedArrayBuffer ? this.#calls.call({ buffer, offset, length }) : undefined
    // What still waits when the thread ends is hashed by the pool.
    return hashing === undefined ? hashInPool(bytes) : hashing.catch(() => hashInPool(bytes))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#calls[Symbol.asyncDispose]()
  }
}

async function hashInPool(bytes: Uint8Array): Promise<string> {
  // Of shared memory the pool takes nothing.
  if (bytes.buffer instanceof SharedArrayBuffer) return createHash('sha1').update(bytes).digest('hex')
  return toHex(new Uint8Array(await webcrypto.subtle.digest('SHA-1', bytes as Uint8Array<ArrayBuffer>)))
}

import { createHash, webcrypto } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { toHex } from '../events/index.ts'
import type { HashResult, HashTask } from './hash-worker.system.ts'

const WORKER = new URL(`./hash-worker.system${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

type Waiting = { readonly bytes: Uint8Array; resolve(hex: string): void; reject(error: unknown): void }

/**
 * sha-1 of pieces beside the event loop. Bytes in shared memory are hashed where they stand, by a thread; others, and all of them
 * once the thread has failed, by Node's pool, which copies them first: that costs as much again as the hash.
 */
export class HashThread implements AsyncDisposable {
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #isOver = false
  #next = 0

  hash(bytes: Uint8Array): Promise<string> {
    const { buffer, byteOffset: offset, length } = bytes
    const worker = this.#isOver || !(buffer instanceof SharedArrayBuffer) ? undefined : this.#start()
    if (worker === undefined) return hashInPool(bytes)
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const id = this.#next++
    this.#waiting.set(id, { bytes, resolve, reject })
    // It keeps the process alive only while something waits for it.
    worker.ref()
    worker.postMessage({ id, buffer: buffer as SharedArrayBuffer, offset, length } satisfies HashTask)
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const worker = this.#worker
    this.#end()
    await worker?.terminate()
  }

  #start(): Worker | undefined {
    if (this.#worker !== undefined) return this.#worker
    try {
      const worker = new Worker(WORKER)
      worker.on('message', ({ id, hex }: HashResult) => {
        this.#waiting.get(id)?.resolve(hex)
        this.#waiting.delete(id)
        if (this.#waiting.size === 0) worker.unref()
      })
      worker.on('error', () => this.#end())
      worker.on('exit', () => this.#end())
      this.#worker = worker
    } catch {
      // No thread to be had.
      this.#isOver = true
    }
    return this.#worker
  }

  /** What still waits is hashed by the pool. */
  #end(): void {
    this.#isOver = true
    this.#worker = undefined
    for (const { bytes, resolve, reject } of this.#waiting.values()) hashInPool(bytes).then(resolve, reject)
    this.#waiting.clear()
  }
}

async function hashInPool(bytes: Uint8Array): Promise<string> {
  // Of shared memory the pool takes nothing.
  if (bytes.buffer instanceof SharedArrayBuffer) return createHash('sha1').update(bytes).digest('hex')
  return toHex(new Uint8Array(await webcrypto.subtle.digest('SHA-1', bytes as Uint8Array<ArrayBuffer>)))
}

import { Worker } from 'node:worker_threads'

/** What a thread of {@link ThreadCalls} is sent and sends back. */
export type ThreadCall<T> = { readonly id: number; readonly task: T }
export type ThreadAnswer<R> = { readonly id: number } & ({ readonly value: R } | { readonly error: ThreadError })
/** Of an error that is copied to another thread, the code is left behind. */
export type ThreadError = { readonly message: string; readonly code: string | undefined }

type Waiting<R> = { resolve(value: R): void; reject(error: unknown): void }

/** A thread of its own that answers calls one after the other. It is started by the first one. */
export class ThreadCalls<T, R> implements AsyncDisposable {
  readonly #module: URL
  readonly #waiting = new Map<number, Waiting<R>>()
  #worker: Worker | undefined
  #isOver = false
  #next = 0

  constructor(module: URL) {
    this.#module = module
  }

  /**
   * @param task copied, but for what is in shared memory
   * @returns undefined if there is no thread, or none any more; rejects with what the thread threw, or if it ends
   */
  call(task: T): Promise<R> | undefined {
    const worker = this.#isOver ? undefined : this.#start()
    if (worker === undefined) return undefined
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    const id = this.#next++
    this.#waiting.set(id, { resolve, reject })
    // It keeps the process alive only while something waits for it.
    worker.ref()
    worker.postMessage({ id, task } satisfies ThreadCall<T>)
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
      const worker = new Worker(this.#module)
      worker.on('message', (answer: ThreadAnswer<R>) => {
        const waiting = this.#waiting.get(answer.id)
        this.#waiting.delete(answer.id)
        if (this.#waiting.size === 0) worker.unref()
        if ('error' in answer) waiting?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }))
        else waiting?.resolve(answer.value)
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

  #end(): void {
    this.#isOver = true
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(new Error('the thread has ended'))
    this.#waiting.clear()
  }
}

/** The module of a thread beside that of who calls it, as source or built. */
export const threadModule = (name: string, from: string): URL =>
  new URL(`./${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from)

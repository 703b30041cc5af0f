import type { Progressive } from '../services.ts'

/** How often progress is told, ms. */
const PROGRESS_MS = 200

/**
 * Work that reports by callback, as a progressive call: yields what was reported last, five times a second, and returns
 * what the work gives. The work starts when the first value is asked for. Closing the call aborts the work's signal at once,
 * whether the work reports anything or not; an async generator would wait for its next value first. A closed call returns
 * nothing, as a generator does.
 */
export function withProgress<P, R>(
  run: (report: (progress: P) => void, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<P, R, void> {
  const stop = new AbortController()
  let latest: { progress: P } | undefined
  let work: Promise<R> | undefined
  let finished = false
  let wake = () => {}

  const start = (): Promise<R> => {
    const started = run((progress) => {
      latest = { progress }
    }, stop.signal).finally(() => {
      finished = true
      wake()
    })
    // Its failure is thrown where it is awaited below, not before.
    started.catch(() => {})
    return started
  }

  const close = () => {
    if (!finished) stop.abort()
    finished = true
    wake()
  }

  const next = async (): Promise<IteratorResult<P, R>> => {
    if (stop.signal.aborted || (finished && work === undefined)) return { done: true, value: undefined as R }
    work ??= start()
    while (!finished || latest !== undefined) {
      if (!finished) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, PROGRESS_MS)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      if (stop.signal.aborted) return { done: true, value: undefined as R }
      if (latest === undefined) continue
      const { progress } = latest
      latest = undefined
      return { done: false, value: progress }
    }
    const value = await work
    // A generator gives its result once.
    work = Promise.resolve(undefined as R)
    return { done: true, value }
  }

  const call: Progressive<P, R> = {
    next,
    async return(value) {
      close()
      return { done: true, value: await value }
    },
    async throw(error) {
      close()
      throw error
    },
    [Symbol.asyncIterator]() {
      return call
    },
    async [Symbol.asyncDispose]() {
      close()
    },
  }
  return call
}

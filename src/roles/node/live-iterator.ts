import type { Progressive } from '../services.ts'

/**
 * What a pull found: items to hand out now, and, once it is over, the result. `sleep`: nothing is left behind, so the
 * next pull waits for a wake; a pull that always finds something (a sample of a state) must say so.
 */
export type Pulled<T, R> = { items: readonly T[]; result?: { value: R }; sleep?: boolean }

/**
 * An iterator over something that goes on: hands out what `pull` finds, then sleeps until `wake` is called. Nothing is
 * buffered between the two, so a slow reader costs no memory. Unlike an async generator, `return()` ends it at once
 * even while it sleeps.
 * @param subscribe is given `wake` and returns what undoes it
 */
export function liveIterator<T, R = void>(
  pull: () => Pulled<T, R> | Promise<Pulled<T, R>>,
  subscribe: (wake: () => void) => () => void,
): Progressive<T, R | undefined> {
  let ready: readonly T[] = []
  let position = 0
  let result: { value: R } | undefined
  let closed = false
  let woken = true
  let sleeper: (() => void) | undefined
  const wake = () => {
    woken = true
    sleeper?.()
    sleeper = undefined
  }
  const unsubscribe = subscribe(wake)

  const close = () => {
    if (closed) return
    closed = true
    unsubscribe()
    wake()
  }

  const next = async (): Promise<IteratorResult<T, R | undefined>> => {
    for (;;) {
      if (closed) return { done: true, value: result?.value }
      if (position < ready.length) return { done: false, value: ready[position++] as T }
      if (result !== undefined) {
        close()
        continue
      }
      if (!woken) {
        await new Promise<void>((resolve) => {
          sleeper = resolve
        })
        continue
      }
      woken = false
      let pulled: Pulled<T, R>
      try {
        pulled = await pull()
      } catch (error) {
        // A reader does not close what has failed.
        close()
        throw error
      }
      ready = pulled.items
      position = 0
      result = pulled.result
      // A pull that found something may have left more behind.
      if (ready.length > 0 && pulled.sleep !== true) woken = true
    }
  }

  return {
    next,
    async return(value) {
      close()
      return { done: true, value: (await value) as R | undefined }
    },
    async throw(error) {
      close()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      close()
    },
  }
}

import { setImmediate } from 'node:timers/promises'

/** So long nothing else has its turn, ms. */
const TURN_MS = 8

/** Carries out work that can stop between its steps, and lets everything else have its turn. @throws what the work throws */
export async function inSteps<T>(steps: Generator<void, T>): Promise<T> {
  let from = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (performance.now() - from < TURN_MS) continue
    await setImmediate()
    from = performance.now()
  }
}

import type { Millis } from './ids.ts'

/** The wall clock, passed in so that tests and simulations own the time. */
export interface Clock {
  now(): Millis
}

/** Calls back later; passed in for the same reason. */
export interface Timers {
  /** @returns a function that cancels it */
  after(delayMs: number, run: () => void): () => void
}

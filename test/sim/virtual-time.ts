import type { Clock, Millis, Timers } from '../../src/events/index.ts'

type Timer = { run: (() => void) | undefined }

/**
 * Timers of the next so many ms stand in a ring, a list for each ms, in the order in which they were set: that costs the same
 * however many there are. The few that are later wait in a map.
 */
const RING_MS = 1 << 17

/** Promises that are ready, and those they make ready, are done when this resolves. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A clock that stands still until it is moved, and the timers on it. Whole milliseconds; equal times in order of setting. */
export class VirtualTime implements Clock, Timers {
  readonly #ring = new Array<Timer[] | undefined>(RING_MS).fill(undefined)
  readonly #later = new Map<number, Timer[]>()
  /** Moments of the ring with a timer. */
  #taken = 0
  #now: number

  constructor(startMs = 1_800_000_000_000) {
    this.#now = startMs
  }

  now(): Millis {
    return this.#now as Millis
  }

  after(delayMs: number, run: () => void): () => void {
    const waitMs = Math.max(0, Math.ceil(delayMs))
    const timer: Timer = { run }
    if (waitMs < RING_MS) {
      const slot = (this.#now + waitMs) % RING_MS
      const timers = this.#ring[slot]
      if (timers === undefined) {
        this.#ring[slot] = [timer]
        this.#taken++
      } else timers.push(timer)
    } else {
      const timers = this.#later.get(this.#now + waitMs)
      if (timers === undefined) this.#later.set(this.#now + waitMs, [timer])
      else timers.push(timer)
    }
    return () => {
      timer.run = undefined
    }
  }

  /** Moves the clock by so much, running each timer at its time, and all promises after each instant. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs
    await settled()
    for (;;) {
      // Again for what the timers and promises of this instant have set for this instant.
      while (this.#runDue()) await settled()
      if (this.#now >= until) return
      // Hours in which nothing is due pass at once.
      this.#now = this.#taken > 0 ? this.#now + 1 : Math.min(until, ...this.#later.keys())
    }
  }

  /** @returns false if nothing was due now */
  #runDue(): boolean {
    const slot = this.#now % RING_MS
    // Those that waited outside of the ring were set before those that are in it.
    const later = this.#later.get(this.#now)
    if (later !== undefined) {
      this.#later.delete(this.#now)
      for (const timer of later) fire(timer)
    }
    const timers = this.#ring[slot]
    if (timers === undefined) return later !== undefined
    // A timer may set another one for now, which is pushed to the end.
    for (const timer of timers) fire(timer)
    this.#ring[slot] = undefined
    this.#taken--
    return true
  }

  /** Moves the clock in steps until the condition holds. @returns ms it took, or undefined if `withinMs` were not enough */
  async until(condition: () => boolean, withinMs: number, stepMs = 50): Promise<number | undefined> {
    const from = this.#now
    while (!condition()) {
      if (this.#now - from >= withinMs) return undefined
      await this.advance(stepMs)
    }
    return this.#now - from
  }

  /** Waits for a promise that needs time to pass. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let done = false
    const mark = () => {
      done = true
    }
    promise.then(mark, mark)
    while (!done) await this.advance(1)
    return promise
  }
}

function fire(timer: Timer): void {
  const { run } = timer
  timer.run = undefined
  run?.()
}

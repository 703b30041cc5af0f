import type { Clock, Millis, Timers } from '../../src/events/index.ts'

type Timer = { at: number; order: number; run: (() => void) | undefined }

/** Promises that are ready, and those they make ready, are done when this resolves. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A clock that stands still until it is moved, and the timers on it. Whole milliseconds; equal times in order of setting. */
export class VirtualTime implements Clock, Timers {
  readonly #heap: Timer[] = []
  #now: number
  #order = 0

  constructor(startMs = 1_800_000_000_000) {
    this.#now = startMs
  }

  now(): Millis {
    return this.#now as Millis
  }

  after(delayMs: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, Math.ceil(delayMs)), order: this.#order++, run }
    this.#push(timer)
    return () => {
      timer.run = undefined
    }
  }

  /** Moves the clock by so much, running each timer at its time, and all promises after each instant. */
  async advance(byMs: number): Promise<void> {
    const until = this.#now + byMs
    await settled()
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#now = next.at
      for (let due: Timer | undefined = next; due !== undefined && due.at === this.#now; due = this.#heap[0]) {
        this.#pop()
        due.run?.()
      }
      await settled()
    }
    this.#now = until
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

  #before(a: number, b: number): boolean {
    const x = this.#heap[a] as Timer
    const y = this.#heap[b] as Timer
    return x.at !== y.at ? x.at < y.at : x.order < y.order
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a] as Timer
    this.#heap[a] = this.#heap[b] as Timer
    this.#heap[b] = kept
  }

  #push(timer: Timer): void {
    let index = this.#heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #pop(): void {
    const last = this.#heap.pop() as Timer
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    let index = 0
    for (;;) {
      let least = index
      for (const child of [index * 2 + 1, index * 2 + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child
      }
      if (least === index) return
      this.#swap(index, least)
      index = least
    }
  }
}

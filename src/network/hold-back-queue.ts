import { compareCanonically, type Header, type SignedEvent } from '../events/index.ts'

export type HeldBack = { readonly header: Header; readonly event: SignedEvent }

type Waiting = HeldBack & { readonly dueAt: number; done: boolean }

/**
 * Events that have arrived and wait a moment for others that come before them in canonical order, so that a log is
 * mostly in that order. The wait is bounded by time and by count; what arrives later than that still passes, and whoever
 * needs the canonical order folds it (Lamport 1978; the queue is that of total-order multicast, with a bound in place of
 * acknowledgements, which a network with churn cannot wait for).
 */
export class HoldBackQueue {
  readonly #holdMs: number
  readonly #countMax: number
  /** Binary heap, first in canonical order on top. */
  readonly #heap: Waiting[] = []
  #arrivals: Waiting[] = []
  /** Arrivals before this index have left the queue. */
  #arrivalsDone = 0

  /** @param holdMs how long an event waits at most; @param countMax how many wait at most, the first leave early */
  constructor(holdMs: number, countMax: number) {
    this.#holdMs = holdMs
    this.#countMax = countMax
  }

  get size(): number {
    return this.#heap.length
  }

  push(item: HeldBack, now: number): void {
    const waiting = { ...item, dueAt: now + this.#holdMs, done: false }
    this.#arrivals.push(waiting)
    this.#heap.push(waiting)
    this.#up(this.#heap.length - 1)
  }

  /** When `release` has something to give, in ms of the same clock as `now`; undefined while empty. */
  get nextAt(): number | undefined {
    this.#forgetDone()
    return this.#heap.length > this.#countMax ? 0 : this.#arrivals[this.#arrivalsDone]?.dueAt
  }

  /**
   * Everything up to the last event, in canonical order, whose wait is over: those before it leave with it.
   */
  release(now: number): HeldBack[] {
    const released: HeldBack[] = []
    for (;;) {
      this.#forgetDone()
      const oldest = this.#arrivals[this.#arrivalsDone]
      if (oldest === undefined) break
      if (oldest.dueAt > now && this.#heap.length <= this.#countMax) break
      const first = this.#pop()
      first.done = true
      released.push(first)
    }
    return released
  }

  #forgetDone(): void {
    while (this.#arrivals[this.#arrivalsDone]?.done) this.#arrivalsDone++
    if (this.#arrivalsDone > 64 && this.#arrivalsDone * 2 > this.#arrivals.length) {
      this.#arrivals = this.#arrivals.slice(this.#arrivalsDone)
      this.#arrivalsDone = 0
    }
  }

  #at(index: number): Waiting {
    return this.#heap[index] as Waiting
  }

  #before(a: number, b: number): boolean {
    return compareCanonically(this.#at(a).header, this.#at(b).header) < 0
  }

  #swap(a: number, b: number): void {
    const kept = this.#at(a)
    this.#heap[a] = this.#at(b)
    this.#heap[b] = kept
  }

  #up(start: number): void {
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #pop(): Waiting {
    const first = this.#at(0)
    const last = this.#heap.pop() as Waiting
    if (this.#heap.length === 0) return first
    this.#heap[0] = last
    let index = 0
    for (;;) {
      let least = index
      for (const child of [index * 2 + 1, index * 2 + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child
      }
      if (least === index) return first
      this.#swap(index, least)
      index = least
    }
  }
}

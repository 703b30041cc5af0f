import type { Lamport } from './ids.ts'

/** How far ahead of ours a stamp may be: 2^20 events between two contacts is more than a busy network makes in a day. */
export const LAMPORT_JUMP_MAX = 2 ** 20
/** Above it a stamp is no longer exact in a double. */
export const LAMPORT_MAX = Number.MAX_SAFE_INTEGER

/**
 * Lamport's logical clock (Lamport 1978), with a bound: a peer that stamps 2^63 must not drag everyone along.
 */
export class LamportClock {
  #now: number

  /** @param start the highest stamp seen so far, 0 for none */
  constructor(start = 0) {
    this.#now = start
  }

  get now(): Lamport {
    return this.#now as Lamport
  }

  /** The stamp for an event of our own. @throws RangeError when 2^53 - 1 is used up */
  tick(): Lamport {
    if (this.#now >= LAMPORT_MAX) throw new RangeError('the Lamport clock is used up (2^53 - 1)')
    this.#now += 1
    return this.#now as Lamport
  }

  /** True if `stamp` may be witnessed: a whole number, at least 1, not too far ahead. */
  admits(stamp: number): boolean {
    return Number.isSafeInteger(stamp) && stamp >= 1 && stamp <= this.#now + LAMPORT_JUMP_MAX
  }

  /** Moves the clock to a stamp of somebody else. @returns false, and does nothing, if the stamp is not admitted */
  witness(stamp: number): boolean {
    if (!this.admits(stamp)) return false
    if (stamp > this.#now) this.#now = stamp
    return true
  }

  /** Takes a stamp that is in our own log already: the bound was checked when it came in. */
  restore(stamp: number): void {
    if (stamp > this.#now) this.#now = stamp
  }
}

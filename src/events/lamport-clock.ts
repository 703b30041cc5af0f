import type { Lamport, Millis } from './ids.ts'

/** Above it a stamp is no longer exact in a double. */
export const LAMPORT_MAX = Number.MAX_SAFE_INTEGER

/** Events a second of a whole network that the envelope of stamps leaves room for; 2^53 then lasts 4,000 years. */
export const LAMPORT_PER_SECOND_MAX = 2 ** 16
/** How far ahead a fast clock may be, s. */
const LEEWAY_SECONDS = 3_600

/**
 * Highest stamp that is admitted at `now` in a network made at `createdAt`, both ms since 1970: no key can push the clock
 * of others out of this envelope, and every honest node answers alike.
 */
export function lamportMaxAt(createdAt: Millis, now: Millis): number {
  const seconds = Math.max(0, (now - createdAt) / 1_000) + LEEWAY_SECONDS
  return Math.min(LAMPORT_MAX, Math.floor(seconds * LAMPORT_PER_SECOND_MAX))
}

/** Lamport's logical clock (Lamport 1978) under a bound: a peer that stamps 2^63 must not drag everyone along. */
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

  /** Moves the clock to a stamp of somebody else. @returns false, and does nothing, for one that is no stamp or above `max` */
  witness(stamp: number, max: number): boolean {
    if (!isStamp(stamp, max)) return false
    if (stamp > this.#now) this.#now = stamp
    return true
  }

  /** Takes a stamp that is in our own log already: the bound was checked when it came in. */
  restore(stamp: number): void {
    if (stamp > this.#now) this.#now = stamp
  }
}

/** True for a whole number from 1 to `max`. */
export const isStamp = (stamp: number, max: number): boolean => Number.isSafeInteger(stamp) && stamp >= 1 && stamp <= max

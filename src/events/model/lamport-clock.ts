import type { Lamport, Millis } from './ids.ts'

/** Above it a stamp is no longer exact in a double. */
export const LAMPORT_MAX = Number.MAX_SAFE_INTEGER

/** Events a second of a whole network that the envelope of stamps leaves room for; 2^53 then lasts 4,000 years. */
export const LAMPORT_PER_SECOND_MAX = 2 ** 16
/** How far ahead of the receiver's clock a stamp may be, s. */
const LEEWAY_SECONDS = 3_600
/** How far ahead of its own clock a node stamps, s: what is left of the leeway is for clocks that differ. */
const OWN_LEEWAY_SECONDS = LEEWAY_SECONDS / 2

/**
 * Highest stamp that is admitted at `now` in a network made at `createdAt`, both ms since 1970: no key can push the clock
 * of others out of this envelope, and every honest node answers alike.
 */
export const lamportMaxAt = (createdAt: Millis, now: Millis): number => envelopeAt(createdAt, now, LEEWAY_SECONDS)

/**
 * Highest stamp that a node gives an event of its own at `now`, whatever it has seen: nodes whose clocks are half an hour
 * apart at most admit it.
 */
export const ownLamportMaxAt = (createdAt: Millis, now: Millis): number => envelopeAt(createdAt, now, OWN_LEEWAY_SECONDS)

function envelopeAt(createdAt: Millis, now: Millis, leewaySeconds: number): number {
  const seconds = Math.max(0, (now - createdAt) / 1_000) + leewaySeconds
  return Math.min(LAMPORT_MAX, Math.floor(seconds * LAMPORT_PER_SECOND_MAX))
}

/** Lamport's logical clock (Lamport 1978); `isStamp` says what it may follow. */
export class LamportClock {
  #now: number

  /** @param start the highest stamp seen so far, 0 for none */
  constructor(start = 0) {
    this.#now = start
  }

  get now(): Lamport {
    return this.#now as Lamport
  }

  /**
   * The stamp for an event of our own: above all that was seen, unless somebody has stamped beyond `max`. Then it is `max`,
   * and ties are broken as ever, by author and number.
   */
  tick(max: number): Lamport {
    const stamp = Math.min(this.#now + 1, max)
    this.follow(stamp)
    return stamp as Lamport
  }

  /** Moves the clock to a stamp that was admitted, or stands in our own log. */
  follow(stamp: number): void {
    if (stamp > this.#now) this.#now = stamp
  }
}

/** True for a whole number from 1 to `max`. */
export const isStamp = (stamp: number, max: number): boolean => Number.isSafeInteger(stamp) && stamp >= 1 && stamp <= max

/** Turns that come back with time: what may be done at once, and how often for long. */
export class Allowance {
  readonly #most: number
  readonly #perMs: number
  #left: number
  #at: number | undefined

  /** @param most at once; @param perSecond for long */
  constructor(most: number, perSecond: number) {
    this.#most = most
    this.#perMs = perSecond / 1_000
    this.#left = most
  }

  /** @param now ms, by a clock that never goes back; @returns false if there is none left */
  take(now: number): boolean {
    if (!this.isLeft(now)) return false
    this.#left--
    return true
  }

  isLeft(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + Math.max(0, now - (this.#at ?? now)) * this.#perMs)
    this.#at = now
    return this.#left >= 1
  }
}

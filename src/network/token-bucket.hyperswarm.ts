export type Rate = {
  /** units a second in the long run */
  readonly perSecond: number
  /** units that may come at once */
  readonly burst: number
}

/** A token bucket (RFC 2697, one rate and one burst). Times in ms, as the caller's clock says; a step back counts as none. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** Takes `amount` if it is there. @returns false, and takes nothing, if it is not */
  take(amount: number, now: number): boolean {
    this.#refill(now)
    if (amount > this.#tokens) return false
    this.#tokens -= amount
    return true
  }

  /** ms until `take(amount)` succeeds; 0 if it would now. An amount over the burst waits for a full bucket. */
  waitMs(amount: number, now: number): number {
    this.#refill(now)
    const missing = Math.min(amount, this.#rate.burst) - this.#tokens
    return missing <= 0 ? 0 : Math.ceil((missing * 1000) / this.#rate.perSecond)
  }

  #refill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#at)
    this.#at = now
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + (elapsedMs * this.#rate.perSecond) / 1000)
  }
}

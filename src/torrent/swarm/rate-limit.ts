/** What is not used up at once may be used later, as much as comes in this time. */
const BURST_MS = 250

/** A token bucket of bytes for all that share a limit. It may be overdrawn by one transfer, which the next one waits for. */
export class RateLimit {
  readonly #bytesPerMs: number
  readonly #burst: number
  #left: number
  #at: number | undefined

  /** @param bytesPerSecond undefined: no limit */
  constructor(bytesPerSecond: number | undefined) {
    this.#bytesPerMs = bytesPerSecond === undefined ? Number.POSITIVE_INFINITY : bytesPerSecond / 1_000
    this.#burst = this.#bytesPerMs * BURST_MS
    this.#left = this.#burst
  }

  get isLimited(): boolean {
    return this.#bytesPerMs !== Number.POSITIVE_INFINITY
  }

  /** How long to wait before anything more is taken, ms; 0: now. */
  waitMs(now: number): number {
    if (!this.isLimited) return 0
    this.#refill(now)
    return this.#left > 0 ? 0 : Math.max(1, Math.ceil((1 - this.#left) / this.#bytesPerMs))
  }

  take(bytes: number, now: number): void {
    if (!this.isLimited) return
    this.#refill(now)
    this.#left -= bytes
  }

  #refill(now: number): void {
    const passed = this.#at === undefined ? 0 : Math.max(0, now - this.#at)
    this.#at = now
    this.#left = Math.min(this.#burst, this.#left + passed * this.#bytesPerMs)
  }
}

/** What is not used up at once may be used later, as much as comes in this time. */
const BURST_MS = 250

/** A token bucket of bytes for all that share a limit. It may be overdrawn by one transfer, which the next one waits for. */
export class RateLimit {
  #bytesPerMs = Number.POSITIVE_INFINITY
  #burst = Number.POSITIVE_INFINITY
  #left = Number.POSITIVE_INFINITY
  #at: number | undefined

  /** @param bytesPerSecond 0 or undefined: no limit */
  constructor(bytesPerSecond?: number) {
    this.set(bytesPerSecond)
  }

  /** What is overdrawn stays so. @param bytesPerSecond 0 or undefined: no limit */
  set(bytesPerSecond: number | undefined): void {
    this.#bytesPerMs = bytesPerSecond ? bytesPerSecond / 1_000 : Number.POSITIVE_INFINITY
    this.#burst = this.#bytesPerMs * BURST_MS
    this.#left = Math.min(this.#left, this.#burst)
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

  /** Of several at once. */
  static waitMs(limits: readonly RateLimit[], now: number): number {
    return Math.max(0, ...limits.map((limit) => limit.waitMs(now)))
  }

  #refill(now: number): void {
    const passed = this.#at === undefined ? 0 : Math.max(0, now - this.#at)
    this.#at = now
    this.#left = Math.min(this.#burst, this.#left + passed * this.#bytesPerMs)
  }
}

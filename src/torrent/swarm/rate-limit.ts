/** What is not used up at once may be used later, as much as comes in this time. */
const BURST_MS = 250

/** A token bucket of bytes for all that share a limit. It may be overdrawn by one transfer, which the next one waits for. */
export class RateLimit {
  #bytesPerMs = Number.POSITIVE_INFINITY
  #left = Number.POSITIVE_INFINITY
  #at: number | undefined

  /** @param bytesPerSecond 0 or undefined: no limit */
  constructor(bytesPerSecond?: number) {
    this.set(bytesPerSecond)
  }

  /** What is overdrawn holds nobody up for longer than before. @param bytesPerSecond 0 or undefined: no limit */
  set(bytesPerSecond: number | undefined): void {
    const before = this.#bytesPerMs
    this.#bytesPerMs = bytesPerSecond ? bytesPerSecond / 1_000 : Number.POSITIVE_INFINITY
    if (!this.isLimited) this.#left = Number.POSITIVE_INFINITY
    else if (this.#left < 0) this.#left *= Math.min(1, this.#bytesPerMs / before)
    else this.#left = Math.min(this.#left, this.burstBytes)
  }

  get isLimited(): boolean {
    return this.#bytesPerMs !== Number.POSITIVE_INFINITY
  }

  /** Larger transfers at once would leave others without any for longer than the burst. */
  get burstBytes(): number {
    return this.#bytesPerMs * BURST_MS
  }

  /** How long to wait before anything more is taken, ms; 0: now. */
  waitMs(now: number): number {
    if (!this.isLimited) return 0
    this.#refill(now)
    return this.#left > 0 ? 0 : Math.max(1, Math.ceil((1 - this.#left) / this.#bytesPerMs))
  }

  /** @param bytes below 0: what was taken and not used is given back */
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
    this.#left = Math.min(this.burstBytes, this.#left + passed * this.#bytesPerMs)
  }
}

/** A rate is of so many seconds, the present one included. */
const WINDOW_S = 5

/** Bytes a second over the last seconds. */
export class RateMeter {
  /** Bytes of each second, by second modulo the window. */
  readonly #seconds = new Float64Array(WINDOW_S)
  #second = 0
  #since: number | undefined
  total = 0

  /** @param now ms */
  add(bytes: number, now: number): void {
    this.#turn(now)
    this.#since ??= now
    const slot = this.#second % WINDOW_S
    this.#seconds[slot] = (this.#seconds[slot] ?? 0) + bytes
    this.total += bytes
  }

  perSecond(now: number): number {
    this.#turn(now)
    if (this.#since === undefined) return 0
    let sum = 0
    for (const bytes of this.#seconds) sum += bytes
    // Less than the window at first; never so little that one block makes a wild figure.
    const span = Math.max(1_000, Math.min(now - this.#since, (WINDOW_S - 1) * 1_000 + (now % 1_000)))
    return (sum * 1_000) / span
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1_000)
    if (second <= this.#second) return
    const passed = Math.min(WINDOW_S, second - this.#second)
    for (let step = 1; step <= passed; step++) this.#seconds[(this.#second + step) % WINDOW_S] = 0
    // A pause longer than the window: what comes now begins anew.
    if (second - this.#second >= WINDOW_S) {
      this.#seconds.fill(0)
      this.#since = undefined
    }
    this.#second = second
  }
}

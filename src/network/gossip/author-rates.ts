type Bucket = { tokens: number; at: number }

/**
 * A token bucket for each author, or for each party of authors, so that a noisy one cannot take the broadcast tree from the others. An event over the
 * rate is kept where it arrived, and goes on by anti-entropy at its own pace.
 */
export class AuthorRates<Key extends string> {
  readonly #perSecond: number
  readonly #burst: number
  readonly #authorsMax: number
  readonly #buckets = new Map<Key, Bucket>()

  constructor(perSecond: number, burst: number, authorsMax: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#authorsMax = authorsMax
  }

  /** Tokens that are left. */
  left(author: Key, now: number): number {
    const before = this.#buckets.get(author)
    if (before === undefined) return this.#burst
    return Math.min(this.#burst, before.tokens + Math.max(0, ((now - before.at) / 1_000) * this.#perSecond))
  }

  /** True, and one token less, if the author has one left. */
  take(author: Key, now: number): boolean {
    const tokens = this.left(author, now)
    const taken = tokens >= 1
    // Deleted first, so that the map stays ordered by last use and the oldest is the one to forget.
    this.#buckets.delete(author)
    this.#buckets.set(author, { tokens: taken ? tokens - 1 : tokens, at: now })
    if (this.#buckets.size > this.#authorsMax) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    }
    return taken
  }
}

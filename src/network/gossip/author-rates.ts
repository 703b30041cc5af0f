import { BoundedMap } from '../../events/index.ts'

type Bucket = { readonly tokens: number; readonly at: number }

/**
 * A token bucket for each author, or for each party of authors, so that a noisy one cannot take the broadcast tree, or the
 * processor, from the others. The one that was heard longest ago is forgotten, and has its whole burst again.
 */
export class AuthorRates<Key extends string> {
  readonly #perSecond: number
  readonly #burst: number
  readonly #buckets: BoundedMap<Key, Bucket>

  constructor(perSecond: number, burst: number, keysMax: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#buckets = new BoundedMap(keysMax)
  }

  /** Tokens that are left. */
  left(key: Key, now: number): number {
    const before = this.#buckets.get(key)
    if (before === undefined) return this.#burst
    return Math.min(this.#burst, before.tokens + Math.max(0, ((now - before.at) / 1_000) * this.#perSecond))
  }

  /** True, and one token less, if there is one left. */
  take(key: Key, now: number): boolean {
    const tokens = this.left(key, now)
    const taken = tokens >= 1
    this.#buckets.set(key, { tokens: taken ? tokens - 1 : tokens, at: now })
    return taken
  }
}

import { BoundedMap } from '../events/index.ts'

/** A connection that ends sooner than this, ms, with no block sent either way, was not wanted. */
export const EARLY_MS = 10_000
/** Wait before such a peer is dialled again, ms: doubled each time in a row, up to the maximum. */
export const EARLY_FIRST_MS = 2_000
export const EARLY_MAX_MS = 300_000
/** Oldest are forgotten, and dialled again at once. */
export const UNWILLING_MAX = 4_096

/** Peers of one torrent that end our connections at once, as all do with a node that was revoked: dialled ever more seldom. */
export class UnwillingPeers {
  readonly #early = new BoundedMap<string, { readonly times: number; readonly until: number }>(UNWILLING_MAX)

  /** A connection that we dialled has ended after `lastedMs`. */
  ended(endpoint: string, lastedMs: number, gaveOrTook: boolean, now: number): void {
    if (lastedMs >= EARLY_MS || gaveOrTook) {
      this.#early.delete(endpoint)
      return
    }
    const times = (this.#early.get(endpoint)?.times ?? 0) + 1
    this.#early.set(endpoint, { times, until: now + Math.min(EARLY_MAX_MS, EARLY_FIRST_MS * 2 ** (times - 1)) })
  }

  mayDial(endpoint: string, now: number): boolean {
    return now >= (this.#early.get(endpoint)?.until ?? 0)
  }
}

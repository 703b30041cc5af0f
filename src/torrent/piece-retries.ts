import { BoundedMap, type Millis, type PeerId } from '../events/index.ts'

// A peer that sent a piece wrong is not asked for that piece again at once: one damaged sector would otherwise be asked
// for, found wrong and held against an honest peer until it is banned. Others are asked meanwhile.

/** Before the second try; doubles with every failure of the same piece by the same peer. */
export const RETRY_WAIT_MS = 2_000
export const RETRY_WAIT_MS_MAX = 600_000
/** Oldest are forgotten. */
const FAILURES_MAX = 16_384

type Failure = { count: number; retryAt: number }

export class PieceRetries {
  readonly #failures = new BoundedMap<string, Failure>(FAILURES_MAX)

  /** @returns ms until it may be asked again */
  failed(peer: PeerId, index: number, now: Millis): number {
    const key = `${index} ${peer}`
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    const waitMs = Math.min(RETRY_WAIT_MS * 2 ** (count - 1), RETRY_WAIT_MS_MAX)
    this.#failures.set(key, { count, retryAt: now + waitMs })
    return waitMs
  }

  mayAsk(peer: PeerId, index: number, now: () => Millis): boolean {
    if (this.#failures.size === 0) return true
    const failure = this.#failures.get(`${index} ${peer}`)
    return failure === undefined || now() >= failure.retryAt
  }
}

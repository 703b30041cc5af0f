import type { Clock, Timers } from '../../events/index.ts'
import { RENEWAL_MS } from '../../projections/keyword-index/index.ts'
import type { OwnClaims } from './own-claims.ts'
import type { Publisher } from './publisher.ts'

/** How often it is looked at whether a renewal is due, ms: a machine may have slept. */
const LOOK_MS = 10 * 60_000

export type OfferRenewalOptions = {
  clock: Clock
  timers: Timers
  claims: Pick<OwnClaims, 'renewedAt'>
  publisher: Pick<Publisher, 'renew'>
  onProblem(text: string): void
}

/** Has our offers renewed while there are any, so that index nodes can tell us from who is gone for good. */
export class OfferRenewal {
  readonly #options: OfferRenewalOptions
  #cancel = () => {}
  #isStopped = false

  constructor(options: OfferRenewalOptions) {
    this.#options = options
  }

  /** At once where the last one is too old, then whenever it is. */
  start(): void {
    void this.#look()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { publisher, timers, onProblem } = this.#options
    if (this.#isDue()) {
      try {
        await publisher.renew()
      } catch (error) {
        if (!this.#isStopped) onProblem(`the offers of this node were not renewed: ${(error as Error).message}`)
      }
    }
    // Asked again while it fails: its offers count for two renewals more.
    if (!this.#isStopped) this.#cancel = timers.after(LOOK_MS, () => void this.#look())
  }

  #isDue(): boolean {
    const { claims, clock } = this.#options
    const { renewedAt } = claims
    const now = clock.now()
    // One of a clock that was set back since is as good as none.
    return renewedAt !== undefined && (now - renewedAt >= RENEWAL_MS || renewedAt > now)
  }
}

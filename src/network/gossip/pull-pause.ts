/** How long nothing is fetched after the log could not be written, ms; twice as long after each attempt that fails. */
export const PAUSE_FIRST_MS = 1_000
export const PAUSE_MAX_MS = 60_000
/** One fetch after a pause tells whether the log takes events again; if it brings none, another may try after this, ms. */
const TRIAL_MS = 10_000

type State =
  | { readonly is: 'well' }
  | { readonly is: 'paused'; readonly forMs: number }
  /** The pause is over, and one fetch at a time goes out, until the log has taken something. */
  | { readonly is: 'trying'; readonly afterMs: number; readonly nextAt: number }

/**
 * Whether events are fetched while the log takes none: a node with a full disk would ask for the same ones as fast as its
 * peers can send them, and throw them away.
 */
export class PullPause {
  #state: State = { is: 'well' }

  /** The log failed, and has taken nothing since. */
  get isFailing(): boolean {
    return this.#state.is !== 'well'
  }

  /** Nothing is handed to the log. */
  get isPaused(): boolean {
    return this.#state.is === 'paused'
  }

  mayFetch(now: number): boolean {
    return this.#state.is === 'well' || (this.#state.is === 'trying' && now >= this.#state.nextAt)
  }

  fetching(now: number): void {
    if (this.#state.is === 'trying') this.#state = { ...this.#state, nextAt: now + TRIAL_MS }
  }

  /** The fetch was not sent after all. */
  notFetched(): void {
    if (this.#state.is === 'trying') this.#state = { ...this.#state, nextAt: 0 }
  }

  /** The log could not be written. @returns how long the pause is that begins now, ms; undefined if one goes on */
  failed(): number | undefined {
    if (this.#state.is === 'paused') return undefined
    const forMs = this.#state.is === 'well' ? PAUSE_FIRST_MS : Math.min(PAUSE_MAX_MS, this.#state.afterMs * 2)
    this.#state = { is: 'paused', forMs }
    return forMs
  }

  /** The time is up. */
  over(): void {
    if (this.#state.is === 'paused') this.#state = { is: 'trying', afterMs: this.#state.forMs, nextAt: 0 }
  }

  /** The log took events. In a pause that counts for nothing: they were handed to it before. @returns true if it is well again */
  worked(): boolean {
    if (this.#state.is !== 'trying') return false
    this.#state = { is: 'well' }
    return true
  }
}

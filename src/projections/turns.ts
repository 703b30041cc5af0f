/** How long a walk over a log keeps the event loop before others have their turn, ms: a ping must not wait for it. */
export const TURN_MS_MAX = 10

export type TurnsOptions = {
  /** Monotonic time, ms. */
  now(): number
  /** Resolves when everything else that waits has had its turn. */
  yieldToEventLoop(): Promise<void>
}

/**
 * Cuts long work into turns: `if (turns.isOver) await turns.next()` after each step. By time and not by steps, since one
 * step costs a hundred times what another does.
 */
export class Turns {
  readonly #options: TurnsOptions
  #since: number

  constructor(options: TurnsOptions) {
    this.#options = options
    this.#since = options.now()
  }

  get isOver(): boolean {
    return this.#options.now() - this.#since >= TURN_MS_MAX
  }

  async next(): Promise<void> {
    await this.#options.yieldToEventLoop()
    this.#since = this.#options.now()
  }
}

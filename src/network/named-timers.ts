import type { Timers } from '../events/index.ts'
import type { Timer } from './protocol.ts'

/** One timer for each name, and for each thing that it is of: set again, it is moved. */
export class NamedTimers<T extends Timer> {
  readonly #timers: Timers
  readonly #cancels = new Map<string, Map<Timer['of'], () => void>>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  set(timer: T, afterMs: number, run: () => void): void {
    let cancels = this.#cancels.get(timer.name)
    if (cancels === undefined) {
      cancels = new Map()
      this.#cancels.set(timer.name, cancels)
    }
    const { of } = timer
    const those = cancels
    those.get(of)?.()
    const cancel = this.#timers.after(afterMs, () => {
      those.delete(of)
      run()
    })
    those.set(of, cancel)
  }

  clear(): void {
    for (const cancels of this.#cancels.values()) for (const cancel of cancels.values()) cancel()
    this.#cancels.clear()
  }
}

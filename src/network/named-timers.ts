import type { Timers } from '../events/index.ts'

/** One timer a name: set again, it is moved. */
export class NamedTimers {
  readonly #timers: Timers
  readonly #cancels = new Map<string, () => void>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  set(name: string, afterMs: number, run: () => void): void {
    this.#cancels.get(name)?.()
    const cancel = this.#timers.after(afterMs, () => {
      this.#cancels.delete(name)
      run()
    })
    this.#cancels.set(name, cancel)
  }

  clear(): void {
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }
}

import type { NodeId } from '../../events/index.ts'

/** Interval before a word that the log did not take is said again, ms; twice as long after each time that fails as well. */
export const SAY_AGAIN_FIRST_MS = 1_000
export const SAY_AGAIN_MAX_MS = 60_000

/**
 * Members about whom our word was not stored because the log could not be written. All are tried again together: a full
 * disk fails them all. Holds members of the table and ourselves only, so it is as bounded as that is.
 */
export class UnstoredWords {
  readonly #subjects = new Set<NodeId>()
  #waitMs = SAY_AGAIN_FIRST_MS
  #isSet = false

  /** @returns in how many ms to try again; undefined if that is set already */
  failed(subject: NodeId): number | undefined {
    this.#subjects.add(subject)
    if (this.#isSet) return undefined
    this.#isSet = true
    const waitMs = this.#waitMs
    this.#waitMs = Math.min(SAY_AGAIN_MAX_MS, waitMs * 2)
    return waitMs
  }

  /** The time is up. @returns those to speak of */
  take(): NodeId[] {
    this.#isSet = false
    const subjects = [...this.#subjects]
    this.#subjects.clear()
    return subjects
  }

  /** The log took an event. @returns true if words wait, which need not wait any longer */
  worked(): boolean {
    this.#waitMs = SAY_AGAIN_FIRST_MS
    return this.#subjects.size > 0
  }
}

import type { EventOf, PeerId } from '../../events/index.ts'

export type Verdict = EventOf<'piece.judged'>

/** Verdicts that wait for a log that can be written, at most; each is some hundred bytes, a long one some tens of kilobytes. */
export const KEPT_VERDICTS_MAX = 1_000

/**
 * Verdicts that the log did not take, oldest first. Beyond the maximum those go first that say good things only, then those
 * about the peer that most of them are about: somebody who comes with many bad pieces does not push the others out.
 */
export class KeptVerdicts {
  #verdicts: Verdict[] = []

  get count(): number {
    return this.#verdicts.length
  }

  /** @returns the one that had to go, if one had to */
  keep(verdict: Verdict): Verdict | undefined {
    this.#verdicts.push(verdict)
    if (this.#verdicts.length <= KEPT_VERDICTS_MAX) return undefined
    const harmless = this.#verdicts.findIndex(({ bad }) => bad.length === 0)
    const [gone] = this.#verdicts.splice(harmless >= 0 ? harmless : this.#placeOfMostBlamed(), 1)
    return gone
  }

  /** Takes all of them out. */
  takeAll(): Verdict[] {
    const all = this.#verdicts
    this.#verdicts = []
    return all
  }

  /** The last verdict about the peer that has most of them. */
  #placeOfMostBlamed(): number {
    const counts = new Map<PeerId, number>()
    for (const { subject } of this.#verdicts) counts.set(subject, (counts.get(subject) ?? 0) + 1)
    const most = Math.max(...counts.values())
    return this.#verdicts.findLastIndex(({ subject }) => counts.get(subject) === most)
  }
}

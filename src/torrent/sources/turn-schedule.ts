import { BoundedMap } from '../../events/index.ts'
import { Allowance } from './allowance.ts'

// When the torrents that share a way to announce themselves take their turns. Pure: whoever asks says what time it is.

/** Torrents that are gone and whose last turn is remembered, so that who comes and goes takes no more turns. */
const REMEMBERED_MAX = 4_096

export type ScheduleOptions = {
  /** The same torrent not more often, ms. */
  intervalMs: number
  /** Turns that may be taken at once when none was for long, and how many there are for long. */
  turnsMax: number
  turnsPerMinute: number
  /** Torrents in one turn. */
  perTurnMax: number
}

/** Who waits for longest goes first: where there are too many, each one's turn comes later, and there are never more turns. */
export class TurnSchedule<T> {
  readonly #options: ScheduleOptions
  readonly #turns: Allowance
  /** When each may go; who takes a turn goes to the end. */
  readonly #notBefore = new Map<T, number>()
  readonly #left = new BoundedMap<T, number>(REMEMBERED_MAX)

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.#turns = new Allowance(options.turnsMax, options.turnsPerMinute / 60)
  }

  add(torrent: T): void {
    if (!this.#notBefore.has(torrent)) this.#notBefore.set(torrent, this.#left.get(torrent) ?? Number.NEGATIVE_INFINITY)
  }

  remove(torrent: T): void {
    const notBefore = this.#notBefore.get(torrent)
    if (notBefore !== undefined) this.#left.set(torrent, notBefore)
    this.#notBefore.delete(torrent)
  }

  /** Its turn came to nothing: it goes again before its interval is over, within the same turns. @param notBefore ms */
  again(torrent: T, notBefore: number): void {
    if (this.#notBefore.has(torrent)) this.#notBefore.set(torrent, notBefore)
  }

  /** Those whose turn it is; empty if nobody's. @param now ms, by a clock that never goes back */
  take(now: number): T[] {
    const { intervalMs, perTurnMax } = this.#options
    if (!this.#turns.isLeft(now)) return []
    const due: T[] = []
    for (const [torrent, notBefore] of this.#notBefore) {
      if (due.length === perTurnMax) break
      if (notBefore <= now) due.push(torrent)
    }
    if (due.length > 0) this.#turns.take(now)
    for (const torrent of due) {
      this.#notBefore.delete(torrent)
      this.#notBefore.set(torrent, now + intervalMs)
    }
    return due
  }
}

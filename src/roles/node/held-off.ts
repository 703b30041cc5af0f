import { BoundedMap, type Clock, type NodeId } from '../../events/index.ts'
import type { HeldOffRow } from '../services.ts'

/** Peers remembered; the one that was held off longest ago gives way. */
export const PEERS_MAX = 256
/** Shown in a status. */
export const SHOWN_MAX = 20

/** Who is not let in, was put out or is no longer taken from, why, and how often: what an operator sees of an attack. */
export class HeldOff {
  readonly #clock: Clock
  readonly #rows = new BoundedMap<NodeId, HeldOffRow>(PEERS_MAX)
  readonly #totals = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param why one of few codes */
  note(peer: NodeId, why: string): void {
    const times = (this.#rows.get(peer)?.times ?? 0) + 1
    this.#rows.set(peer, { peer, why, times, lastAt: this.#clock.now() })
    this.#totals.set(why, (this.#totals.get(why) ?? 0) + 1)
  }

  /** How often anybody was held off, by reason, since the start. */
  get totals(): ReadonlyMap<string, number> {
    return this.#totals
  }

  /** The latest first. */
  rows(): HeldOffRow[] {
    return [...this.#rows.values()].reverse().slice(0, SHOWN_MAX)
  }
}

import type { Clock, NodeId } from '../../events/index.ts'
import type { HeldOffRow } from '../services.ts'

/** Peers remembered; the one that was held off longest ago gives way. */
export const PEERS_MAX = 256
/** Shown in a status. */
export const SHOWN_MAX = 20

/** Who is not let in or was put out, why, and how often: what an operator sees of an attack. */
export class HeldOff {
  readonly #clock: Clock
  readonly #rows = new Map<NodeId, HeldOffRow>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(peer: NodeId, why: string): void {
    const times = (this.#rows.get(peer)?.times ?? 0) + 1
    this.#rows.delete(peer)
    this.#rows.set(peer, { peer, why, times, lastAt: this.#clock.now() })
    if (this.#rows.size <= PEERS_MAX) return
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest)
      return
    }
  }

  /** The latest first. */
  rows(): HeldOffRow[] {
    return [...this.#rows.values()].reverse().slice(0, SHOWN_MAX)
  }
}

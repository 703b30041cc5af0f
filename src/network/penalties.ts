import { BoundedMap, type Clock, type NodeId, type Timers } from '../events/index.ts'

/** Peers remembered; what one free key can add each, the oldest gives way. */
export const PENALTIES_MAX = 1_024

type PenaltiesOptions = {
  clock: Clock
  timers: Timers
  /** How long each lasts. */
  forMs: number
  /** The library is to dial this peer again. */
  onDialAgain(peer: NodeId): void
}

/** Peers that are refused for a while, and those of them that are not dialled meanwhile. */
export class Penalties {
  readonly #options: PenaltiesOptions
  /** Until when. */
  readonly #refused = new BoundedMap<NodeId, number>(PENALTIES_MAX)
  /** What cancels the timer. */
  readonly #leftAlone = new BoundedMap<NodeId, () => void>(PENALTIES_MAX)

  constructor(options: PenaltiesOptions) {
    this.#options = options
  }

  isRefused(peer: NodeId): boolean {
    const until = this.#refused.get(peer)
    if (until === undefined) return false
    if (this.#options.clock.now() < until) return true
    this.#refused.delete(peer)
    return false
  }

  /** Refuses it from now on for as long as a penalty lasts. */
  refuse(peer: NodeId): void {
    this.#refused.set(peer, this.#options.clock.now() + this.#options.forMs)
  }

  /** Refuses it, and tells when it may be dialled again. */
  leaveAlone(peer: NodeId): void {
    const { timers, forMs, onDialAgain } = this.#options
    this.refuse(peer)
    this.#leftAlone.get(peer)?.()
    const cancel = timers.after(forMs, () => {
      this.#leftAlone.delete(peer)
      onDialAgain(peer)
    })
    const gaveWay = this.#leftAlone.set(peer, cancel)
    if (gaveWay === undefined) return
    const [oldest, cancelOldest] = gaveWay
    cancelOldest()
    onDialAgain(oldest)
  }

  /** Cancels all timers. */
  stop(): void {
    for (const cancel of this.#leftAlone.values()) cancel()
    this.#leftAlone.clear()
  }
}

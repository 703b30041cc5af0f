import type { NodeId } from '../../events/index.ts'

/** An owner that sent what nobody has signed is asked after all others for so long, ms. */
const HELD_OFF_MS = 10 * 60_000
/** One that was silent while others answered is asked after these for so long: longer than a death takes to be known, ms. */
export const SLOW_MS = 15_000
/** So many at most; the one that lied longest ago is forgotten first. */
const OWNERS_MAX = 256

/** Owners that are asked last, so that a search still works where nobody else is left: those that sent forged answers, or were silent. */
export class HeldOffOwners {
  readonly #until = new Map<NodeId, number>()
  readonly #now: () => number
  readonly #heldOffMs: number

  /** @param now ms, of a clock that only rises */
  constructor(now: () => number, heldOffMs = HELD_OFF_MS) {
    this.#now = now
    this.#heldOffMs = heldOffMs
  }

  holdOff(owner: NodeId): void {
    this.#until.delete(owner)
    this.#until.set(owner, this.#now() + this.#heldOffMs)
    const [oldest] = this.#until.keys()
    if (this.#until.size > OWNERS_MAX && oldest !== undefined) this.#until.delete(oldest)
  }

  isHeldOff(owner: NodeId): boolean {
    return (this.#until.get(owner) ?? Number.NEGATIVE_INFINITY) > this.#now()
  }

  /** The same owners, those that lied behind the others. */
  last(owners: readonly NodeId[]): NodeId[] {
    return [...owners.filter((owner) => !this.isHeldOff(owner)), ...owners.filter((owner) => this.isHeldOff(owner))]
  }
}

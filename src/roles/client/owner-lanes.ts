import type { NodeId } from '../../events/index.ts'

export type OwnerLanesOptions<T> = {
  /** Requests under way to one owner, at most. */
  perOwnerMax: number
  /** Requests under way in all, at most. */
  totalMax: number
  /** Items given to one `send`, at most. */
  itemsMax: number
  /**
   * Sends items from the front to an owner; must not reject.
   * @returns how many it dealt with, at least 1; the rest are next in line
   */
  send(owner: NodeId, items: readonly T[]): Promise<number>
}

type Lane<T> = { waiting: T[]; underWay: number }

/**
 * Items that wait for owners, one queue for each. Owners take turns and the number of requests is bounded, so an owner
 * that is slow or dead holds up nothing that goes to another.
 */
export class OwnerLanes<T> {
  readonly #options: OwnerLanesOptions<T>
  /** In the order of their turns; only owners with something waiting or under way. */
  readonly #lanes = new Map<NodeId, Lane<T>>()
  readonly #sending = new Set<Promise<void>>()
  #isDispatchDue = false

  constructor(options: OwnerLanesOptions<T>) {
    this.#options = options
  }

  /** What is pushed in one turn goes in as few requests as it fits. */
  push(owner: NodeId, item: T): void {
    const lane = this.#lanes.get(owner)
    if (lane === undefined) this.#lanes.set(owner, { waiting: [item], underWay: 0 })
    else lane.waiting.push(item)
    this.#dispatchSoon()
  }

  /** Takes out all that waits for an owner; what is under way stays. */
  take(owner: NodeId): T[] {
    const lane = this.#lanes.get(owner)
    if (lane === undefined) return []
    const { waiting } = lane
    lane.waiting = []
    if (lane.underWay === 0) this.#lanes.delete(owner)
    return waiting
  }

  /** Takes out all that waits for anybody. */
  takeAll(): T[] {
    return [...this.#lanes.keys()].flatMap((owner) => this.take(owner))
  }

  /** Resolves when nothing waits and nothing is under way. */
  async settled(): Promise<void> {
    while (this.#sending.size > 0 || this.#isDispatchDue) await Promise.all(this.#sending)
  }

  #dispatchSoon(): void {
    if (this.#isDispatchDue) return
    this.#isDispatchDue = true
    void Promise.resolve().then(() => {
      this.#isDispatchDue = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    const { perOwnerMax, totalMax, itemsMax } = this.#options
    for (const [owner, lane] of [...this.#lanes]) {
      if (this.#sending.size >= totalMax) return
      if (lane.waiting.length === 0 || lane.underWay >= perOwnerMax) continue
      // To the end of the line: its next turn comes after everybody else's.
      this.#lanes.delete(owner)
      this.#lanes.set(owner, lane)
      const sending = this.#send(owner, lane, lane.waiting.splice(0, itemsMax)).finally(() => {
        this.#sending.delete(sending)
        this.#dispatchSoon()
      })
      this.#sending.add(sending)
    }
  }

  async #send(owner: NodeId, lane: Lane<T>, items: readonly T[]): Promise<void> {
    lane.underWay += 1
    const count = await this.#options.send(owner, items)
    lane.underWay -= 1
    lane.waiting.unshift(...items.slice(count))
    if (lane.underWay === 0 && lane.waiting.length === 0) this.#lanes.delete(owner)
  }
}

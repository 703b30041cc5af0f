import type { NodeId } from '../../events/index.ts'
import type { Member, MemberTable } from './member-table.ts'

const URGENT_MAX = 64

/**
 * Whom to probe next: every member once a round, in an order that is shuffled for each round, so that a death is found
 * after at most two rounds (SWIM, section 4.3). Hints go first.
 */
export class ProbeList {
  readonly #random: () => number
  #round: NodeId[] = []
  readonly #urgent = new Set<NodeId>()
  readonly #again = new Set<NodeId>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Puts a member before all others and all hints: it is looked at a second time while the link to it still stands. */
  again(id: NodeId): void {
    if (this.#again.size < URGENT_MAX) this.#again.add(id)
  }

  /** Puts a member before all others. */
  next(id: NodeId): void {
    if (this.#urgent.size < URGENT_MAX) this.#urgent.add(id)
  }

  take(table: MemberTable): Member | undefined {
    for (const first of [this.#again, this.#urgent]) {
      for (const id of first) {
        first.delete(id)
        const member = table.get(id)
        if (member !== undefined && isProbed(member)) return member
      }
    }
    // All that are left of a round may have died since it began: then the next one begins.
    return this.#nextOfRound(table) ?? this.#beginRound(table)
  }

  /** Members that are probed, ourselves not among them. */
  size(table: MemberTable): number {
    return table.count('alive', 'suspect')
  }

  oneDead(table: MemberTable): Member | undefined {
    const count = table.count('dead')
    if (count === 0) return undefined
    let skip = Math.floor(this.#random() * count)
    for (const member of table.all()) if (member.state === 'dead' && skip-- === 0) return member
    return undefined
  }

  /** Random members to try `target` for us, those with a link first. */
  helpers(table: MemberTable, target: NodeId, count: number, isLinked: (id: NodeId) => boolean): Member[] {
    const [linked, others] = [new Sample(count, this.#random), new Sample(count, this.#random)]
    for (const member of table.all()) {
      if (member.state === 'alive' && member.id !== target) (isLinked(member.id) ? linked : others).offer(member)
    }
    return [...linked.chosen, ...others.chosen].slice(0, count)
  }

  #beginRound(table: MemberTable): Member | undefined {
    this.#round = this.#shuffled([...table.all()].filter(isProbed).map(({ id }) => id))
    return this.#nextOfRound(table)
  }

  #nextOfRound(table: MemberTable): Member | undefined {
    for (let id = this.#round.pop(); id !== undefined; id = this.#round.pop()) {
      const member = table.get(id)
      if (member !== undefined && isProbed(member)) return member
    }
    return undefined
  }

  /** Fisher and Yates. */
  #shuffled<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = Math.floor(this.#random() * (last + 1))
      const kept = items[last] as T
      items[last] = items[other] as T
      items[other] = kept
    }
    return items
  }
}

const isProbed = ({ state }: Member): boolean => state === 'alive' || state === 'suspect'

/** So many of all that are offered, each with the same chance (algorithm R, Vitter 1985): a table is not copied for three. */
class Sample {
  readonly chosen: Member[] = []
  readonly #count: number
  readonly #random: () => number
  #offered = 0

  constructor(count: number, random: () => number) {
    this.#count = count
    this.#random = random
  }

  offer(member: Member): void {
    this.#offered++
    if (this.chosen.length < this.#count) {
      this.chosen.push(member)
      return
    }
    const place = Math.floor(this.#random() * this.#offered)
    if (place < this.#count) this.chosen[place] = member
  }
}

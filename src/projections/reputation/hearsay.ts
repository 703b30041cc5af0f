import { BoundedMap, type NodeId } from '../../events/index.ts'
import type { Ledger, Subject } from './ledger.ts'
import { OldestFirst } from './oldest-first.ts'

// What is remembered of peers that only others have judged, and of others' word at all. A key costs nothing, and a verdict
// names whomever its author likes: so the word of reporters without weight here goes first, the oldest before the rest. Each node
// forgets by its own order of events; a replay of the same log forgets the same.

/** `weighed`: somebody with weight here spoke of it. */
export type HearsayClass = 'heard' | 'weighed'

export type HearsayBounds = {
  /** Peers that this node never met, judged by reporters without weight here alone; about 650 bytes of memory each. */
  readonly heard: number
  /** The same, by a reporter with weight. */
  readonly weighed: number
  /** Reports about one peer. */
  readonly reports: number
  /** Reporters that never agreed with this node before it knew, and those that did. */
  readonly strange: number
  readonly proven: number
}
export const HEARSAY_BOUNDS: HearsayBounds = {
  ...{ heard: 20_000, weighed: 20_000, reports: 256 },
  ...{ strange: 10_000, proven: 10_000 },
}

/** Entries of two classes, each in the order in which they were touched last. */
class TwoClasses<K> {
  readonly #plain: BoundedMap<K, true>
  readonly #valued: BoundedMap<K, true>

  constructor(plainMax: number, valuedMax: number) {
    this.#plain = new BoundedMap(plainMax)
    this.#valued = new BoundedMap(valuedMax)
  }

  /** @returns what gives way */
  touch(key: K, isValued: boolean): K | undefined {
    const [into, from] = isValued ? [this.#valued, this.#plain] : [this.#plain, this.#valued]
    from.delete(key)
    return into.set(key, true)?.[0]
  }
}

/** In which order subjects and reporters are forgotten; follows from the ledger's rows. */
export class Forgetting {
  readonly #bounds: HearsayBounds
  readonly #heaps: { readonly [C in HearsayClass]: OldestFirst }
  readonly #sizes = { heard: 0, weighed: 0 }
  readonly #reporters: TwoClasses<NodeId>

  constructor(bounds: HearsayBounds) {
    this.#bounds = bounds
    const heap = (name: HearsayClass) => new OldestFirst(bounds[name], ({ heldAs }) => heldAs === name)
    this.#heaps = { heard: heap('heard'), weighed: heap('weighed') }
    this.#reporters = new TwoClasses(bounds.strange, bounds.proven)
  }

  /** Others spoke of a peer that this node never met. @returns the subject that is to be forgotten */
  heard(subject: Subject, seq: number): Subject | undefined {
    subject.heardAt = seq
    const name = subject.isWeighed ? 'weighed' : 'heard'
    if (subject.heldAs === name) return undefined
    this.met(subject)
    subject.heldAs = name
    this.#heaps[name].push(subject)
    this.#sizes[name] += 1
    if (this.#sizes[name] <= this.#bounds[name]) return undefined
    const gone = this.#heaps[name].take()
    if (gone !== undefined) this.met(gone)
    return gone
  }

  /** This node has met it: it stays. */
  met(subject: Subject): void {
    if (subject.heldAs === undefined) return
    this.#sizes[subject.heldAs] -= 1
    subject.heldAs = undefined
  }

  /** @returns the reporter that is to be forgotten */
  measured(ledger: Ledger, reporter: NodeId): NodeId | undefined {
    return this.#reporters.touch(reporter, (ledger.reporters.get(reporter)?.agree ?? 0) > 0)
  }

  /**
   * Which report gives way to one more: the oldest of a reporter without weight, or of all where the new one has weight.
   * @returns undefined where there is room; `none` where the new one is not taken
   */
  givesWay({ reports }: Subject, isWeighed: boolean): NodeId | 'none' | undefined {
    if (reports.size < this.#bounds.reports) return undefined
    let plain: { reporter: NodeId; seq: number } | undefined
    let oldest: { reporter: NodeId; seq: number } | undefined
    for (const [reporter, { seq, weighed }] of reports) {
      if (!weighed && seq < (plain?.seq ?? Number.POSITIVE_INFINITY)) plain = { reporter, seq }
      if (seq < (oldest?.seq ?? Number.POSITIVE_INFINITY)) oldest = { reporter, seq }
    }
    return plain?.reporter ?? (isWeighed ? oldest?.reporter : 'none')
  }

  /** The order of a ledger that was loaded. */
  restore(ledger: Ledger, isMet: (subject: Subject) => boolean): void {
    const heardAt = (subject: Subject): number => Math.max(0, ...Array.from(subject.reports.values(), ({ seq }) => seq))
    const heard = [...ledger.subjects.values()].filter((subject) => !isMet(subject))
    for (const subject of heard) this.heard(subject, heardAt(subject))
    const reporters = [...ledger.reporters].sort(
      ([a, { changedAt: first }], [b, { changedAt: second }]) => first - second || (a < b ? -1 : 1),
    )
    for (const [reporter] of reporters) this.measured(ledger, reporter)
  }
}

import type { NodeId } from '../../events/index.ts'
import type { Answers } from './answers.ts'
import type { Member, MemberTable } from './member-table.ts'

/** What a member said itself, on its link or as an answer, is stronger than what others say of it for so long, ms. */
export const SEEN_MS = 10_000
/** An accusation by others is not believed before it has stood for so long, ms: a refutation goes round in less. */
export const BELIEVED_AFTER_MS = 2_000

export type OwnEyesOptions = {
  table: MemberTable
  answers: Answers
  /** When the peer last said something on its link, ms; undefined without a link. */
  heardAt: (peer: NodeId) => number | undefined
}

/**
 * One's own eyes first: what this node has heard from a member itself counts more, here, than any number of accusations,
 * until its own probes of that member fail. Accusations decide where there is no news of one's own.
 */
export class OwnEyes {
  readonly #options: OwnEyesOptions
  /** Since when members of the table are suspected or dead by the word of others; and when our own probes failed. */
  readonly #accusedAt = new Map<NodeId, number>()
  readonly #missedAt = new Map<NodeId, number>()
  /** Members of the table whose death is not believed here. */
  readonly #denied = new Set<NodeId>()

  constructor(options: OwnEyesOptions) {
    this.#options = options
  }

  /** The table says something new of this member. @param isOurs by a word of our own, which needs no time to be refuted */
  changed({ id, state }: Member, isOurs: boolean, now: number): void {
    if (state !== 'suspect' && state !== 'dead') {
      this.#accusedAt.delete(id)
      this.#denied.delete(id)
    } else if (isOurs) this.#accusedAt.set(id, Number.NEGATIVE_INFINITY)
    else if (!this.#accusedAt.has(id)) this.#accusedAt.set(id, now)
  }

  /** Our own probe of it failed. */
  missed(id: NodeId, now: number): void {
    if (this.#options.table.get(id) !== undefined) this.#missedAt.set(id, now)
  }

  /** The member as it is believed to be here. */
  view<M extends Member>(member: M, now: number): M {
    const { id, state } = member
    if (state !== 'suspect' && state !== 'dead') return member
    const isFresh = now - (this.#accusedAt.get(id) ?? Number.NEGATIVE_INFINITY) < BELIEVED_AFTER_MS
    return isFresh || this.sees(id, now) ? { ...member, state: 'alive' } : member
  }

  /** True if it said something itself of late, and our own probes have not failed since. */
  sees(id: NodeId, now: number): boolean {
    const { answers, heardAt } = this.#options
    const at = Math.max(answers.at(id), heardAt(id) ?? Number.NEGATIVE_INFINITY)
    return now - at < SEEN_MS && at > (this.#missedAt.get(id) ?? Number.NEGATIVE_INFINITY)
  }

  /** @returns true if its death is believed; if not, it is among `believed` once it is */
  isGone(member: Member, now: number): boolean {
    if (this.view(member, now).state !== 'alive') return true
    this.#denied.add(member.id)
    return false
  }

  /** Members whose death was not believed, and is now. */
  believed(now: number): Member[] {
    const gone: Member[] = []
    for (const id of this.#denied) {
      const member = this.#options.table.get(id)
      if (member?.state === 'dead' && this.view(member, now).state === 'alive') continue
      this.#denied.delete(id)
      if (member?.state === 'dead') gone.push(member)
    }
    return gone
  }

  /** The table has forgotten members: so are they here. */
  forgetUnknown(): void {
    for (const map of [this.#accusedAt, this.#missedAt, this.#denied])
      for (const id of map.keys()) if (this.#options.table.get(id) === undefined) map.delete(id)
  }
}

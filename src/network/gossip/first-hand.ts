import type { ContentRules, NodeId } from '../../events/index.ts'
import { AuthorRates } from './author-rates.ts'

/** Events a second that are looked at of one invitation's clients by their own mouths, and how many at once. */
export const FIRST_HAND_PER_SECOND = 400
export const FIRST_HAND_BURST = 2_000
/** Fewer than this are not asked for: a fetch for each handful would go round without end. */
export const FIRST_HAND_FETCH_MIN = 200
export const PARTIES_MAX = 1_024

/**
 * How fast clients may talk to this node about themselves, all of one invitation together, whether they push or are asked.
 * What is over it is dropped before its signature is checked, which costs a hundred times what all else does: the link has
 * proven who talks. Others may take it meanwhile, and anti-entropy brings it later.
 */
export class FirstHand {
  readonly #rules: Pick<ContentRules, 'clientPartyOf'>
  readonly #rates = new AuthorRates<string>(FIRST_HAND_PER_SECOND, FIRST_HAND_BURST, PARTIES_MAX)

  constructor(rules: Pick<ContentRules, 'clientPartyOf'>) {
    this.#rules = rules
  }

  /** @returns false if this event of `author` is not looked at now */
  takes(from: NodeId, author: NodeId, now: number): boolean {
    const party = this.#partyOf(from, author)
    return party === undefined || this.#rates.take(party, now)
  }

  /** How many events of `author` this peer may be asked for. */
  room(from: NodeId, author: NodeId, now: number): number {
    const party = this.#partyOf(from, author)
    if (party === undefined) return Number.POSITIVE_INFINITY
    const left = Math.floor(this.#rates.left(party, now))
    return left < FIRST_HAND_FETCH_MIN ? 0 : left
  }

  /** Undefined for what is not first-hand. */
  #partyOf(from: NodeId, author: NodeId): string | undefined {
    const party = this.#rules.clientPartyOf?.(author)
    if (party === undefined || from === author) return party
    return party === this.#rules.clientPartyOf?.(from) ? party : undefined
  }
}

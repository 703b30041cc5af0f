import type { ContentRules, NodeId, Party, Standing } from '../../events/index.ts'
import { AuthorRates } from './author-rates.ts'

/** Events a second that are looked at of one party by its own mouth, and how many at once. */
export const FIRST_HAND: { readonly [S in Standing]: { readonly perSecond: number; readonly burst: number } } = {
  client: { perSecond: 400, burst: 2_000 },
  // What a member has ever said fits its budget of 50,000 events at first: a peer that has nobody else catches up in a minute.
  member: { perSecond: 1_000, burst: 4_096 },
}
/** Fewer than this are not asked for: a fetch for each handful would go round without end. */
export const FIRST_HAND_FETCH_MIN = 200
export const PARTIES_MAX = 1_024

/**
 * How fast nodes may talk to this one about themselves, all of one invitation together, whether they push or are asked.
 * What is over it is dropped before its signature is checked, which costs a hundred times what all else does: the link has
 * proven who talks. Others may take it meanwhile, and anti-entropy brings it later.
 */
export class FirstHand {
  readonly #rules: Pick<ContentRules, 'partyOf'>
  readonly #rates = { client: ratesOf('client'), member: ratesOf('member') }

  constructor(rules: Pick<ContentRules, 'partyOf'>) {
    this.#rules = rules
  }

  /** @returns false if this event of `author` is not looked at now */
  takes(from: NodeId, author: NodeId, now: number): boolean {
    const party = this.#partyOf(from, author)
    return party === undefined || this.#rates[party.standing].take(party.key, now)
  }

  /** How many events of `author` this peer may be asked for. */
  room(from: NodeId, author: NodeId, now: number): number {
    const party = this.#partyOf(from, author)
    if (party === undefined) return Number.POSITIVE_INFINITY
    const left = Math.floor(this.#rates[party.standing].left(party.key, now))
    return left < FIRST_HAND_FETCH_MIN ? 0 : left
  }

  /** Undefined for what is not first-hand. */
  #partyOf(from: NodeId, author: NodeId): Party | undefined {
    const party = this.#rules.partyOf?.(author)
    if (party === undefined || from === author) return party
    return party.key === this.#rules.partyOf?.(from)?.key ? party : undefined
  }
}

const ratesOf = (standing: Standing): AuthorRates<string> =>
  new AuthorRates(FIRST_HAND[standing].perSecond, FIRST_HAND[standing].burst, PARTIES_MAX)

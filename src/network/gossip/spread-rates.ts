import type { ContentRules, Header, NodeId } from '../../events/index.ts'
import { AuthorRates } from './author-rates.ts'
import { PARTIES_MAX } from './first-hand.ts'
import { goesFirst } from './precedence.ts'

/** Events a second of one author over the broadcast, and how many at once: a busy downloader judges tens a second. */
export const AUTHOR_EVENTS_PER_SECOND = 200
export const AUTHOR_EVENTS_BURST = 2_000
export const AUTHORS_MAX = 8_192
/** Of all clients of one invitation together: keys are free to whoever has its string. */
export const PARTY_EVENTS_PER_SECOND = 400
export const PARTY_EVENTS_BURST = 4_000

type Rates = { readonly author: AuthorRates<NodeId>; readonly party: AuthorRates<string> }

/** How fast events of others are pushed on. Verdicts have a rate of their own: whoever chatters can still warn. */
export class SpreadRates {
  readonly #rules: Pick<ContentRules, 'partyOf'>
  readonly #first = newRates()
  readonly #rest = newRates()

  constructor(rules: Pick<ContentRules, 'partyOf'>) {
    this.#rules = rules
  }

  /** @returns false for an event that is kept and not pushed on: anti-entropy takes it to the others */
  take(header: Pick<Header, 'author' | 'kind'>, now: number): boolean {
    const { author: authors, party: parties } = goesFirst(header) ? this.#first : this.#rest
    if (!authors.take(header.author, now)) return false
    const party = this.#rules.partyOf?.(header.author)
    return party?.standing !== 'client' || parties.take(party.key, now)
  }
}

const newRates = (): Rates => ({
  author: new AuthorRates(AUTHOR_EVENTS_PER_SECOND, AUTHOR_EVENTS_BURST, AUTHORS_MAX),
  party: new AuthorRates(PARTY_EVENTS_PER_SECOND, PARTY_EVENTS_BURST, PARTIES_MAX),
})

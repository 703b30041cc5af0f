import type { NodeId } from '../../events/index.ts'
import { forgetRenewal } from './fold-renewals.ts'
import { countOffer, type KeywordIndexState, listingOf, relist } from './index-state.ts'

// Taking authors out of the index. What each of them says of a torrent is an offer of its own, so that without it the rest is
// what a replay without their events comes to.

/** Takes all offers of these authors out, a torrent at a time; others are found in between as ever. */
export function* forgetOffers(state: KeywordIndexState, authors: ReadonlySet<NodeId>): Generator<void> {
  const { documents } = state
  for (const author of authors) {
    const number = state.authors.numberOf(author)
    if (number === undefined) continue
    for (const ordinal of state.authors.torrentsOf(number)) {
      const document = documents.at(ordinal)
      const at = document?.offers.findIndex((offer) => offer.author === author) ?? -1
      if (document === undefined || at < 0) continue
      const listed = document.serial === 0 ? undefined : listingOf(state, document)
      const [offer] = document.offers.splice(at, 1)
      if (offer !== undefined) countOffer(state, document, offer, !state.uncounted.has(author), -1)
      relist(state, document, listed)
      yield
    }
    state.authors.forget(number)
    forgetRenewal(state, author)
    state.uncounted.delete(author)
    state.parties.delete(author)
  }
}

/** Authors of whom the index holds anything: offers, or a renewal alone. */
export function* speakers({ authors, renewals }: KeywordIndexState): Generator<NodeId> {
  for (const [number, author] of authors.ids.entries())
    if (authors.countOf(number) > 0 || renewals.get(author) !== undefined) yield author
}

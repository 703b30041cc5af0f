import { type InfoHash, isInfoHash } from '../../events/index.ts'
import { canonicalJson, type Json } from '../canonical-json.ts'
import type { Projection } from '../projection.ts'
import { type Claim, type Description, type Offer, partitionsOfOffer } from './documents.ts'
import { forgetOffers } from './forgetting.ts'
import { documentOf, enterPartitions, foldTorrent, type KeywordIndexState, list, newIndex } from './index-state.ts'
import { TOKENIZER_VERSION } from './text/index.ts'

/** Rises with the rows or the fold; the tokenizer counts its own. */
const FOLD_VERSION = 2

type OfferRow = Pick<Offer, 'author' | 'placed' | 'since'> & { description: Description | null; claim: Claim }

function rowOf(state: KeywordIndexState, key: string): string | null {
  const document = state.documents.get(key as InfoHash)
  if (document === undefined) return null
  const offers = document.offers.map(({ author, claim, description = null, placed, since }) => ({
    author,
    claim,
    description,
    placed,
    since,
  }))
  return canonicalJson(offers as unknown as Json)
}

/**
 * Torrents by the words of their titles. Takes events of the index stream alone: those are what owners of a partition
 * exchange. All but the places in this log (`seq`) is the same for every order of arrival.
 */
export const keywordIndexProjection = (): Projection<KeywordIndexState> => ({
  name: 'keyword-index',
  version: FOLD_VERSION * 1000 + TOKENIZER_VERSION,
  handles: ['torrent.published', 'torrent.withdrawn', 'torrent.verified'],
  initial: newIndex,
  apply(state, envelope) {
    const { event } = envelope
    if (envelope.stream !== 'index') return state
    if (event.kind === 'torrent.published' || event.kind === 'torrent.withdrawn' || event.kind === 'torrent.verified') {
      foldTorrent(state, envelope, event)
    }
    return state
  },
  changes: (state) => state.dirty.drain((key) => rowOf(state, key)),
  *rows(state) {
    for (const key of [...state.documents.keys()].sort()) {
      const row = rowOf(state, key)
      if (row !== null) yield [key, row]
    }
  },
  load(rows) {
    const state = newIndex()
    for (const [key, value] of rows) {
      if (!isInfoHash(key)) throw new RangeError(`a row of the keyword index is for no info hash: ${key}`)
      const document = documentOf(state, key)
      for (const { author, description, claim, placed, since } of JSON.parse(value) as OfferRow[]) {
        const offer: Offer = { author, description: description ?? undefined, claim, placed, since }
        document.offers.push(offer)
        enterPartitions(state, document, offer, partitionsOfOffer(offer))
      }
      list(state, document)
    }
    return state
  },
  forget: forgetOffers,
})

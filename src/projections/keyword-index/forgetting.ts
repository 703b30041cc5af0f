import type { NodeId } from '../../events/index.ts'
import { isPlaced, partitionsOfOffer, type TorrentDocument } from './documents.ts'
import { type KeywordIndexState, list, sweep } from './index-state.ts'

// Taking authors out of the index in memory. What each of them says of a torrent is an offer of its own, so that without it
// the rest is what a replay without their events comes to.

/** Stands where a document was: ordinals are places in a list, and others keep theirs. */
const NO_DOCUMENT: TorrentDocument = Object.freeze({
  ...{ ordinal: -1, infoHash: '' as TorrentDocument['infoHash'], offers: [], description: undefined },
  ...{ seeders: 0, backers: 0, party: '', verified: false, words: [] },
})

/** Takes all offers of these authors out, a document or a list at a time; others are found in between as ever. */
export function* forgetOffers(state: KeywordIndexState, authors: ReadonlySet<NodeId>): Generator<void> {
  const partitions = new Set<number>()
  // What comes in between is of others, and looked at for nothing.
  for (const document of state.byOrdinal) {
    if (document.offers.some(({ author }) => authors.has(author))) forgetIn(state, document, authors, partitions)
    yield
  }
  for (const partition of partitions) {
    const left = state.partitions[partition]?.filter((ordinal) =>
      state.byOrdinal[ordinal]?.offers.some((offer) => isPlaced(offer, partition)),
    )
    state.partitions[partition] = left?.length === 0 ? undefined : left
    yield
  }
  // Of those who were revoked no word is listed, but places in the lists were left behind.
  for (const entry of state.words.values()) {
    if (entry.ordinals.length > entry.documentCount) sweep(state, entry)
    yield
  }
  for (const author of authors) state.parties.delete(author)
  let lamportMax = 0
  for (const { description } of state.byOrdinal) lamportMax = Math.max(lamportMax, description?.by.lamport ?? 0)
  state.lamportMax = lamportMax
}

function forgetIn(
  state: KeywordIndexState,
  document: TorrentDocument,
  authors: ReadonlySet<NodeId>,
  partitions: Set<number>,
): void {
  const { offers, infoHash, ordinal } = document
  for (const offer of offers) {
    if (!authors.has(offer.author)) continue
    for (const partition of partitionsOfOffer(offer)) {
      partitions.add(partition)
      state.partitionDigests[partition] = undefined
    }
  }
  offers.splice(0, offers.length, ...offers.filter(({ author }) => !authors.has(author)))
  list(state, document)
  state.dirty.add(infoHash)
  if (offers.length > 0) return
  state.documents.delete(infoHash)
  state.byOrdinal[ordinal] = NO_DOCUMENT
}

/** Who says something of a torrent, as often as each does. */
export function* speakers(state: KeywordIndexState): Generator<NodeId> {
  for (const { offers } of state.byOrdinal) for (const { author } of offers) yield author
}

import type { DiskProjection } from '../disk-projection.ts'
import type { PartyOf } from './documents.ts'
import { foldRenewal } from './fold-renewals.ts'
import { forgetOffers } from './forgetting.ts'
import { flushIndex, foldTorrent, indexDigest, type KeywordIndexState, openIndex } from './index-state.ts'
import type { Sha256Of } from './set-digest.ts'
import { TOKENIZER_VERSION } from './text/index.ts'
import { MEMTABLE_MAX, tidyIndex } from './tidy-index.ts'

/** Documents that are put into rows between two looks at the clock. */
const DOCUMENTS_A_STEP = 100

/** Rises with the rows or the fold; the tokenizer counts its own. */
const FOLD_VERSION = 5

export type KeywordIndexOptions = {
  readonly partyOf?: (stateOf: (name: string) => unknown) => PartyOf
  readonly memtableMax?: number
}

/**
 * Torrents by the words of their titles. Takes events of the index stream alone: those are what owners of a partition
 * exchange. All but the places in this log (`seq`) is the same for every order of arrival.
 * @param options.partyOf who answers for an author, by the other projections of the node; left out: everybody for itself
 * @param options.memtableMax listings that are in memory alone, default 16,384
 */
export const keywordIndexProjection = (
  sha256: Sha256Of,
  { partyOf = () => (author) => author, memtableMax = MEMTABLE_MAX }: KeywordIndexOptions = {},
): DiskProjection<KeywordIndexState> => ({
  name: 'keyword-index',
  version: FOLD_VERSION * 1000 + TOKENIZER_VERSION,
  handles: ['torrent.published', 'torrent.withdrawn', 'torrent.verified', 'offers.renewed'],
  onDisk: true,
  open: (rows, stateOf) => openIndex(rows, sha256, partyOf(stateOf)),
  apply(state, envelope) {
    const { event } = envelope
    if (envelope.stream !== 'index') return
    if (event.kind === 'offers.renewed') foldRenewal(state, envelope)
    if (event.kind === 'torrent.published' || event.kind === 'torrent.withdrawn' || event.kind === 'torrent.verified') {
      foldTorrent(state, envelope, event)
    }
  },
  flushSome: ({ documents }) => documents.flushSome(DOCUMENTS_A_STEP),
  flush: flushIndex,
  tidy: (state, work) => tidyIndex(state, work, memtableMax),
  digest: indexDigest,
  forget: forgetOffers,
})

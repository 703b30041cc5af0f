// keyword-index: torrents by the words of their titles; ranking, and in `text` the tokenizer and the query language; the partitions that index
// nodes share out, and their digests. Imports events only.

export {
  type CutList,
  crowdedWords,
  cutList,
  isKnown,
  partitionsOfDocument,
  placeOwner,
} from './cut-lists.ts'
export { believedTime, type Description, type Offer, type PartyOf, type TorrentDocument } from './documents.ts'
export { SEEDERS_PROVEN_MAX } from './evidence.ts'
export { speakers } from './forgetting.ts'
export { HITS_DEFAULT, HITS_MAX } from './hits.ts'
export { type KeywordIndexState, openIndex, saidInstead } from './index-state.ts'
export { CUT_AT, type Cut, countPlace, PLACES_A_KEYWORD, wouldKeep } from './keeping.ts'
export { keywordIndexProjection } from './keyword-index.ts'
export { NEAR_WORDS_MAX, type NearWord, nearWords } from './near-words.ts'
export * from './partitions.ts'
export { weigh } from './recounts.ts'
export { presenceOf, RENEWAL_MS } from './renewals.ts'
export {
  cursorAfter,
  DOCUMENTS_PER_KEYWORD_MAX,
  documentFrequency,
  type Hit,
  type SearchOptions,
  type SearchReply,
  search,
  totalsOf,
} from './search.ts'
export { rankOf } from './segments/entries.ts'
export type { Sha256Of } from './set-digest.ts'
export { OWNER_COUNT, ownerRank, ownersOf, PARTITION_COUNT, partitionOf, partitionsOf } from './sharding.ts'
export { type PublisherOf, spread } from './spread.ts'
export * from './text/index.ts'

import { type InfoHash, KINDS, type NodeId } from '../../events/index.ts'
import type { NearWord, SearchReply } from '../../projections/keyword-index/index.ts'
import type { EventName } from './index-messages.ts'

// What an index node can see from its own projections: its shard of the keyword index, and who else owns what. What reads
// the index promises its answer, since an index may be on a disk; none of it may keep the event loop for long.

export interface IndexView {
  /** True for the numbers of the kinds about torrents and their offers, the only ones that index nodes take from strangers. */
  isIndexKind(number: number): boolean
  /** From this node's shard alone. */
  search(request: { text: string; limit: number; cursor: string }): Promise<SearchReply>
  /** How much this node holds in all; in constant time. */
  totals(): Promise<IndexTotals>
  /** Torrents with an event in a partition, those that nobody offers any more among them. */
  torrentsOf(partition: number): Promise<number>
  /** Documents that have each of these keywords, as far as this node holds them. */
  frequencies(keywords: readonly string[]): Promise<number[]>
  /** Words of titles here that are one slip away from this one, see `nearWords`. */
  nearWords(word: string): Promise<readonly NearWord[]>
  /** Where the event stands in the log that counts in the place of one of a torrent, see `saidInstead`. */
  saidInstead(event: { infoHash: InfoHash; author: NodeId; authorSeq: number }): Promise<number | undefined>
  /** Owners that can answer the query, of its keyword where one is named, best first; empty for a query without words. */
  ownersOfQuery(query: { text: string; keyword?: string }): NodeId[]
  /** True if this node can answer the query from its own shard. */
  isResponsible(query: { text: string; keyword?: string }): boolean
  /** Digest over the events of a partition, hex; equal for equal sets. */
  partitionDigest(partition: number): Promise<string>
  partitionEvents(partition: number): Promise<readonly EventName[]>
  partitionsSharedWith(other: NodeId): number[]
  otherIndexNodes(): NodeId[]
}

/** `keywords`: about. `postings`: pairs of a document and a keyword of it. */
export type IndexTotals = { documents: number; keywords: number; postings: number }

const INDEX_KINDS: ReadonlySet<number> = new Set([
  KINDS['torrent.published'].number,
  KINDS['torrent.withdrawn'].number,
  KINDS['torrent.verified'].number,
  KINDS['offers.renewed'].number,
])

export const isIndexKind = (number: number): boolean => INDEX_KINDS.has(number)

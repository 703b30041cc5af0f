import { KINDS, type NodeId } from '../../events/index.ts'
import type { SearchReply } from '../../projections/keyword-index/index.ts'
import type { EventName } from './index-messages.ts'

// What an index node can see from its own projections: its shard of the keyword index, and who else owns what.

export interface IndexView {
  /** True for the numbers of the kinds about torrents and their offers, the only ones that index nodes take from strangers. */
  isIndexKind(number: number): boolean
  /** From this node's shard alone. */
  search(request: { text: string; limit: number; cursor: string }): SearchReply
  /** Owners that can answer the query, best first; empty for a query without words. */
  ownersOfQuery(text: string): NodeId[]
  /** True if this node can answer the query from its own shard. */
  isResponsible(text: string): boolean
  /** Digest over the events of a partition, hex; equal for equal sets. */
  partitionDigest(partition: number): string
  partitionEvents(partition: number): EventName[]
  partitionsSharedWith(other: NodeId): number[]
  otherIndexNodes(): NodeId[]
}

const INDEX_KINDS: ReadonlySet<number> = new Set([
  KINDS['torrent.published'].number,
  KINDS['torrent.withdrawn'].number,
  KINDS['torrent.verified'].number,
  KINDS['offers.renewed'].number,
])

export const isIndexKind = (number: number): boolean => INDEX_KINDS.has(number)

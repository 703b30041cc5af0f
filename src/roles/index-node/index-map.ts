import type { InfoHash, NodeId } from '../../events/index.ts'

/**
 * For each part of a query, an owner of which is to be asked: every torrent that matches is known to the owners of at
 * least one part. Most queries have one part. Empty: no word in the query, or nobody to ask.
 */
export type QueryPlan = readonly { keyword: string | null; partition: number | null; owners: readonly NodeId[] }[]

export type OwnedPartition = { partition: number; rank: number; owners: NodeId[] }

/** Who owns what in the index, as this node's liveness table has it. */
export interface IndexMap {
  indexNodes(): NodeId[]
  /** Distinct keywords of a torrent, of which the info hash is one; its events go to the owners of all of them. */
  keywordsOf(infoHash: InfoHash, title: string): string[]
  partitionOf(keyword: string): number
  /** The partitions that a node owns, with its rank (1 to 3) and all their owners. */
  partitionsOf(node: NodeId): OwnedPartition[]
  /** Owners of a keyword's partition, best first, at most three. */
  ownersOf(keyword: string): NodeId[]
  plan(text: string): QueryPlan
}

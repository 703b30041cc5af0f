import type { InfoHash, NodeId } from '../../events/index.ts'

/** Documents that have a word, as far as is known. */
export type FrequencyOf = (word: string) => number | undefined

/** Places of a partition that are told. */
export const RANKED_MAX = 24

/**
 * For each part of a query, an owner of which is to be asked: every torrent that matches is known to the owners of at
 * least one part. Most queries have one part. Empty: no word in the query, or nobody to ask.
 */
export type QueryPlan = readonly QueryPart[]
/** Without a keyword: one node, or all of so few that each owns everything. */
export type QueryPart = { keyword: string | null; partition: number | null; owners: readonly NodeId[] }

export type OwnedPartition = { partition: number; rank: number; owners: NodeId[] }

/** Who owns what in the index, as this node's liveness table has it. */
export interface IndexMap {
  indexNodes(): NodeId[]
  /** Distinct keywords of a torrent, of which the info hash is one; its events go to the owners of all of them. */
  keywordsOf(infoHash: InfoHash, title: string): string[]
  partitionOf(keyword: string): number
  /** The partitions that a node owns, with its rank (1 to 3) and all their owners. */
  partitionsOf(node: NodeId): OwnedPartition[]
  /** Another number whenever the index nodes are others than before. */
  revision(): number
  /** Those who own a partition, and behind them those who would if one of these went, best first; `count` up to `RANKED_MAX`. */
  rankedOwners(partition: number, count: number): NodeId[]
  /** Owners of a keyword's partition, best first, at most three. */
  ownersOf(keyword: string): NodeId[]
  /** Words of which more is known than their length are chosen by that. */
  plan(text: string, frequencyOf?: FrequencyOf): QueryPlan
}

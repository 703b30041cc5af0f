import type { NodeId } from '../../events/index.ts'
import { stringHash } from '../string-hash.ts'

// Which index nodes hold a keyword: hash(keyword) mod 1024 names its partition, rendezvous hashing over the index nodes
// that are alive ranks the owners, and the first three hold it. When a node comes or goes only its own share moves, and
// the successor of a dead owner has the data already. Source: Thaler, Ravishankar 1998 (highest random weight).

/** Part of what nodes agree on: another number is another network. */
export const PARTITION_COUNT = 1024
/** Owners of a partition; fewer where there are fewer index nodes. */
export const OWNER_COUNT = 3

/** The partition of a keyword (as the tokenizer gives it), 0 to 1023. */
export const partitionOf = (keyword: string): number => stringHash(keyword) % PARTITION_COUNT

/** The distinct partitions of keywords, ascending. */
export function partitionsOf(keywords: Iterable<string>): number[] {
  const partitions = new Set<number>()
  for (const keyword of keywords) partitions.add(partitionOf(keyword))
  return [...partitions].sort((a, b) => a - b)
}

/**
 * The owners of a partition among `nodes`, best first. Asked anywhere with the same nodes it gives the same owners.
 */
export function ownersOf(partition: number, nodes: readonly NodeId[], count = OWNER_COUNT): NodeId[] {
  return nodes
    .map((id) => ({ id, weight: stringHash(`${partition}/${id}`) }))
    .sort((a, b) => b.weight - a.weight || (a.id < b.id ? -1 : 1))
    .slice(0, count)
    .map(({ id }) => id)
}

/** Rank of a node among a partition's owners: 1 to 3, or undefined where it is none. */
export function ownerRank(partition: number, node: NodeId, nodes: readonly NodeId[]): number | undefined {
  const place = ownersOf(partition, nodes).indexOf(node)
  return place < 0 ? undefined : place + 1
}

import type { NodeId } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { type Member, members, type ProjectionRunner } from '../../projections/index.ts'
import {
  hashKeyword,
  keywordsOf,
  OWNER_COUNT,
  ownersOf,
  PARTITION_COUNT,
  parseQuery,
  partitionOf,
} from '../../projections/keyword-index/index.ts'
import type { MemberSight } from '../node/member-sight.ts'
import { coveringWords } from './covering-words.ts'
import { type FrequencyOf, type IndexMap, type QueryPlan, RANKED_MAX } from './index-map.ts'

/** Nodes asked for a query that names no whole word (`pre*`): each knows a part. */
const BROADCAST_MAX = 16

/** Who is admitted, and who is alive here whatever others say; left out, all are what the projection says. */
const AS_SAID: MemberSight = { isMember: () => true, stateOf: ({ state }) => state }

/** The map as the liveness projection and this node itself have it at each call; computed again only when an index node comes or goes. */
export function liveIndexMap(states: ProjectionRunner<ProjectionStates>, sight: MemberSight = AS_SAID): IndexMap {
  /** Index nodes that have not left; some of them are said to be dead. */
  let nodes: Member[] | undefined
  let live: NodeId[] = []
  let known = ''
  let revision = 0
  const ranked = new Map<number, NodeId[]>()
  // As long as the runner itself: nothing to undo.
  const forget = () => {
    nodes = undefined
  }
  states.onChange('liveness', forget)
  states.onChange('admissions', forget)
  const indexNodes = (): NodeId[] => {
    const isChanged = nodes === undefined
    nodes ??= members(states.state('liveness')).filter(
      ({ id, role, state }) => role === 'index' && state !== 'left' && sight.isMember(id),
    )
    // What is said changes with the events; what this node sees of the dead, from one moment to the next.
    if (!isChanged && nodes.every(({ state }) => state !== 'dead')) return live
    live = nodes.filter((member) => sight.stateOf(member) !== 'dead').map(({ id }) => id)
    const now = live.join()
    if (now !== known) {
      ranked.clear()
      revision += 1
    }
    known = now
    return live
  }
  const rankedOwners = (partition: number, count: number): NodeId[] => {
    const alive = indexNodes()
    let found = ranked.get(partition)
    if (found === undefined) {
      found = ownersOf(partition, alive, RANKED_MAX)
      ranked.set(partition, found)
    }
    return found.slice(0, count)
  }
  const ownersOfPartition = (partition: number): NodeId[] => rankedOwners(partition, OWNER_COUNT)
  return {
    indexNodes: () => [...indexNodes()],
    keywordsOf: (infoHash, title) => [...keywordsOf(title), hashKeyword(infoHash)],
    partitionOf,
    partitionsOf: (node) =>
      Array.from({ length: PARTITION_COUNT }, (_, partition) => ({ partition, owners: ownersOfPartition(partition) }))
        .map(({ partition, owners }) => ({ partition, rank: owners.indexOf(node) + 1, owners }))
        .filter(({ rank }) => rank > 0),
    revision() {
      indexNodes()
      return revision
    },
    rankedOwners,
    ownersOf: (keyword) => ownersOfPartition(partitionOf(keyword)),
    plan: (text, frequencyOf = () => undefined) => planOf(text, indexNodes(), ownersOfPartition, frequencyOf),
  }
}

function planOf(
  text: string,
  indexNodes: readonly NodeId[],
  ownersOfPartition: (partition: number) => readonly NodeId[],
  frequencyOf: FrequencyOf,
): QueryPlan {
  const query = parseQuery(text)
  if (indexNodes.length === 0 || (query.clauses.length === 0 && query.filters.length === 0)) return []
  const words = coveringWords(query, frequencyOf)
  const parts = words.map((keyword) => {
    const partition = partitionOf(keyword)
    return { keyword, partition, owners: [...ownersOfPartition(partition)] }
  })
  const [first] = parts
  // With so few nodes each owns everything: whoever answers knows it all.
  if (indexNodes.length <= OWNER_COUNT) return [first ?? { keyword: null, partition: null, owners: [...indexNodes] }]
  if (first !== undefined) return parts
  return indexNodes.slice(0, BROADCAST_MAX).map((node) => ({ keyword: null, partition: null, owners: [node] }))
}

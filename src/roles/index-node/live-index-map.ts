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
  type Query,
  type Term,
  wholeWordsOf,
} from '../../projections/keyword-index/index.ts'
import type { MemberSight } from '../node/member-sight.ts'
import type { IndexMap, QueryPlan } from './index-map.ts'

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
  const owners = new Map<number, NodeId[]>()
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
    if (now !== known) owners.clear()
    known = now
    return live
  }
  const ownersOfPartition = (partition: number): NodeId[] => {
    const alive = indexNodes()
    let found = owners.get(partition)
    if (found === undefined) {
      found = ownersOf(partition, alive)
      owners.set(partition, found)
    }
    return found
  }
  return {
    indexNodes: () => [...indexNodes()],
    keywordsOf: (infoHash, title) => [...keywordsOf(title), hashKeyword(infoHash)],
    partitionOf,
    partitionsOf: (node) =>
      Array.from({ length: PARTITION_COUNT }, (_, partition) => ({ partition, owners: ownersOfPartition(partition) }))
        .map(({ partition, owners }) => ({ partition, rank: owners.indexOf(node) + 1, owners: [...owners] }))
        .filter(({ rank }) => rank > 0),
    ownersOf: (keyword) => [...ownersOfPartition(partitionOf(keyword))],
    plan: (text) => planOf(text, indexNodes(), ownersOfPartition),
  }
}

function planOf(
  text: string,
  indexNodes: readonly NodeId[],
  ownersOfPartition: (partition: number) => readonly NodeId[],
): QueryPlan {
  const query = parseQuery(text)
  if (indexNodes.length === 0 || (query.clauses.length === 0 && query.filters.length === 0)) return []
  const words = coveringWords(query)
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

/**
 * Few words such that every hit has at least one of them: one word of a clause without alternatives, or one for each
 * alternative. Of several such choices the longest, since long words tend to be rare, and rather two than one as common as
 * "the". Empty if a prefix is in the way.
 */
export function coveringWords(query: Query): string[] {
  let best: string[] = []
  for (const clause of query.clauses) {
    const words = clause.map(longestWord)
    if (words.some((word) => word === undefined)) continue
    const cover = [...new Set(words as string[])]
    if (best.length === 0 || cost(cover) < cost(best) || (cost(cover) === cost(best) && length(cover) > length(best)))
      best = cover
  }
  return best
}

/** A word that is short in ASCII is likely a common one: its owner is worth three others. */
const cost = (words: readonly string[]): number => words.reduce((sum, word) => sum + (/^[a-z0-9]{1,3}$/.test(word) ? 3 : 1), 0)
const length = (words: readonly string[]): number => words.reduce((sum, word) => sum + word.length, 0)

/** None of a beginning: a hit may have nothing but that. */
const longestWord = (term: Term): string | undefined =>
  wholeWordsOf(term).reduce<string | undefined>(
    (longest, word) => (word.length > (longest?.length ?? 0) ? word : longest),
    undefined,
  )

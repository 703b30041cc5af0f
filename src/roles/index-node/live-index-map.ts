import type { NodeId } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { liveMembers, type ProjectionRunner } from '../../projections/index.ts'
import {
  keywordsOf,
  OWNER_COUNT,
  ownersOf,
  PARTITION_COUNT,
  parseQuery,
  partitionOf,
  type Query,
} from '../../projections/keyword-index/index.ts'
import type { Term } from '../../projections/keyword-index/query.ts'
import type { IndexMap, QueryPlan } from './index-map.ts'

/** Nodes asked for a query that names no whole word (`pre*`): each knows a part. */
const BROADCAST_MAX = 16

/**
 * The map as the liveness projection has it at each call; computed again only when an index node comes or goes, or
 * somebody is admitted or put out.
 * @param isMember true for a node that is admitted as a member: nobody else owns anything
 */
export function liveIndexMap(states: ProjectionRunner<ProjectionStates>, isMember: (node: NodeId) => boolean): IndexMap {
  let nodes: NodeId[] | undefined
  let known = ''
  const owners = new Map<number, NodeId[]>()
  // As long as the runner itself: nothing to undo.
  const forget = () => {
    nodes = undefined
  }
  states.onChange('liveness', forget)
  states.onChange('admissions', forget)
  const indexNodes = (): NodeId[] => {
    if (nodes === undefined) {
      nodes = liveMembers(states.state('liveness'), 'index')
        .map(({ id }) => id)
        .filter(isMember)
      const now = nodes.join()
      if (now !== known) owners.clear()
      known = now
    }
    return nodes
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
    keywordsOf,
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
 * The fewest words such that every hit has at least one of them: one word of a clause without alternatives, or one for
 * each alternative. Of several the longest, since long words tend to be rare. Empty if a prefix is in the way.
 */
export function coveringWords(query: Query): string[] {
  let best: string[] = []
  for (const clause of query.clauses) {
    const words = clause.map(longestWord)
    if (words.some((word) => word === undefined)) continue
    const cover = [...new Set(words as string[])]
    if (best.length === 0 || cover.length < best.length || (cover.length === best.length && length(cover) > length(best)))
      best = cover
  }
  return best
}

const length = (words: readonly string[]): number => words.reduce((sum, word) => sum + word.length, 0)

function longestWord(term: Term): string | undefined {
  if (term.kind === 'prefix') return undefined
  const words = term.kind === 'phrase' ? term.words : [term.word]
  return words.reduce<string | undefined>((longest, word) => (word.length > (longest?.length ?? 0) ? word : longest), undefined)
}

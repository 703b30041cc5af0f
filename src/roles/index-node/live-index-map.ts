import type { ProjectionStates } from '../../projections/all.ts'
import { liveMembers, type ProjectionRunner } from '../../projections/index.ts'
import { keywordsOf, ownersOf, parseQuery, partitionOf, type Query } from '../../projections/keyword-index/index.ts'
import type { Term } from '../../projections/keyword-index/query.ts'
import type { IndexMap, QueryPlan } from './index-map.ts'

/** Nodes asked for a query that names no whole word (`pre*`): each knows a part. */
const BROADCAST_MAX = 16

/** The map as the liveness projection has it at each call. */
export function liveIndexMap(states: ProjectionRunner<ProjectionStates>): IndexMap {
  const indexNodes = () => liveMembers(states.state('liveness'), 'index').map(({ id }) => id)
  const owners = (keyword: string) => ownersOf(partitionOf(keyword), indexNodes())
  return {
    indexNodes,
    keywordsOf,
    partitionOf,
    ownersOf: owners,
    plan(text): QueryPlan {
      const query = parseQuery(text)
      const words = coveringWords(query)
      if (words.length > 0) {
        return words
          .map((keyword) => ({ keyword, partition: partitionOf(keyword), owners: owners(keyword) }))
          .filter((part) => part.owners.length > 0)
      }
      if (query.clauses.length === 0 && query.filters.length === 0) return []
      return indexNodes()
        .slice(0, BROADCAST_MAX)
        .map((node) => ({ keyword: null, partition: null, owners: [node] }))
    },
  }
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

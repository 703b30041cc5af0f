import type { NodeId } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { type ProjectionRunner, partyOf } from '../../projections/index.ts'
import {
  documentFrequency,
  eventsOfPartition,
  type KeywordIndexState,
  partitionDigest,
  search,
  weigh,
} from '../../projections/keyword-index/index.ts'
import type { NewSha256 } from '../../projections/sha256.ts'
import type { IndexMap } from './index-map.ts'
import { type IndexView, isIndexKind } from './index-view.ts'

/** Documents counted in one turn: a millisecond or two, as they lie anywhere in memory. */
const COUNTED_IN_A_TURN = 5_000

export type ProjectedIndexViewParts = {
  states: ProjectionRunner<ProjectionStates>
  map: IndexMap
  own: NodeId
  /** Clients need no invitation in this network. */
  isOpen: boolean
  newSha256: NewSha256
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
}

/** The view of node `own`, over its live projections. */
export function projectedIndexView({
  states,
  map,
  own,
  isOpen,
  newSha256,
  yieldToEventLoop,
}: ProjectedIndexViewParts): IndexView {
  let weighed: KeywordIndexState | undefined
  // As long as the runner itself: nothing to undo.
  states.onChange('admissions', () => {
    weighed = undefined
  })
  const index = (): KeywordIndexState => {
    const state = states.state('keyword-index')
    // Somebody was admitted or put out, or a rebuild put another state in its place.
    if (state !== weighed) weigh(state, (author) => partyOf(states.state('admissions'), author, isOpen))
    weighed = state
    return state
  }
  return {
    isIndexKind,
    search: async ({ text, limit, cursor }) => search(index(), text, { limit, cursor }),
    async totals() {
      const { visibleCount, words, postingCount } = states.state('keyword-index')
      return { documents: visibleCount, keywords: words.size, postings: postingCount }
    },
    async documentsOf(partition) {
      const state = states.state('keyword-index')
      const ordinals = state.partitions[partition] ?? []
      let documents = 0
      for (const [at, ordinal] of ordinals.entries()) {
        if (at > 0 && at % COUNTED_IN_A_TURN === 0) await yieldToEventLoop()
        // Whoever can be found is listed under some word.
        if ((state.byOrdinal[ordinal]?.words.length ?? 0) > 0) documents += 1
      }
      return documents
    },
    frequencies: async (keywords) => keywords.map((keyword) => documentFrequency(index(), keyword)),
    ownersOfQuery: ({ text, keyword }) =>
      keyword === undefined ? [...new Set(map.plan(text).flatMap(({ owners }) => owners))] : map.ownersOf(keyword),
    isResponsible({ text, keyword }) {
      if (keyword !== undefined) return map.ownersOf(keyword).includes(own)
      const plan = map.plan(text)
      return plan.length === 0 || plan.some(({ owners }) => owners.includes(own))
    },
    partitionDigest: async (partition) => partitionDigest(index(), partition, newSha256),
    partitionEvents: async (partition) =>
      eventsOfPartition(index(), partition).map(({ author, authorSeq }) => ({ author, authorSeq })),
    partitionsSharedWith(other) {
      return map
        .partitionsOf(own)
        .filter(({ owners }) => owners.includes(other))
        .map(({ partition }) => partition)
    },
    otherIndexNodes: () => map.indexNodes().filter((id) => id !== own),
  }
}

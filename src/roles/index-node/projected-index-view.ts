import type { NodeId } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { type ProjectionRunner, partyOf } from '../../projections/index.ts'
import {
  eventsOfPartition,
  type KeywordIndexState,
  partitionDigest,
  search,
  weigh,
} from '../../projections/keyword-index/index.ts'
import type { NewSha256 } from '../../projections/sha256.ts'
import type { IndexMap } from './index-map.ts'
import { type IndexView, isIndexKind } from './index-view.ts'

/** The view of node `own`, over its live projections. `isOpen`: clients need no invitation in this network. */
export function projectedIndexView(
  states: ProjectionRunner<ProjectionStates>,
  map: IndexMap,
  own: NodeId,
  isOpen: boolean,
  newSha256: NewSha256,
): IndexView {
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
    search: ({ text, limit, cursor }) => search(index(), text, { limit, cursor }),
    ownersOfQuery: (text) => [...new Set(map.plan(text).flatMap(({ owners }) => owners))],
    isResponsible(text) {
      const plan = map.plan(text)
      return plan.length === 0 || plan.some(({ owners }) => owners.includes(own))
    },
    partitionDigest: (partition) => partitionDigest(index(), partition, newSha256),
    partitionEvents: (partition) =>
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

import type { NodeId } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import type { ProjectionRunner, Turns } from '../../projections/index.ts'
import {
  documentFrequency,
  eventsOfPartition,
  type KeywordIndexState,
  nearWords,
  partitionDigest,
  partitionStats,
  saidInstead,
  search,
  totalsOf,
  weigh,
} from '../../projections/keyword-index/index.ts'
import type { IndexMap } from './index-map.ts'
import type { EventName } from './index-messages.ts'
import { type IndexView, isIndexKind } from './index-view.ts'

export type ProjectedIndexViewParts = {
  states: ProjectionRunner<ProjectionStates>
  map: IndexMap
  own: NodeId
  newTurns(): Turns
  /** The time, ms since 1970. */
  now(): number
}

/** The view of node `own`, over its live projections. */
export function projectedIndexView({ states, map, own, newTurns, now }: ProjectedIndexViewParts): IndexView {
  const index = (): KeywordIndexState => states.state('keyword-index')
  // As long as the runner itself: nothing to undo.
  states.onChange('admissions', () => weigh(index()))
  return {
    isIndexKind,
    search: async ({ text, limit, cursor }) => search(index(), text, { limit, cursor, now: now() }),
    totals: async () => totalsOf(index()),
    torrentsOf: async (partition) => partitionStats(index(), partition).torrents,
    frequencies: async (keywords) => keywords.map((keyword) => documentFrequency(index(), keyword)),
    async nearWords(word) {
      const turns = newTurns()
      for (;;) {
        const { segments } = index().listings
        const steps = nearWords(index(), word)
        // A segment that was merged between two steps has no rows to read: then all is looked at anew.
        while (index().listings.segments === segments) {
          const { value, done } = steps.next()
          if (done === true) return value
          if (turns.isOver) await turns.next()
        }
      }
    },
    saidInstead: async (event) => saidInstead(index(), event),
    ownersOfQuery: ({ text, keyword }) =>
      keyword === undefined ? [...new Set(map.plan(text).flatMap(({ owners }) => owners))] : map.ownersOf(keyword),
    isResponsible({ text, keyword }) {
      if (keyword !== undefined) return map.ownersOf(keyword).includes(own)
      const plan = map.plan(text)
      return plan.length === 0 || plan.some(({ owners }) => owners.includes(own))
    },
    partitionDigest: async (partition) => partitionDigest(index(), partition),
    async partitionEvents(partition) {
      const turns = newTurns()
      const events: EventName[] = []
      for (const some of eventsOfPartition(index(), partition)) {
        events.push(...some)
        if (turns.isOver) await turns.next()
      }
      return events
    },
    partitionsSharedWith(other) {
      return map
        .partitionsOf(own)
        .filter(({ owners }) => owners.includes(other))
        .map(({ partition }) => partition)
    },
    otherIndexNodes: () => map.indexNodes().filter((id) => id !== own),
  }
}

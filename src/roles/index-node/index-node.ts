import type { EventLog, Genesis, NodeId, Timers } from '../../events/index.ts'
import { partitionStats } from '../../projections/keyword-index/index.ts'
import type { NewSha256 } from '../../projections/sha256.ts'
import { hitsAsked } from '../hits-asked.ts'
import { magnetOf } from '../magnet.ts'
import type { Admittance } from '../node/admittance.ts'
import type { NodeParts } from '../node/node-service.ts'
import { queryAsked } from '../query-asked.ts'
import type { IndexService, IndexStatus } from '../services.ts'
import { untilAdmitted } from '../until-true.ts'
import type { IndexMap } from './index-map.ts'
import { serveIndexRequests } from './index-requests.ts'
import { PartitionSections } from './partition-sections.ts'
import { projectedIndexView } from './projected-index-view.ts'
import { Repair, type RepairStatus } from './repair.ts'

export type IndexNodeParts = Pick<NodeParts, 'overlay' | 'states' | 'verify' | 'clock'> & {
  log: Pick<EventLog, 'author' | 'has' | 'ingest' | 'readSigned' | 'readSignedAt'>
  admittance: Pick<Admittance, 'isShut' | 'isOverBudget'> & { genesis: Pick<Genesis, 'open'> }
  map: IndexMap
  timers: Timers
  newSha256: NewSha256
  yieldToEventLoop(): Promise<void>
}

export type IndexNode = Disposable & { readonly service: IndexService; readonly repair: RepairStatus; start(): void }

/** What an index node adds: it serves its shard to the network, and keeps it level with the other owners'. */
export function createIndexNode(parts: IndexNodeParts): IndexNode {
  const { log, overlay, states, verify, admittance, map, timers, clock, newSha256, yieldToEventLoop } = parts
  const view = projectedIndexView(states, map, log.author, admittance.genesis.open, newSha256)
  const sections = new PartitionSections(view, newSha256)
  const isOverBudget = (author: NodeId): boolean => admittance.isOverBudget(author, 'index')
  const repair = new Repair({
    ...{ log, overlay, view, sections, verify, timers, isOverBudget, yieldToEventLoop },
    isShut: (author) => admittance.isShut(author, 'index'),
    now: () => clock.now(),
  })
  const closing = new AbortController()
  serveIndexRequests({
    ...{ log, overlay, view, sections, verify, isOverBudget, yieldToEventLoop },
    untilAdmitted: (waitMs) => untilAdmitted(states, { timers, waitMs, closing: closing.signal }),
  })

  return {
    start: () => repair.start(),
    get repair() {
      return repair.status
    },
    [Symbol.dispose]: () => {
      closing.abort()
      repair.stop()
    },
    service: {
      async indexStatus(options) {
        return statusOf(parts, repair, options.partitions)
      },
      async searchHere({ text, limit: asked, cursor = '' }) {
        const limit = hitsAsked(asked)
        queryAsked(text)
        const startedAt = performance.now()
        const reply = view.search({ text, limit, cursor })
        const [part] = map.plan(text)
        return {
          query: text,
          hits: reply.hits.map(({ infoHash, title, sizeBytes, fileCount, tags, seeders, publisher, publishedAt }) => ({
            ...{ infoHash, title, sizeBytes, fileCount, tags: [...tags], seeders, publisher, publishedAt },
            // Every word of them is in the log of this node.
            ...{ seedersProven: seeders, magnet: magnetOf(infoHash, title) },
          })),
          truncated: reply.truncated,
          cursor: reply.cursor === '' ? null : reply.cursor,
          keyword: part?.keyword ?? null,
          partition: part?.partition ?? null,
          answeredBy: log.author,
          failed: [],
          elapsedMs: Math.round(performance.now() - startedAt),
        }
      },
    },
  }
}

function statusOf({ states, map, log }: IndexNodeParts, repair: Repair, partitions: boolean): IndexStatus {
  const index = states.state('keyword-index')
  const owned = map.partitionsOf(log.author)
  const ranked = (rank: number) => owned.filter((row) => row.rank === rank).length
  const documents = new Map(
    partitionStats(
      index,
      owned.map(({ partition }) => partition),
    ).map((stats) => [stats.partition, stats.documents]),
  )
  return {
    documents: index.visibleCount,
    keywords: index.words.size,
    postings: index.postingCount,
    indexNodesAlive: map.indexNodes().length,
    owned: { rank1: ranked(1), rank2: ranked(2), rank3: ranked(3) },
    partitions: partitions ? owned.map((row) => ({ ...row, documents: documents.get(row.partition) ?? 0 })) : [],
    repair: repair.status,
  }
}

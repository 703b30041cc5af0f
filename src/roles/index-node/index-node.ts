import type { EventLog, NodeId, Timers, Upcast } from '../../events/index.ts'
import { OWNER_COUNT, PARTITION_COUNT } from '../../projections/keyword-index/index.ts'
import type { NewSha256 } from '../../projections/sha256.ts'
import type { Turns } from '../../projections/turns.ts'
import type { Admittance } from '../node/admittance.ts'
import type { NodeParts } from '../node/node-service.ts'
import type { IndexService, IndexStatus } from '../services.ts'
import { untilAdmitted } from '../until-true.ts'
import { handOver } from './hand-over.ts'
import type { IndexMap, OwnedPartition } from './index-map.ts'
import { serveIndexRequests } from './index-requests.ts'
import type { IndexView } from './index-view.ts'
import { type Levels, PartitionLevels } from './partition-levels.ts'
import { PartitionSections } from './partition-sections.ts'
import { projectedIndexView } from './projected-index-view.ts'
import { Repair, type RepairStatus } from './repair.ts'
import { searchHere } from './search-here.ts'
import { TitlePlaces, type TitlePlacesOptions } from './title-places.ts'

/** A look at the lists that have grown beyond their places so often, and the first some time after the start, ms. */
const PLACES_ROUND_MS = 5 * 60_000
const PLACES_FIRST_MS = 60_000

const belowRankSentence = (events: number): string =>
  `${events} publications were let go of: others have the places of their keywords here`

/** Partitions looked at in one turn: with a thousand index nodes their owners take some 2 ms. */
const PARTITIONS_IN_A_TURN = 8

export type IndexNodeParts = Pick<NodeParts, 'overlay' | 'states' | 'verify' | 'clock'> & {
  notices: Pick<NodeParts['notices'], 'post'>
  log: Pick<EventLog, 'author' | 'has' | 'ingest' | 'seqOf' | 'readSignedAt'>
  admittance: Pick<Admittance, 'isShut' | 'isOverBudget'>
  map: IndexMap
  timers: Timers
  upcast: Upcast
  newSha256: NewSha256
  newTurns(): Turns
  yieldToEventLoop(): Promise<void>
  /** Documents of a keyword that are kept; left out: as everywhere. */
  placesAKeyword?: number
  /** See `TitlePlacesOptions.drop`. */
  dropTitles?: TitlePlacesOptions['drop']
  /** Left out: of a node that has compared with nobody. */
  levels?: PartitionLevels
}

/** Disposed of in its own time, it hands over what others lack before it ends. */
export type IndexNode = Disposable &
  AsyncDisposable & { readonly service: IndexService; readonly repair: RepairStatus; start(): void }

/** What an index node adds: it serves its shard to the network, and keeps it level with the other owners'. */
export function createIndexNode(parts: IndexNodeParts): IndexNode {
  const { log, overlay, states, verify, upcast, admittance, map, timers, clock, notices } = parts
  const { newSha256, newTurns, yieldToEventLoop } = parts
  const view = projectedIndexView({ states, map, own: log.author, newTurns, now: () => clock.now() })
  const sections = new PartitionSections(view, newSha256)
  const { levels = new PartitionLevels({ self: log.author, map, now: () => clock.now() }) } = parts
  const places = new TitlePlaces({
    ...{ map, upcast, newTurns, own: log.author, drop: parts.dropTitles },
    index: () => states.state('keyword-index'),
    ...(parts.placesAKeyword === undefined ? {} : { places: parts.placesAKeyword }),
  })
  const isOverBudget = (author: NodeId): boolean => admittance.isOverBudget(author, 'index')
  const repair = new Repair({
    ...{ log, overlay, view, sections, levels, places, verify, timers, isOverBudget, yieldToEventLoop },
    isShut: (author) => admittance.isShut(author, 'index'),
    now: () => clock.now(),
  })
  const closing = new AbortController()
  serveIndexRequests({
    ...{ log, overlay, view, sections, levels, places, verify, upcast, isOverBudget, yieldToEventLoop },
    untilAdmitted: (attempt, waitMs) => untilAdmitted(states, attempt, { timers, waitMs, closing: closing.signal }),
  })

  let cancelRound = () => {}
  let round: Promise<unknown> = Promise.resolve()
  const giveOutPlaces = (): void => {
    round = places
      .round(closing.signal)
      .then((events) => {
        if (events > 0) notices.post('info', 'index.below-rank', belowRankSentence(events))
      })
      .catch((error: unknown) => {
        if (closing.signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        notices.post(
          'warning',
          'index.not-cut',
          `titles without a place were not let go of, and are looked at again: ${reason}`,
        )
      })
      .finally(() => {
        if (!closing.signal.aborted) cancelRound = timers.after(PLACES_ROUND_MS, giveOutPlaces)
      })
  }
  const close = () => {
    closing.abort()
    cancelRound()
    repair.stop()
  }

  return {
    start() {
      repair.start()
      cancelRound = timers.after(PLACES_FIRST_MS, giveOutPlaces)
    },
    get repair() {
      return repair.status
    },
    [Symbol.dispose]: close,
    async [Symbol.asyncDispose]() {
      close()
      await round
      const { entries, nodes, unfinished } = await handOver({
        ...{ log, overlay, map, sections, yieldToEventLoop, now: () => clock.now() },
      })
      if (entries > 0)
        notices.post('info', 'index.handed-over', `gave ${entries} entries that other index nodes lacked to ${nodes} of them`)
      if (unfinished > 0)
        notices.post(
          'warning',
          'index.not-handed-over',
          `${unfinished} index nodes may lack entries of this one: they fetch them from one another, where others have them`,
        )
    },
    service: {
      indexStatus: (options) => statusOf(parts, { view, repair, levels }, options.partitions),
      searchHere: (request) => searchHere(request, { view, map, own: log.author }),
    },
  }
}

/** The totals are there at once; who owns what, and how much is in each partition, is looked up with turns in between. */
async function statusOf(
  { map, log, yieldToEventLoop }: IndexNodeParts,
  { view, repair, levels }: { view: IndexView; repair: Repair; levels: Levels },
  partitions: boolean,
): Promise<IndexStatus> {
  const totals = await view.totals()
  const owned: OwnedPartition[] = []
  let level = 0
  const rows: IndexStatus['partitions'] = []
  for (let partition = 0; partition < PARTITION_COUNT; partition++) {
    if (partition > 0 && partition % PARTITIONS_IN_A_TURN === 0) await yieldToEventLoop()
    const owners = map.rankedOwners(partition, OWNER_COUNT)
    const rank = owners.indexOf(log.author) + 1
    if (rank === 0) continue
    owned.push({ partition, rank, owners })
    const isLevel = levels.isLevel(partition)
    if (isLevel) level += 1
    if (partitions) rows.push({ partition, rank, isLevel, torrents: await view.torrentsOf(partition), owners })
  }
  const ranked = (rank: number) => owned.filter((row) => row.rank === rank).length
  return {
    ...totals,
    indexNodesAlive: map.indexNodes().length,
    owned: { rank1: ranked(1), rank2: ranked(2), rank3: ranked(3), level },
    partitions: rows,
    repair: repair.status,
  }
}

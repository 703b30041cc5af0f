import { type EventLog, type NodeId, type SignedEvent, scanBody, type VerifySignature } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import {
  decodeCompare,
  decodeFetch,
  decodePublish,
  decodeSearch,
  decodeSearchReply,
  EVENT_NAMES_MAX,
  encodeCompareReply,
  encodeFetchReply,
  encodePublishReply,
  encodeSearch,
  encodeSearchReply,
  fitting,
  INDEX_METHODS,
  type PartitionContent,
  type PublishOutcome,
  type WireSearch,
  type WireSearchReply,
} from './index-messages.ts'
import type { IndexView } from './index-view.ts'
import { signedIndexEvents } from './signed-events.ts'

const FORWARD_TIMEOUT_MS = 3_000

export type IndexRequestsOptions = {
  log: EventLog
  overlay: Overlay
  view: IndexView
  verify: VerifySignature
}

/** Serves the index methods to the network. What a peer asks wrongly is refused by the messenger; nothing here throws past it. */
export function serveIndexRequests(options: IndexRequestsOptions): void {
  const { overlay, log, view } = options
  overlay.serve(INDEX_METHODS.publish, async (_from, body) => {
    const outcomes = await ingestIndexEvents(decodePublish(body), options)
    return encodePublishReply(outcomes)
  })
  overlay.serve(INDEX_METHODS.search, async (_from, body) => encodeSearchReply(await answer(decodeSearch(body), options)))
  overlay.serve(INDEX_METHODS.compare, async (_from, body) => {
    const differing: PartitionContent[] = []
    let names = 0
    let more = false
    for (const { partition, digest } of decodeCompare(body)) {
      if (view.partitionDigest(partition) === digest) continue
      const events = view.partitionEvents(partition).slice(0, EVENT_NAMES_MAX)
      if (names + events.length > EVENT_NAMES_MAX) {
        more = true
        break
      }
      names += events.length
      differing.push({ partition, events })
    }
    return encodeCompareReply(differing, more)
  })
  overlay.serve(INDEX_METHODS.fetch, async (_from, body) => {
    return encodeFetchReply(fitting(await signedIndexEvents(log, decodeFetch(body))))
  })
}

/**
 * Stores signed torrent events of others: each must be in the index stream, of a torrent kind, and rightly signed.
 * Signatures are checked once, here, after the duplicates are out.
 */
export async function ingestIndexEvents(
  events: readonly SignedEvent[],
  { log, verify, view }: Pick<IndexRequestsOptions, 'log' | 'verify' | 'view'>,
): Promise<PublishOutcome[]> {
  const outcomes: PublishOutcome[] = events.map(() => 'refused')
  const wanted: { place: number; event: SignedEvent }[] = []
  events.forEach((event, place) => {
    try {
      const header = scanBody(event.body)
      if (header.stream !== 'index' || !view.isIndexKind(header.kind)) return
      if (log.has(header)) outcomes[place] = 'duplicate'
      else if (verify(event.body, event.signature, header.author)) wanted.push({ place, event })
    } catch {
      // Not an event: stays refused.
    }
  })
  const ingested = await log.ingest(
    wanted.map(({ event }) => event),
    { durable: true },
  )
  ingested.forEach((one, index) => {
    const place = wanted[index]?.place
    if (place === undefined) return
    outcomes[place] = one.outcome === 'appended' ? 'stored' : one.outcome === 'duplicate' ? 'duplicate' : 'refused'
  })
  return outcomes
}

/** Answers from this node's shard, or asks an owner where this node is none; one hop at most. */
async function answer(search: WireSearch, { overlay, view }: IndexRequestsOptions): Promise<WireSearchReply> {
  if (search.hops === 0 && !view.isResponsible(search.text)) {
    const request = encodeSearch({ ...search, hops: 1 })
    for (const owner of view.ownersOfQuery(search.text)) {
      if (owner === overlay.self) continue
      try {
        return decodeSearchReply(await overlay.request(owner, INDEX_METHODS.search, request, { timeoutMs: FORWARD_TIMEOUT_MS }))
      } catch {
        // The next owner; if none answers, what this node holds is better than nothing.
      }
    }
  }
  return { ...view.search(search), answeredBy: overlay.self as NodeId }
}

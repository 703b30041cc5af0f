import {
  type EventLog,
  type Header,
  type Ingested,
  KINDS,
  type NodeId,
  type SignedEvent,
  scanBody,
  type VerifySignature,
} from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { cursorAfter, HITS_DEFAULT } from '../../projections/keyword-index/index.ts'
import { HitProofs } from './hit-proofs.ts'
import {
  type CompareReply,
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
  fittingHits,
  INDEX_METHODS,
  type PublishOutcome,
  type SectionContent,
  type SectionDigest,
  type WireSearch,
} from './index-messages.ts'
import type { IndexView } from './index-view.ts'
import { type PartitionSections, SECTION_DEPTH_MAX } from './partition-sections.ts'
import { signedIndexEvents } from './signed-events.ts'

/** Hits whose proofs are read for one message: it has no room for more, with the shortest of titles. */
const HITS_IN_A_MESSAGE_MAX = 300
const FORWARD_TIMEOUT_MS = 3_000
/** A publication waits so long for its author's admission, ms. */
const ADMITTED_WITHIN_MS = 2_000
/** A section with more events than this is compared in parts: listing them would cost more than the 64 digests. */
const LISTED_MAX = 64
/** Digests made in one turn. */
const DIGESTS_IN_A_TURN = 32

export type IndexRequestsOptions = {
  log: Pick<EventLog, 'has' | 'ingest' | 'readSigned' | 'readSignedAt'>
  overlay: Overlay
  view: IndexView
  sections: PartitionSections
  verify: VerifySignature
  /** True for an author of whom no more is kept for now. */
  isOverBudget(author: NodeId): boolean
  /** Resolves when more authors were admitted here, or after `waitMs`. */
  untilAdmitted(waitMs: number): Promise<void>
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
}

/** Serves the index methods to the network. What a peer asks wrongly is refused by the messenger; nothing here throws past it. */
export function serveIndexRequests(options: IndexRequestsOptions): void {
  const { overlay, log } = options
  const proofs = new HitProofs(log)
  overlay.serve(INDEX_METHODS.publish, async (_from, body) => {
    return encodePublishReply(await publish(decodePublish(body), options))
  })
  overlay.serve(INDEX_METHODS.search, async (_from, body) => answer(decodeSearch(body), options, proofs))
  overlay.serve(INDEX_METHODS.compare, async (_from, body) =>
    encodeCompareReply(await differences(decodeCompare(body), options)),
  )
  overlay.serve(INDEX_METHODS.fetch, async (_from, body) => {
    return encodeFetchReply(fitting(await signedIndexEvents(log, decodeFetch(body))))
  })
}

/** What its author's admission has not come before is taken as soon as that is here: a client that has just joined waits for it. */
async function publish(events: readonly SignedEvent[], options: IndexRequestsOptions): Promise<PublishOutcome[]> {
  const outcomes = await ingestIndexEvents(events, options)
  const deferred = events.flatMap((event, at) => (outcomes[at] === 'deferred' ? [{ event, at }] : []))
  if (deferred.length === 0) return outcomes
  await options.untilAdmitted(ADMITTED_WITHIN_MS)
  const again = await ingestIndexEvents(
    deferred.map(({ event }) => event),
    options,
  )
  deferred.forEach(({ at }, place) => {
    outcomes[at] = again[place] ?? 'deferred'
  })
  return outcomes
}

/** What this node holds in the sections whose digest is another here, as far as one message takes it. */
async function differences(
  asked: readonly SectionDigest[],
  { sections, yieldToEventLoop }: IndexRequestsOptions,
): Promise<CompareReply> {
  const differing: SectionContent[] = []
  let names = 0
  let compared = 0
  for (const { digest, ...section } of asked) {
    if (compared > 0 && compared % DIGESTS_IN_A_TURN === 0) await yieldToEventLoop()
    if (sections.digest(section) !== digest) {
      const held = sections.events(section)
      const split = held.length > LISTED_MAX && section.depth < SECTION_DEPTH_MAX
      const events = split ? [] : held.slice(0, EVENT_NAMES_MAX)
      if (names + events.length > EVENT_NAMES_MAX) break
      names += events.length
      differing.push({ ...section, events, split })
    }
    compared += 1
  }
  return { differing, compared }
}

/**
 * Stores signed torrent events of others: each must be in the index stream, of a torrent kind, and rightly signed.
 * Signatures are checked once, here, after the duplicates are out.
 */
export async function ingestIndexEvents(
  events: readonly SignedEvent[],
  {
    log,
    verify,
    view,
    isOverBudget,
  }: Pick<IndexRequestsOptions, 'verify' | 'view' | 'isOverBudget'> & { log: Pick<EventLog, 'has' | 'ingest'> },
): Promise<PublishOutcome[]> {
  const outcomes: PublishOutcome[] = events.map(() => 'refused')
  const wanted: { place: number; event: SignedEvent }[] = []
  const renewedBy = new Set<NodeId>()
  events.forEach((event, place) => {
    try {
      const header = scanBody(event.body)
      if (header.stream !== 'index' || !view.isIndexKind(header.kind)) return
      if (log.has(header)) outcomes[place] = 'duplicate'
      // Nothing of it is taken, and so nothing is checked: that would cost a thousand times as much.
      else if (isOverBudget(header.author) && !isFirstRenewal(header, renewedBy)) outcomes[place] = 'over-budget'
      else if (verify('event', event.body, event.signature, header.author)) wanted.push({ place, event })
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
    outcomes[place] = OUTCOME_OF[one.outcome]
  })
  return outcomes
}

/** There is room for it beyond the budget; one in a message says all that many would. */
function isFirstRenewal({ kind, author }: Pick<Header, 'kind' | 'author'>, renewedBy: Set<NodeId>): boolean {
  if (kind !== KINDS['offers.renewed'].number || renewedBy.has(author)) return false
  renewedBy.add(author)
  return true
}

const OUTCOME_OF: { readonly [O in Ingested['outcome']]: PublishOutcome } = {
  appended: 'stored',
  duplicate: 'duplicate',
  'over-budget': 'over-budget',
  rejected: 'refused',
  deferred: 'deferred',
}

/** Answers from this node's shard, or asks an owner where this node is none; one hop at most. */
async function answer(search: WireSearch, { overlay, view }: IndexRequestsOptions, proofs: HitProofs): Promise<Uint8Array> {
  if (search.hops === 0 && !view.isResponsible(search.text)) {
    const request = encodeSearch({ ...search, hops: 1 })
    for (const owner of view.ownersOfQuery(search.text)) {
      if (owner === overlay.self) continue
      try {
        const reply = await overlay.request(owner, INDEX_METHODS.search, request, { timeoutMs: FORWARD_TIMEOUT_MS })
        // Read and written again: an owner's nonsense is not passed on as ours.
        return encodeSearchReply(decodeSearchReply(reply))
      } catch {
        // The next owner; if none answers, what this node holds is better than nothing.
      }
    }
  }
  return fittingAnswer(search, view, proofs, overlay.self)
}

/** As many hits as were asked for and one message takes; the cursor goes on after them. */
async function fittingAnswer(search: WireSearch, view: IndexView, proofs: HitProofs, answeredBy: NodeId): Promise<Uint8Array> {
  const found = view.search({ ...search, limit: search.limit === 0 ? HITS_DEFAULT : search.limit })
  const all = await proofs.of(found.hits.slice(0, HITS_IN_A_MESSAGE_MAX))
  const hits = fittingHits(all)
  if (hits.length === found.hits.length) return encodeSearchReply({ ...found, hits, answeredBy })
  return encodeSearchReply({ hits, truncated: true, cursor: cursorAfter(search.cursor, hits.length), answeredBy })
}

import {
  type EventLog,
  type Header,
  type Ingested,
  KINDS,
  type NodeId,
  readableEvent,
  type SignedEvent,
  scanBody,
  type Upcast,
  type VerifySignature,
} from '../../events/index.ts'
import type { Overlay, RequestHandler } from '../../network/index.ts'
import { cursorAfter, HITS_DEFAULT, parseQuery, partitionOf } from '../../projections/keyword-index/index.ts'
import { wordsOf } from './covering-words.ts'
import { HitProofs } from './hit-proofs.ts'
import {
  type CompareReply,
  decodeCompare,
  decodeFetch,
  decodeNearWords,
  decodePublish,
  decodeSearch,
  decodeSearchReply,
  EVENT_NAMES_MAX,
  encodeCompareReply,
  encodeFetchReply,
  encodeNearWordsReply,
  encodePublishReply,
  encodeSearch,
  encodeSearchReply,
  FREQUENCIES_MAX,
  fittingHits,
  INDEX_METHODS,
  type PublishOutcome,
  type SectionContent,
  type SectionDigest,
  type WireSearch,
  type WireSearchReply,
  type WordCount,
} from './index-messages.ts'
import type { IndexView } from './index-view.ts'
import type { Levels } from './partition-levels.ts'
import { type PartitionSections, SECTION_DEPTH_MAX } from './partition-sections.ts'
import { RequestBounds } from './request-bounds.ts'
import { fittingIndexEvents } from './signed-events.ts'
import type { TitlePlaces } from './title-places.ts'

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
  log: Pick<EventLog, 'has' | 'ingest' | 'seqOf' | 'readSignedAt'>
  overlay: Overlay
  view: IndexView
  sections: PartitionSections
  levels: Levels
  places?: Pick<TitlePlaces, 'takes' | 'during' | 'of'> | undefined
  verify: VerifySignature
  upcast: Upcast
  /** True for an author of whom no more is kept for now. */
  isOverBudget(author: NodeId): boolean
  /** Makes the attempt now and with each admission that comes, until it succeeds or after `waitMs`. */
  untilAdmitted(attempt: () => boolean | Promise<boolean>, waitMs: number): Promise<void>
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
}

/** Serves the index methods to the network. What a peer asks wrongly is refused by the messenger; nothing here throws past it. */
export function serveIndexRequests(options: IndexRequestsOptions): void {
  const { overlay, log } = options
  const proofs = new HitProofs(log)
  const bounds = new RequestBounds()
  const serve = (method: string, handler: RequestHandler) =>
    overlay.serve(method, (from, body) => bounds.run(from, () => handler(from, body)))
  serve(INDEX_METHODS.publish, async (_from, body) => {
    const events = decodePublish(body)
    const outcomes = await publish(events, options)
    return encodePublishReply(outcomes, await countsInstead(events, outcomes, options))
  })
  serve(INDEX_METHODS.search, async (_from, body) => answer(decodeSearch(body), options, proofs))
  serve(INDEX_METHODS.nearWords, async (_from, body) => {
    const near: (readonly WordCount[])[] = []
    for (const word of decodeNearWords(body)) near.push(await options.view.nearWords(word))
    return encodeNearWordsReply(near)
  })
  serve(INDEX_METHODS.compare, async (_from, body) => encodeCompareReply(await differences(decodeCompare(body), options)))
  serve(INDEX_METHODS.fetch, async (_from, body) => {
    return encodeFetchReply(await fittingIndexEvents(log, decodeFetch(body)))
  })
}

/** What its author's admission has not come before is taken as soon as that is here: a client that has just joined waits for it. */
async function publish(events: readonly SignedEvent[], options: IndexRequestsOptions): Promise<PublishOutcome[]> {
  const outcomes = await ingestIndexEvents(events, options)
  const deferred = () => events.flatMap((event, at) => (outcomes[at] === 'deferred' ? [{ event, at }] : []))
  const again = async (some: readonly { event: SignedEvent; at: number }[]) => {
    const outcomesNow = await ingestIndexEvents(
      some.map(({ event }) => event),
      options,
    )
    for (const [place, { at }] of some.entries()) outcomes[at] = outcomesNow[place] ?? 'deferred'
  }
  if (deferred().length === 0) return outcomes
  await options.untilAdmitted(async () => {
    // The first of them tells whether it is worth while to check the others.
    const before = deferred()
    await again(before.slice(0, 1))
    const left = deferred()
    if (left.length < before.length) await again(left)
    return deferred().length === 0
  }, ADMITTED_WITHIN_MS)
  await again(deferred())
  return outcomes
}

/** Where one event is published that is held and not shown: what counts in its place, so that nobody is charged with hiding it. */
async function countsInstead(
  [event, ...more]: readonly SignedEvent[],
  [outcome]: readonly PublishOutcome[],
  { view, log, upcast }: IndexRequestsOptions,
): Promise<readonly SignedEvent[]> {
  if (event === undefined || more.length > 0 || (outcome !== 'stored' && outcome !== 'duplicate')) return []
  const scanned = scanBody(event.body)
  const { author, authorSeq } = scanned
  const said = readableEvent(scanned, upcast)
  if (said.kind !== 'torrent.published') return []
  const seq = await view.saidInstead({ infoHash: said.infoHash, author, authorSeq })
  return seq === undefined ? [] : log.readSignedAt([seq])
}

/** What this node holds in the sections whose digest is another here, as far as one message takes it. */
async function differences(
  asked: readonly SectionDigest[],
  { sections, levels, yieldToEventLoop }: IndexRequestsOptions,
): Promise<CompareReply> {
  const differing: SectionContent[] = []
  let names = 0
  let compared = 0
  for (const { digest, ...section } of asked) {
    if (compared > 0 && compared % DIGESTS_IN_A_TURN === 0) await yieldToEventLoop()
    if ((await sections.digest(section)) !== digest) {
      const held = await sections.events(section)
      const split = held.length > LISTED_MAX && section.depth < SECTION_DEPTH_MAX
      const events = split ? [] : held.slice(0, EVENT_NAMES_MAX)
      if (names + events.length > EVENT_NAMES_MAX) break
      names += events.length
      differing.push({ ...section, events, split })
    }
    compared += 1
  }
  return { differing, compared, level: levels.bits() }
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
    places,
  }: Pick<IndexRequestsOptions, 'verify' | 'view' | 'isOverBudget' | 'places'> & {
    log: Pick<EventLog, 'has' | 'ingest' | 'seqOf'>
  },
): Promise<PublishOutcome[]> {
  const outcomes: PublishOutcome[] = events.map(() => 'malformed')
  const wanted: { place: number; event: SignedEvent }[] = []
  const renewedBy = new Set<NodeId>()
  events.forEach((event, place) => {
    try {
      const header = scanBody(event.body)
      if (header.stream !== 'index' || !view.isIndexKind(header.kind)) return
      // What was let go of is known by its number, and not held.
      if (log.has(header)) outcomes[place] = log.seqOf(header) === undefined ? 'below-rank' : 'duplicate'
      // Nothing of it is taken, and so nothing is checked: that would cost a thousand times as much.
      else if (isOverBudget(header.author) && !isFirstRenewal(header, renewedBy)) outcomes[place] = 'over-budget'
      else if (!verify('event', event.body, event.signature, header.author)) outcomes[place] = 'forged'
      else if (places?.takes(header) === false) outcomes[place] = 'below-rank'
      else wanted.push({ place, event })
    } catch {
      // Not an event: stays malformed.
    }
  })
  const ingesting = log.ingest(
    wanted.map(({ event }) => event),
    { durable: true },
  )
  const ingested = await (places?.during(ingesting) ?? ingesting)
  ingested.forEach((one, index) => {
    const place = wanted[index]?.place
    if (place === undefined) return
    outcomes[place] = one.outcome === 'rejected' ? one.reason : OUTCOME_OF[one.outcome]
  })
  return outcomes
}

/** There is room for it beyond the budget; one in a message says all that many would. */
function isFirstRenewal({ kind, author }: Pick<Header, 'kind' | 'author'>, renewedBy: Set<NodeId>): boolean {
  if (kind !== KINDS['offers.renewed'].number || renewedBy.has(author)) return false
  renewedBy.add(author)
  return true
}

const OUTCOME_OF: { readonly [O in Exclude<Ingested['outcome'], 'rejected'>]: PublishOutcome } = {
  appended: 'stored',
  duplicate: 'duplicate',
  'over-budget': 'over-budget',
  deferred: 'deferred',
}

/**
 * Answers from this node's shard, or asks an owner where this node is none; one hop at most. Where it may lack something it says
 * so, and gives what it has.
 */
async function answer(search: WireSearch, options: IndexRequestsOptions, proofs: HitProofs): Promise<Uint8Array> {
  const { overlay, view, levels } = options
  const isOwner = view.isResponsible(search)
  let halfway: WireSearchReply | undefined
  if (search.hops === 0 && !isOwner) {
    const request = encodeSearch({ ...search, hops: 1 })
    for (const owner of view.ownersOfQuery(search)) {
      if (owner === overlay.self) continue
      try {
        const reply: WireSearchReply = decodeSearchReply(
          await overlay.request(owner, INDEX_METHODS.search, request, { timeoutMs: FORWARD_TIMEOUT_MS }),
        )
        // Read and written again: an owner's nonsense is not passed on as ours.
        if (reply.notLevel !== true) return encodeSearchReply(reply)
        halfway ??= reply
      } catch {
        // The next owner; if none answers, what this node holds is better than nothing.
      }
    }
  }
  if (halfway !== undefined) return encodeSearchReply(halfway)
  const { keyword } = search
  const isLevel = isOwner && (keyword === undefined ? levels.isLevelInAll : levels.isLevel(partitionOf(keyword)))
  return fittingAnswer(search, !isLevel, options, proofs)
}

/** As many hits as were asked for and one message takes; the cursor goes on after them. */
async function fittingAnswer(
  { text, limit, cursor }: WireSearch,
  notLevel: boolean,
  { view, overlay, places }: IndexRequestsOptions,
  proofs: HitProofs,
): Promise<Uint8Array> {
  const found = await view.search({ text, cursor, limit: limit === 0 ? HITS_DEFAULT : limit })
  const all = await proofs.of(found.hits.slice(0, HITS_IN_A_MESSAGE_MAX))
  const hits = fittingHits(all)
  const answered = {
    hits,
    answeredBy: overlay.self,
    notLevel,
    frequencies: notLevel ? [] : await frequencies(text, view, places),
  }
  if (hits.length === found.hits.length) return encodeSearchReply({ ...found, ...answered })
  return encodeSearchReply({ ...answered, truncated: true, cursor: cursorAfter(cursor, hits.length) })
}

/** How common those words of a query are of which this node holds every document. */
async function frequencies(text: string, view: IndexView, places: IndexRequestsOptions['places']): Promise<WordCount[]> {
  const words = wordsOf(parseQuery(text))
    .filter((keyword) => view.isResponsible({ text, keyword }))
    .slice(0, FREQUENCIES_MAX)
  const counts = await view.frequencies(words)
  return words.map((word, at) => {
    const documents = counts[at] ?? 0
    const cut = places?.of(word)
    return cut === undefined ? { word, documents } : { word, documents: Math.max(documents, cut.known), kept: cut.kept }
  })
}

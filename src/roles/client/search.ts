import type { NodeId, Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { type PublisherOf, type Query, spread } from '../../projections/keyword-index/index.ts'
import { hitsAsked } from '../hits-asked.ts'
import type { IndexMap, QueryPlan } from '../index-node/index-map.ts'
import { decodeSearchReply, encodeSearch, INDEX_METHODS } from '../index-node/index-messages.ts'
import { magnetOf } from '../magnet.ts'
import { queryAsked } from '../query-asked.ts'
import { type SearchRequest, type SearchResult, ServiceError } from '../services.ts'
import { askHedged, type HedgedAnswer, type HedgedResult } from './hedged-request.ts'
import type { HeldOffOwners } from './held-off-owners.ts'
import { type ProofRules, type ProvenHit, provenHits } from './proven-hits.ts'

/** The second owner is asked when the first has not answered for so long: far above a healthy answer, ms. */
const HEDGE_AFTER_MS = 400
const DEADLINE_MS = 5_000
/**
 * Once the first owner has answered, the second has so long to confirm it: no search waits for an owner that is slow. Where
 * the first finds nothing, it is waited for as long as for any, since that is what a liar would say, ms.
 */
const CONFIRMED_WITHIN_MS = 150
/** So long for the admission of authors whose hits come before it, ms. */
const ADMITTED_WITHIN_MS = 2_000
/** No further page is asked for after this: what there is by then is the answer, with the cursor, ms. */
const PAGES_MS_MAX = 15_000
/** Pages in a row that bring nothing: of authors who are not admitted, say. One more would be the first of many. */
const BARREN_PAGES_MAX = 3
/** A client that has just started waits so long for the first index node to become known, ms. */
const KNOWN_WAIT_MS = 5_000

export type SearchOptions = {
  overlay: Pick<Overlay, 'request'>
  timers: Timers
  map: IndexMap
  /** Resolves when an index node is known, or after `waitMs`. */
  untilIndexKnown(waitMs: number): Promise<void>
  proofs: ProofRules
  /** Kept from one search to the next. */
  heldOff: HeldOffOwners
}

/** What an owner proved, page after page. */
type Answer = { hits: ProvenHit[]; truncated: boolean; cursor: string; answeredBy: NodeId }

/** Asks the owners of a query's keywords: one owner for each part of the plan, in parallel, and joins what they say. */
export async function searchNetwork(request: SearchRequest, options: SearchOptions): Promise<SearchResult> {
  const startedAt = performance.now()
  const limit = hitsAsked(request.limit)
  const query = queryAsked(request.text)
  await options.untilIndexKnown(KNOWN_WAIT_MS)
  const plan = options.map.plan(request.text)
  if (plan.length === 0)
    throw new ServiceError('failed', 'no index node is known to be alive: a network needs at least one (`p2pt index start`)')
  const asked = { text: request.text, query, limit, cursor: request.cursor ?? '' }
  const answers = await Promise.all(plan.map((part) => askPart(part, asked, options)))
  return joined(request.text, plan, answers, limit, startedAt)
}

type Asked = { text: string; query: Query; limit: number; cursor: string }

/**
 * What two of the owners say, as one: an owner can keep silent about what it has, and the other will not have it so. One
 * that sends what nobody signed is not listened to, asked last from then on, and another asked in its place.
 */
async function askPart(part: QueryPlan[number], asked: Asked, options: SearchOptions): Promise<HedgedResult<Answer>> {
  const owners = options.heldOff.last(part.owners)
  const [first, ...others] = owners
  if (first === undefined || others.length === 0) return askPages(owners, asked, options)
  const called = new AbortController()
  const confirming = askPage([...others, first], asked, options, called.signal)
  const one = await askPages(owners, asked, options)
  const isFound = (one.result?.answer.hits.length ?? 0) > 0
  const two = isFound ? await within(CONFIRMED_WITHIN_MS, confirming, options.timers) : await confirming
  called.abort()
  if (two === undefined) return one
  const failed = [...new Map([...one.failed, ...two.failed].map((failure) => [failure.node, failure])).values()]
  if (two.result === undefined) return { ...one, failed }
  if (!isFound) {
    const rest = await askPages([two.result.by, ...owners.filter((owner) => owner !== two.result?.by)], asked, options, two)
    return {
      result: rest.result,
      failed: [...failed, ...rest.failed.filter(({ node }) => failed.every((f) => f.node !== node))],
    }
  }
  if (one.result === undefined) return { ...two, failed }
  const { by, answer } = one.result
  const hits = joinedHits([answer.hits, two.result.answer.hits])
  const truncated = answer.truncated || hits.length > asked.limit
  return { result: { by, answer: { ...answer, hits: hits.slice(0, asked.limit), truncated } }, failed }
}

function within<T>(waitMs: number, promise: Promise<T>, timers: Timers): Promise<T | undefined> {
  return new Promise((resolve) => {
    const cancel = timers.after(waitMs, () => resolve(undefined))
    void promise.then((value) => {
      cancel()
      resolve(value)
    })
  })
}

/**
 * The answer of one of the owners, page by page, since a message takes some hundred hits. The pages are asked of the same
 * owner; where it fails in between, another goes on from the same place of its own list, which is nearly the same one.
 * @param begun the first page, where it is there already
 */
async function askPages(
  all: readonly NodeId[],
  asked: Asked,
  options: SearchOptions,
  begun?: HedgedResult<Answer>,
): Promise<HedgedResult<Answer>> {
  let isLate = false
  const cancel = options.timers.after(PAGES_MS_MAX, () => {
    isLate = true
  })
  const hits = new Map<string, ProvenHit>()
  const failed = new Map<NodeId, { node: NodeId; reason: string }>()
  let last: HedgedAnswer<Answer>
  let owners = all
  let next = begun
  let barren = 0
  try {
    for (;;) {
      const cursor = last?.answer.cursor ?? asked.cursor
      const page = next ?? (await askPage(owners, { ...asked, cursor, limit: asked.limit - hits.size }, options))
      next = undefined
      for (const failure of page.failed) failed.set(failure.node, failure)
      if (page.result === undefined) {
        if (last !== undefined) last = { ...last, answer: { ...last.answer, truncated: true } }
        break
      }
      const { answer, by } = page.result
      last = page.result
      const before = hits.size
      for (const hit of answer.hits) if (!hits.has(hit.infoHash)) hits.set(hit.infoHash, hit)
      barren = hits.size === before ? barren + 1 : 0
      if (answer.cursor === '' || hits.size >= asked.limit || barren === BARREN_PAGES_MAX || isLate) break
      owners = [by, ...all.filter((owner) => owner !== by)]
    }
  } finally {
    cancel()
  }
  const result = last && { by: last.by, answer: { ...last.answer, hits: [...hits.values()] } }
  return { result, failed: [...failed.values()] }
}

/** One message of one owner, of which everything is proven; never rejects. */
function askPage(
  owners: readonly NodeId[],
  { query, ...asked }: Asked,
  { overlay, timers, proofs, heldOff }: SearchOptions,
  called?: AbortSignal,
): Promise<HedgedResult<Answer>> {
  const body = encodeSearch({ ...asked, hops: 0 })
  return askHedged(
    owners,
    async (node, signal) => {
      const either = called === undefined ? signal : AbortSignal.any([signal, called])
      const options = { timeoutMs: DEADLINE_MS, signal: either }
      const reply = decodeSearchReply(await overlay.request(node, INDEX_METHODS.search, body, options))
      const { hits, forged, unknown } = await provenHits(reply.hits, query, proofs, ADMITTED_WITHIN_MS)
      if (forged > 0) {
        heldOff.holdOff(node)
        throw new Error(`${forged} of its ${reply.hits.length} hits are signed by nobody`)
      }
      // Perhaps we are new here. But anybody can sign with keys that nobody admitted, and have us wait for them each time.
      if (unknown > 0) heldOff.holdOff(node)
      return { ...reply, hits }
    },
    { hedgeAfterMs: HEDGE_AFTER_MS, deadlineMs: DEADLINE_MS, timers },
  )
}

function joined(
  query: string,
  plan: QueryPlan,
  answers: readonly HedgedResult<Answer>[],
  limit: number,
  startedAt: number,
): SearchResult {
  const failed = answers.flatMap((answer) => answer.failed)
  const replies = answers.flatMap(({ result }) => (result === undefined ? [] : [result.answer]))
  if (replies.length === 0) {
    const reasons = failed.map(({ node, reason }) => `${node.slice(0, 8)}: ${reason}`).join('; ')
    throw new ServiceError('failed', `no index node answered (${reasons || 'none is known'})`)
  }
  const hits = joinedHits(replies.map((reply) => reply.hits))
  const [first] = plan
  // A page of several answers has no place in any of them to go on from.
  const cursor = plan.length === 1 ? replies[0]?.cursor : ''
  return {
    query,
    hits: hits.slice(0, limit).map((hit) => ({
      infoHash: hit.infoHash,
      title: hit.title,
      sizeBytes: hit.sizeBytes,
      fileCount: hit.fileCount,
      tags: [...hit.tags],
      seeders: hit.seeders,
      seedersProven: hit.provenSeeders.size,
      publisher: hit.publisher,
      publishedAt: hit.publishedAt,
      magnet: magnetOf(hit.infoHash, hit.title),
    })),
    truncated: hits.length > limit || replies.some((reply) => reply.truncated),
    cursor: cursor === '' || cursor === undefined ? null : cursor,
    keyword: first?.keyword ?? null,
    partition: first?.partition ?? null,
    answeredBy: replies[0]?.answeredBy ?? null,
    failed,
    elapsedMs: Math.round(performance.now() - startedAt),
  }
}

/**
 * Answers of several owners as one: by the best place that any of them gave a hit, then by seeders, and spread over the
 * publishers again, since owners that hold other titles of one that floods them would otherwise give it twice its places.
 * Each answer is in the order of its own index, whose scores do not travel; what all agree on stays in that order. Of
 * seeders the fewest that anybody says, but all that are proven: a number is easily said.
 */
export function joinedHits(answers: readonly (readonly ProvenHit[])[]): ProvenHit[] {
  const best = new Map<string, { place: number; hit: ProvenHit }>()
  for (const hits of answers) {
    hits.forEach((hit, place) => {
      const known = best.get(hit.infoHash)
      if (known === undefined) best.set(hit.infoHash, { place, hit })
      else best.set(hit.infoHash, { place: Math.min(place, known.place), hit: agreed(known.hit, hit) })
    })
  }
  const inOrder = [...best.values()]
    .sort((a, b) => a.place - b.place || b.hit.seeders - a.hit.seeders || (a.hit.infoHash < b.hit.infoHash ? -1 : 1))
    .map(({ hit }) => hit)
  return spread(inOrder, PUBLISHER_OF)
}

const PUBLISHER_OF: PublisherOf<ProvenHit> = { authorOf: ({ publisher }) => publisher, partyOf: ({ party }) => party }

function agreed(one: ProvenHit, two: ProvenHit): ProvenHit {
  const provenSeeders = new Set([...one.provenSeeders, ...two.provenSeeders])
  return { ...one, provenSeeders, seeders: Math.max(provenSeeders.size, Math.min(one.seeders, two.seeders)) }
}

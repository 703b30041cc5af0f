import type { NodeId, Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { hitsAsked } from '../hits-asked.ts'
import type { IndexMap, QueryPlan } from '../index-node/index-map.ts'
import {
  decodeSearchReply,
  encodeSearch,
  INDEX_METHODS,
  QUERY_LENGTH_MAX,
  type WireHit,
  type WireSearchReply,
} from '../index-node/index-messages.ts'
import { magnetOf } from '../magnet.ts'
import { type SearchRequest, type SearchResult, ServiceError } from '../services.ts'
import { askHedged, type HedgedAnswer, type HedgedResult } from './hedged-request.ts'

/** The second owner is asked when the first has not answered for so long: far above a healthy answer, ms. */
const HEDGE_AFTER_MS = 400
const DEADLINE_MS = 5_000
/** No further page is asked for after this: what there is by then is the answer, with the cursor, ms. */
const PAGES_MS_MAX = 15_000
/** A client that has just started waits so long for the first index node to become known, ms. */
const KNOWN_WAIT_MS = 5_000

export type SearchOptions = {
  overlay: Pick<Overlay, 'request'>
  timers: Timers
  map: IndexMap
  /** Resolves when an index node is known, or after `waitMs`. */
  untilIndexKnown(waitMs: number): Promise<void>
}

/** Asks the owners of a query's keywords: one owner for each part of the plan, in parallel, and joins what they say. */
export async function searchNetwork(request: SearchRequest, options: SearchOptions): Promise<SearchResult> {
  const startedAt = performance.now()
  const limit = hitsAsked(request.limit)
  if (request.text.length > QUERY_LENGTH_MAX)
    throw new ServiceError('usage', `a query has at most ${QUERY_LENGTH_MAX} characters`)
  await options.untilIndexKnown(KNOWN_WAIT_MS)
  const plan = options.map.plan(request.text)
  if (plan.length === 0) {
    throw new ServiceError(
      'failed',
      options.map.indexNodes().length === 0
        ? 'no index node is known to be alive: a network needs at least one (`p2pt index start`)'
        : 'give at least one word to search for',
    )
  }
  const asked = { text: request.text, limit, cursor: request.cursor ?? '' }
  const answers = await Promise.all(plan.map((part) => askPart(part, asked, options)))
  return joined(request.text, plan, answers, limit, startedAt)
}

type Asked = { text: string; limit: number; cursor: string }

/**
 * The answer of one of the owners, page by page, since a message takes some hundred hits. The pages are asked of the same
 * owner; where it fails in between, another goes on from the same place of its own list, which is nearly the same one.
 */
async function askPart(part: QueryPlan[number], asked: Asked, options: SearchOptions): Promise<HedgedResult<WireSearchReply>> {
  let isLate = false
  const cancel = options.timers.after(PAGES_MS_MAX, () => {
    isLate = true
  })
  const hits = new Map<string, WireHit>()
  const failed = new Map<NodeId, { node: NodeId; reason: string }>()
  let last: HedgedAnswer<WireSearchReply>
  let { owners } = part
  try {
    for (;;) {
      const cursor = last?.answer.cursor ?? asked.cursor
      const page = await askPage(owners, { ...asked, cursor, limit: asked.limit - hits.size }, options)
      for (const failure of page.failed) failed.set(failure.node, failure)
      if (page.result === undefined) {
        if (last !== undefined) last = { ...last, answer: { ...last.answer, truncated: true } }
        break
      }
      const { answer, by } = page.result
      last = page.result
      const before = hits.size
      for (const hit of answer.hits) if (!hits.has(hit.infoHash)) hits.set(hit.infoHash, hit)
      // A page that brings nothing new would be the first of many.
      if (answer.cursor === '' || hits.size >= asked.limit || hits.size === before || isLate) break
      owners = [by, ...part.owners.filter((owner) => owner !== by)]
    }
  } finally {
    cancel()
  }
  const result = last && { by: last.by, answer: { ...last.answer, hits: [...hits.values()] } }
  return { result, failed: [...failed.values()] }
}

function askPage(owners: readonly NodeId[], asked: Asked, { overlay, timers }: SearchOptions) {
  const body = encodeSearch({ ...asked, hops: 0 })
  return askHedged(
    owners,
    async (node, signal) =>
      decodeSearchReply(await overlay.request(node, INDEX_METHODS.search, body, { timeoutMs: DEADLINE_MS, signal })),
    { hedgeAfterMs: HEDGE_AFTER_MS, deadlineMs: DEADLINE_MS, timers },
  )
}

function joined(
  query: string,
  plan: QueryPlan,
  answers: readonly HedgedResult<WireSearchReply>[],
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
      tags: hit.tags,
      seeders: hit.seeders,
      publisher: hit.publisher,
      publishedAt: hit.publishedAt,
      magnet: magnetOf(hit.infoHash, hit.title),
    })),
    truncated: hits.length > limit || replies.some((reply) => reply.truncated),
    cursor: cursor === '' || cursor === undefined ? null : cursor,
    keyword: first?.keyword ?? null,
    partition: first?.partition ?? null,
    answeredBy: (replies[0]?.answeredBy as NodeId | undefined) ?? null,
    failed,
    elapsedMs: Math.round(performance.now() - startedAt),
  }
}

/**
 * Answers of several owners as one: by the best place that any of them gave a hit, then by seeders. Each answer is in
 * the order of its own index, whose scores do not travel; what all agree on stays in that order.
 */
export function joinedHits(answers: readonly (readonly WireHit[])[]): WireHit[] {
  const best = new Map<string, { place: number; hit: WireHit }>()
  for (const hits of answers) {
    hits.forEach((hit, place) => {
      const known = best.get(hit.infoHash)
      best.set(hit.infoHash, {
        place: Math.min(place, known?.place ?? place),
        hit: known !== undefined && known.hit.seeders >= hit.seeders ? known.hit : hit,
      })
    })
  }
  return [...best.values()]
    .sort((a, b) => a.place - b.place || b.hit.seeders - a.hit.seeders || (a.hit.infoHash < b.hit.infoHash ? -1 : 1))
    .map(({ hit }) => hit)
}

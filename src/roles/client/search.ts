import { believedTime, OWNER_COUNT } from '../../projections/keyword-index/index.ts'
import { hitsAsked } from '../hits-asked.ts'
import type { IndexMap, QueryPart } from '../index-node/index-map.ts'
import { magnetOf } from '../magnet.ts'
import { queryAsked } from '../query-asked.ts'
import {
  type CursorPart,
  decodeCursor,
  encodeCursor,
  isSamePart,
  type PartName,
  type SearchPlace,
  shownMark,
} from '../search-cursor.ts'
import { searchOrMeant } from '../search-meant.ts'
import { type SearchRequest, type SearchResult, ServiceError } from '../services.ts'
import { joinedHits } from './joined-hits.ts'
import { queryMeant } from './near-words.ts'
import {
  askPart,
  CONFIRMED_WITHIN_MS,
  HEDGE_AFTER_MS,
  type OwnerOptions,
  type PartAnswer,
  type PlacedHit,
} from './owner-answers.ts'
import type { ProvenHit } from './proven-hits.ts'

/** A client that has just started waits so long for the first index node to become known, ms. */
const KNOWN_WAIT_MS = 5_000

export type SearchOptions = OwnerOptions & {
  map: IndexMap
  /** Resolves when an index node is known, or after `waitMs`. */
  untilIndexKnown(waitMs: number): Promise<void>
  /** 0 to 1, for the salt of a cursor. */
  random(): number
}

/**
 * Asks the owners of a query's keywords, and where nothing is found at all, what may have been meant.
 * @throws ServiceError `usage` for a query or cursor that is none; `failed` where no index node answers
 */
export const searchNetwork = (request: SearchRequest, options: SearchOptions): Promise<SearchResult> =>
  searchOrMeant(
    request,
    (one) => searchOnce(one, options),
    (query) => queryMeant(query, options),
  )

/** Two owners for each part of the plan, all parts at once; joins what they say. */
async function searchOnce(request: SearchRequest, options: SearchOptions): Promise<SearchResult> {
  const startedAt = performance.now()
  // Half a character travels nowhere.
  const text = request.text.toWellFormed()
  const limit = hitsAsked(request.limit)
  const query = queryAsked(text)
  const place: SearchPlace = request.cursor
    ? decodeCursor(text, request.cursor)
    : { parts: [], salt: Math.floor(options.random() * 2 ** 32), shown: new Set() }
  await options.untilIndexKnown(KNOWN_WAIT_MS)
  const { map } = options
  const plan = map.plan(text, (word) => options.frequencies.of(word))
  if (plan.length === 0)
    throw new ServiceError('failed', 'no index node is known to be alive: a network needs at least one (`p2pt index start`)')
  const isShown = ({ infoHash }: ProvenHit) => place.shown.size > 0 && place.shown.has(shownMark(place.salt, infoHash))
  const enough = new AbortController()
  const asked = { text, query, limit, isShown, enough: enough.signal }
  const begun = plan.map((part) => ({ part, from: positionOf(part, plan, place) }))
  let cancel: (() => void) | undefined
  const missing = new Set(begun.flatMap(({ part, from }) => (from === 'end' ? [] : [part])))
  const answered = (part: QueryPart, { complete }: PartAnswer) => {
    if (complete) missing.delete(part)
    if (plan.length === 1 || part.keyword !== null || missing.size === 0 || missing.size >= OWNER_COUNT) return
    // Every title is with three: what the last two hold others have told. They have a moment to confirm it, if they are not dead.
    const isSlow = [...missing].every(({ owners: [node] }) => node !== undefined && options.slow.isHeldOff(node))
    if (isSlow) enough.abort()
    else cancel ??= options.timers.after(CONFIRMED_WITHIN_MS, () => enough.abort())
  }
  const answers = await Promise.all(
    begun.flatMap(({ part, from }) => {
      if (from === 'end') return []
      return askPart(part, from, asked, options).then((answer) => {
        answered(part, answer)
        return [{ part, answer }]
      })
    }),
  ).then((all) => all.flat())
  cancel?.()
  return resultOf(text, { answers, begun, place, limit, isShown, map, startedAt, now: options.now() })
}

/** An answer for one page knows the whole list behind it, whichever word of the query it was asked for. */
function positionOf(part: QueryPart, plan: readonly QueryPart[], { parts }: SearchPlace): CursorPart['position'] {
  const [only] = parts
  if (plan.length === 1 && parts.length === 1 && only !== undefined) return only.position
  return parts.find((one) => isSamePart(one.part, nameOf(part)))?.position ?? 0
}

/** A part without a partition is one node, or the first of all. */
const nameOf = ({ partition, owners: [node] }: QueryPart): PartName =>
  partition === null && node !== undefined ? { node } : { partition: partition ?? 0 }

type Found = {
  answers: readonly { part: QueryPart; answer: PartAnswer }[]
  begun: readonly { part: QueryPart; from: CursorPart['position'] }[]
  place: SearchPlace
  limit: number
  isShown(hit: ProvenHit): boolean
  map: IndexMap
  startedAt: number
  now: number
}

function resultOf(query: string, found: Found): SearchResult {
  const { answers, begun, limit, map } = found
  const parts = answers.map(({ answer: { keyword, partition, complete, asked } }) => ({
    ...{ keyword, partition, asked: asked.rows(), complete, cut: asked.cut },
  }))
  const failed = failures(parts)
  const answered = answers.filter(({ answer }) => answer.lists.length > 0)
  if (answers.length > 0 && answered.length === 0) {
    const reasons = failed.map(({ node, reason }) => `${node.slice(0, 8)}: ${reason}`).join('; ')
    throw new ServiceError('failed', `no index node answered (${reasons || 'none is known'})`)
  }
  const all = joinedHits(
    answers.map(({ answer }) => joinedHits(answer.lists.map((list) => list.map(({ hit }) => hit)))),
  ).filter((hit) => !found.isShown(hit))
  const hits = all.slice(0, limit)
  const { cursor, isMore } = cursorAfter(query, hits, found)
  return {
    query,
    corrected: null,
    hits: hits.map((hit) => ({
      infoHash: hit.infoHash,
      title: hit.title,
      sizeBytes: hit.sizeBytes,
      fileCount: hit.fileCount,
      tags: [...hit.tags],
      seeders: hit.seeders,
      seedersProven: hit.provenSeeders.size,
      ...(hit.seeders === 0 && hit.lastSeenAt > 0 ? { lastSeenAt: hit.lastSeenAt } : {}),
      publisher: hit.publisher,
      publishedAt: believedTime(hit.publishedAt, found.now),
      magnet: magnetOf(hit.infoHash, hit.title),
    })),
    truncated: all.length > limit || isMore || answered.some(({ answer }) => answer.truncated),
    cursor,
    complete: isComplete(parts, begun.length - answers.length, map),
    parts,
    charged: answers.flatMap(({ answer }) => answer.charged),
    keyword: begun[0]?.part.keyword ?? null,
    partition: begun[0]?.part.partition ?? null,
    answeredBy: answered[0]?.answer.answeredBy ?? null,
    failed,
    elapsedMs: Math.round(performance.now() - found.startedAt),
  }
}

/** Each node once: those that failed, and those that were silent for so long that others were asked in their place. */
function failures(parts: SearchResult['parts']): SearchResult['failed'] {
  const failed = new Map<string, SearchResult['failed'][number]>()
  for (const { node, outcome, reason, elapsedMs } of parts.flatMap(({ asked }) => asked)) {
    if (outcome === 'failed' || (outcome === 'silent' && elapsedMs >= HEDGE_AFTER_MS))
      failed.set(node, { node, reason: reason ?? 'no answer' })
  }
  return [...failed.values()]
}

/**
 * Of a word one owner that is level knows everything. Where each node was asked for what it holds, each title is held by
 * three of them: fewer than that may be missing.
 */
function isComplete(parts: SearchResult['parts'], ended: number, map: IndexMap): boolean {
  if (parts.every(({ keyword }) => keyword !== null)) return parts.every(({ complete }) => complete)
  const nodes = map.indexNodes().length
  const answered = parts.filter(({ complete }) => complete).length + ended
  return parts.length + ended === 1 ? answered === 1 : nodes - answered < OWNER_COUNT
}

/**
 * Where the next page begins: each part behind the last hit before which all have been shown, in the lists of all its owners;
 * and what was shown, where it may come again.
 */
function cursorAfter(
  query: string,
  hits: readonly ProvenHit[],
  { answers, begun, place, isShown }: Found,
): { cursor: string | null; isMore: boolean } {
  const page = new Set(hits.map(({ infoHash }) => infoHash))
  const isWaiting = ({ hit }: PlacedHit) => !page.has(hit.infoHash) && !isShown(hit)
  const positions = new Map<QueryPart, CursorPart['position']>()
  const comesAgain = new Set<string>()
  for (const { part, answer } of answers) {
    const waiting = answer.lists.flatMap((list) => {
      const first = list.findIndex(isWaiting)
      return first < 0 ? [] : [list[first - 1]?.after ?? answer.from]
    })
    const position = waiting.length > 0 ? Math.min(...waiting) : answer.next
    positions.set(part, position)
    if (position === 'end') continue
    for (const { hit, after } of answer.lists.flat()) if (after > position) comesAgain.add(hit.infoHash)
  }
  const parts = begun.map(({ part, from }) => ({ part: nameOf(part), position: positions.get(part) ?? from }))
  if (parts.every(({ position }) => position === 'end')) return { cursor: null, isMore: false }
  // Another list may have what this one has shown, further back.
  const kept = begun.length > 1 ? hits : hits.filter(({ infoHash }) => comesAgain.has(infoHash))
  const shown = new Set([...place.shown, ...kept.map(({ infoHash }) => shownMark(place.salt, infoHash))])
  return { cursor: encodeCursor(query, { parts, salt: place.salt, shown }) ?? null, isMore: true }
}

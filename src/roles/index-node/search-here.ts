import type { NodeId } from '../../events/index.ts'
import { correctedQuery, mayBeSlips } from '../corrected-query.ts'
import { hitsAsked } from '../hits-asked.ts'
import { magnetOf } from '../magnet.ts'
import { queryAsked } from '../query-asked.ts'
import { decodeCursor, encodeCursor, isSamePart } from '../search-cursor.ts'
import { searchOrMeant } from '../search-meant.ts'
import type { SearchRequest, SearchResult } from '../services.ts'
import type { IndexMap } from './index-map.ts'
import { NEAR_ASKED_MAX } from './index-messages.ts'
import type { IndexView } from './index-view.ts'

export type SearchHereParts = { view: IndexView; map: IndexMap; own: NodeId }

/**
 * What this node itself holds, without asking another; where that is nothing, what may have been meant.
 * @throws ServiceError `usage` for a query or cursor that is none
 */
export const searchHere = (request: SearchRequest, parts: SearchHereParts): Promise<SearchResult> =>
  searchOrMeant(
    request,
    (one) => searchOnce(one, parts),
    (query) => queryMeant(query, parts.view),
  )

async function queryMeant(query: string, view: IndexView): Promise<string | undefined> {
  const corrections = new Map<string, string>()
  for (const word of mayBeSlips(query, NEAR_ASKED_MAX)) {
    const [best] = await view.nearWords(word)
    if (best !== undefined) corrections.set(word, best.word)
  }
  return correctedQuery(query, corrections)
}

async function searchOnce(
  { text, limit: asked, cursor: goesOn }: SearchRequest,
  { view, map, own: node }: SearchHereParts,
): Promise<SearchResult> {
  const limit = hitsAsked(asked)
  queryAsked(text)
  const startedAt = performance.now()
  const own = { node }
  const place = goesOn ? decodeCursor(text, goesOn).parts.find(({ part }) => isSamePart(part, own)) : undefined
  const position = place === undefined || place.position === 'end' ? 0 : place.position
  const reply = await view.search({ text, limit, cursor: position === 0 ? '' : String(position) })
  const [part] = map.plan(text)
  const [keyword, partition] = [part?.keyword ?? null, part?.partition ?? null]
  const next = { parts: [{ part: own, position: Number(reply.cursor) }], salt: 0, shown: new Set<number>() }
  return {
    query: text,
    corrected: null,
    hits: reply.hits.map(({ infoHash, title, sizeBytes, fileCount, tags, seeders, lastSeenAt, publisher, publishedAt }) => ({
      ...{ infoHash, title, sizeBytes, fileCount, tags: [...tags], seeders, publisher, publishedAt },
      // Every word of them is in the log of this node.
      ...(seeders === 0 && lastSeenAt > 0 ? { lastSeenAt } : {}),
      ...{ seedersProven: seeders, magnet: magnetOf(infoHash, title) },
    })),
    truncated: reply.truncated,
    cursor: reply.cursor === '' ? null : (encodeCursor(text, next) ?? null),
    ...{ keyword, partition, answeredBy: node, failed: [], charged: [] },
    // It was not asked of the others.
    ...{ complete: false, parts: [] },
    elapsedMs: Math.round(performance.now() - startedAt),
  }
}

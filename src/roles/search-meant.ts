import { type SearchRequest, type SearchResult, ServiceError } from './services.ts'

/**
 * Searches, and where nothing is found at all for a first page, searches once more for what may have been meant.
 * @param queryMeant another query, or undefined where there is none
 * @throws whatever `search` throws for the request itself
 */
export async function searchOrMeant(
  request: SearchRequest,
  search: (request: SearchRequest) => Promise<SearchResult>,
  queryMeant: (query: string) => Promise<string | undefined>,
): Promise<SearchResult> {
  const startedAt = performance.now()
  const result = await search(request)
  if (result.hits.length > 0 || request.cursor) return result
  const text = await queryMeant(result.query)
  if (text === undefined) return result
  try {
    const other = await search({ ...request, text })
    if (other.hits.length === 0) return result
    return { ...other, query: result.query, corrected: other.query, elapsedMs: Math.round(performance.now() - startedAt) }
  } catch (error) {
    // It can be a letter too long for a query, or nobody answers any more: the first answer stands.
    if (error instanceof ServiceError) return result
    throw error
  }
}

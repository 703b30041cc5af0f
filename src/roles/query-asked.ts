import { utf8Length } from '../events/index.ts'
import { parseQuery, type Query } from '../projections/keyword-index/index.ts'
import { QUERY_BYTES_MAX } from './index-node/index-messages.ts'
import { ServiceError } from './services.ts'

/** What a caller's query asks for. @throws ServiceError `usage`, with a sentence, where that cannot be told */
export function queryAsked(text: string): Query {
  if (utf8Length(text) > QUERY_BYTES_MAX) throw new ServiceError('usage', `a query has at most ${QUERY_BYTES_MAX} bytes`)
  const query = parseQuery(text)
  if (query.problem !== undefined) throw new ServiceError('usage', query.problem.sentence)
  return query
}

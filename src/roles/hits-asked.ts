import { HITS_DEFAULT, HITS_MAX, ServiceError } from './services.ts'

/** How many hits a caller wants. @throws ServiceError `usage` for none, or more than an answer has */
export function hitsAsked(limit: number = HITS_DEFAULT): number {
  if (limit >= 1 && limit <= HITS_MAX) return limit
  throw new ServiceError('usage', `a search gives 1 to ${HITS_MAX} hits, not ${limit}; its cursor goes on after them`)
}

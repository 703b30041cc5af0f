import type { LogQueries } from '../services.ts'

/** Queries that are made ready at the first question. */
export function lazyQueries(open: () => Promise<LogQueries>): Omit<LogQueries, 'verify'> {
  return {
    async *events(filter) {
      yield* (await open()).events(filter)
    },
    async *signed(filter) {
      yield* (await open()).signed(filter)
    },
    stats: async () => (await open()).stats(),
    scores: async () => (await open()).scores(),
    explain: async (peer) => (await open()).explain(peer),
    replay: async (request) => (await open()).replay(request),
    members: async () => (await open()).members(),
    digests: async (options) => (await open()).digests(options),
  }
}

import type { LogQueries } from '../services.ts'

/** Queries that are made ready at the first question. */
export function lazyQueries(open: () => Promise<LogQueries>): Omit<LogQueries, 'verify' | 'stats'> {
  return {
    async *events(filter) {
      yield* (await open()).events(filter)
    },
    async *signed(filter) {
      yield* (await open()).signed(filter)
    },
    head: async () => (await open()).head(),
    place: async (when) => (await open()).place(when),
    scores: async (asOf) => (await open()).scores(asOf),
    explain: async (peer, asOf) => (await open()).explain(peer, asOf),
    async *hindsight(asOf) {
      return yield* (await open()).hindsight(asOf)
    },
    async *bisect(peer, asOf) {
      return yield* (await open()).bisect(peer, asOf)
    },
    async *diff(options) {
      return yield* (await open()).diff(options)
    },
    async *audit(about) {
      return yield* (await open()).audit(about)
    },
    async *replay(request) {
      return yield* (await open()).replay(request)
    },
    members: async (asOf) => (await open()).members(asOf),
    digests: async (options) => (await open()).digests(options),
    network: async () => (await open()).network(),
  }
}

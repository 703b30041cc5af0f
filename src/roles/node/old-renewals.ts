import { arrivedBefore, type Clock, type LogView, type NodeId, type PrunableLog } from '../../events/index.ts'
import type { EvictionParts } from './eviction.ts'

// A later renewal of an author's offers makes its earlier ones worth nothing. The last of each stays, however old: it says when its
// author was last seen, and a replay needs no other. See docs/adr/0029-renewed-offers.md.

const RENEWALS = ['offers.renewed'] as const
/** They are of use to nobody at once; what has just come may still be asked for. */
const KEPT_MS = 86_400_000
/** So many that went are counted against budgets until the count is made again from the log, once at the first and then for each so many. */
export const RECOUNT_AFTER = 5_000

type Parts = Pick<EvictionParts, 'states' | 'budgets'> & {
  readonly log: Pick<LogView, 'readBatches'> & Pick<PrunableLog, 'prune' | 'arrivals'>
  readonly clock: Clock
}

export class OldRenewals {
  readonly #parts: Parts
  /** Of the last run nobody knows. */
  #uncounted = RECOUNT_AFTER

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @returns how many events went */
  async prune(): Promise<number> {
    const { log, clock, states, budgets } = this.#parts
    const to = arrivedBefore(log.arrivals, clock.now() - KEPT_MS)
    if (to < 1) return 0
    const last = new Map<NodeId, number>()
    for await (const batch of log.readBatches({ kinds: RENEWALS }))
      for (const { author, authorSeq } of batch) last.set(author, Math.max(authorSeq, last.get(author) ?? 0))
    if (last.size === 0) return 0
    const isOld = ({ author, authorSeq }: { author: NodeId; authorSeq: number }) => authorSeq < (last.get(author) ?? 0)
    const { events } = await log.prune({ to, kinds: RENEWALS, drop: isOld })
    if (events === 0) return 0
    this.#uncounted += events
    if (this.#uncounted > RECOUNT_AFTER) {
      this.#uncounted = 0
      await states.rebuild('kept')
      // In the same turn as the state: nothing that comes is counted in one and not in the other.
      budgets.recount(states.state('kept').authors)
    }
    return events
  }
}

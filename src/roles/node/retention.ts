import { arrivedBefore, type EventKind, eventId, type LogView, type PrunableLog, type Timers } from '../../events/index.ts'
import { decisiveEvents, livenessProjection, MEMBER_KINDS } from '../../projections/index.ts'
import { bytes as byteSize } from '../byte-size.ts'
import { type EvictionParts, evictRevoked } from './eviction.ts'
import { OldRenewals } from './old-renewals.ts'

// What a node forgets, so that it can run for years: see docs/adr/0011-retention.md.

export const RETAIN_LIVENESS_DAYS = 7
export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Retention counts in days; an hour late is early enough. */
const PRUNE_EVERY_MS = HOUR_MS
/** The first round, some time after the start, which has other work to do. */
const FIRST_AFTER_MS = 60_000

const ROLL_UPS: readonly EventKind[] = ['heartbeat.rolled-up']
const LIVENESS: readonly EventKind[] = [...ROLL_UPS, ...MEMBER_KINDS]

export type RetentionOptions = {
  /** How long liveness changes and roll-ups are kept, in days. */
  readonly retainLivenessDays?: number
  /** Bytes the log may take; what gives way sooner above it, see `STEPS`. */
  readonly diskLimitBytes?: number
}

/** What gives way above the disk limit, in this order, each only if that before it was not enough. */
const STEPS: readonly { kinds: readonly EventKind[]; olderThanMs: number }[] = [
  { kinds: ROLL_UPS, olderThanMs: DAY_MS },
  { kinds: ROLL_UPS, olderThanMs: HOUR_MS },
  { kinds: LIVENESS, olderThanMs: DAY_MS },
  { kinds: LIVENESS, olderThanMs: HOUR_MS },
]

type Parts = EvictionParts & {
  readonly log: Pick<LogView, 'author' | 'readBatches' | 'snapshot'> & PrunableLog
  readonly timers: Timers
}

/** Prunes now and then, until it is disposed. */
export function startRetention(parts: Parts, options: RetentionOptions): AsyncDisposable & { run(): Promise<number> } {
  let running: Promise<number> = Promise.resolve(0)
  const stop = new AbortController()
  const { signal } = stop
  const oldRenewals = new OldRenewals(parts)
  const look = async (): Promise<number> => {
    if (signal.aborted) return 0
    // First: it makes room, so that less of what still counts has to give way above a disk limit.
    const evicted = await evictRevoked(parts, signal)
    const renewals = await oldRenewals.prune()
    return evicted + renewals + (await prune(parts, options))
  }
  const run = (): Promise<number> => {
    running = running.catch(() => 0).then(look)
    return running
  }
  const round = (): void => {
    run()
      .catch((error: unknown) => {
        if (signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        parts.notices.post('warning', 'log.not-pruned', `old events were not pruned: ${reason}`)
      })
      .finally(() => {
        if (!signal.aborted) cancel = parts.timers.after(PRUNE_EVERY_MS, round)
      })
  }
  let cancel = parts.timers.after(FIRST_AFTER_MS, round)
  return {
    run,
    async [Symbol.asyncDispose]() {
      stop.abort()
      cancel()
      await running.catch(() => 0)
    },
  }
}

/** @returns how many events went */
async function prune(parts: Parts, { retainLivenessDays, diskLimitBytes }: RetentionOptions): Promise<number> {
  const { log, clock, notices } = parts
  const before = (ageMs: number): number => arrivedBefore(log.arrivals, clock.now() - ageMs)
  let events = await pruneTo(parts, LIVENESS, before((retainLivenessDays ?? RETAIN_LIVENESS_DAYS) * DAY_MS))
  if (diskLimitBytes !== undefined) {
    for (const { kinds, olderThanMs } of STEPS) {
      if ((await log.bytesOnDisk()) <= diskLimitBytes) break
      events += await pruneTo(parts, kinds, before(olderThanMs))
    }
    const bytes = await log.bytesOnDisk()
    if (bytes > diskLimitBytes) {
      const text = `the log takes ${byteSize(bytes)}, above the limit of ${byteSize(diskLimitBytes)}, and the rest of it is not given up`
      notices.post('warning', 'log.over-limit', text)
    }
  }
  if (events > 0) notices.post('info', 'log.pruned', `${events} old events about liveness were pruned`)
  return events
}

// A fold of members takes the best word there is, whatever the order, and takes each as often as it likes. So a state of
// the pruned events alone, with which a replay begins, brings it to where it was.
async function pruneTo({ log, states }: Parts, kinds: readonly EventKind[], to: number): Promise<number> {
  if (to < 1) return 0
  const decisive = new Set<string>()
  for (const stamp of decisiveEvents(states.state('liveness'))) decisive.add(eventId(stamp))
  const projection = livenessProjection(log.author)
  const state = projection.load(await log.snapshot(projection.name))
  const { events } = await log.prune({
    to,
    kinds,
    // What the table rests on stays as its author signed it, for peers that come later.
    drop: (envelope) => {
      if (decisive.has(eventId(envelope))) return false
      projection.apply(state, envelope)
      return true
    },
    snapshot: {
      projection: projection.name,
      rows: () => projection.changes(state).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])),
    },
  })
  return events
}

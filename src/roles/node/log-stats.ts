import { kindOfNumber, type LogView, scanBody } from '../../events/index.ts'
import type { Turns } from '../../projections/index.ts'
import type { EventStats, LogStats, Progressive, WalkProgress } from '../services.ts'
import type { WalkOptions } from './walk-log.ts'
import { withProgress } from './with-progress.ts'

/** Events whose signed bytes are read at once. */
const WINDOW_EVENTS = 1_024
const DAY_MS = 86_400_000

/**
 * Counts and sizes of what is there now. Which events stand where is in memory, from the segments' summaries; kinds are
 * there as one bit a segment, and sizes and times not at all: they take a reading of every event.
 * @param options.read read them
 */
export function logStats(
  log: LogView,
  turns: Turns,
  { read = false }: { read?: boolean } = {},
): Progressive<WalkProgress, LogStats> {
  return withProgress(async (report, signal) => {
    const { head, lamport } = log
    const { events, authors } = log.held()
    const onProgress = (done: number) => report({ done, total: head })
    const found = read ? await readEvents(log, head, { turns, signal, onProgress }) : null
    return {
      ...{ events, authors, lamport, gone: head - events },
      bytesOnDisk: await log.bytesOnDisk(),
      sinceAt: log.arrivals[0]?.at ?? null,
      growthPerDay: growthOf(log, found === null || events === 0 ? null : found.bytes / events),
      read: found,
    }
  })
}

/** Reads each body once, and of it the header alone. */
async function readEvents(log: LogView, head: number, { turns, signal, onProgress }: WalkOptions): Promise<EventStats> {
  const byKind = new Map<number, { events: number; bytes: number }>()
  let bytes = 0
  let firstAt: number | null = null
  let lastAt: number | null = null
  for (let from = 1; from <= head; from += WINDOW_EVENTS) {
    const count = Math.min(WINDOW_EVENTS, head - from + 1)
    for (const { body, signature } of await log.readSignedAt(Array.from({ length: count }, (_, index) => from + index))) {
      const { kind, at } = scanBody(body)
      const size = body.length + signature.length
      const row = byKind.get(kind) ?? { events: 0, bytes: 0 }
      byKind.set(kind, { events: row.events + 1, bytes: row.bytes + size })
      bytes += size
      firstAt ??= at
      lastAt = at
      if (turns.isOver) {
        onProgress?.(from)
        await turns.next()
        signal?.throwIfAborted()
      }
    }
    signal?.throwIfAborted()
    onProgress?.(from + count - 1)
  }
  return { bytes, firstAt, lastAt, byKind: namedKinds(byKind) }
}

/** The largest first; kinds that this version does not know are one. */
function namedKinds(byNumber: ReadonlyMap<number, { events: number; bytes: number }>): EventStats['byKind'] {
  const byName = new Map<string, EventStats['byKind'][number]>()
  for (const [number, { events, bytes }] of byNumber) {
    const kind = kindOfNumber(number) ?? 'unknown'
    const row = byName.get(kind) ?? { kind, events: 0, bytes: 0 }
    byName.set(kind, { kind, events: row.events + events, bytes: row.bytes + bytes })
  }
  return [...byName.values()].sort((a, b) => b.bytes - a.bytes)
}

/** By the log's own times of arrival, so that what was pruned since counts as well. */
function growthOf({ arrivals = [] }: LogView, bytesEach: number | null): LogStats['growthPerDay'] {
  const last = arrivals.at(-1)
  const since = arrivals.find(({ at }) => last !== undefined && at >= last.at - 7 * DAY_MS)
  if (last === undefined || since === undefined || since.at === last.at) return null
  const events = ((last.seq - since.seq) / (last.at - since.at)) * DAY_MS
  return { events: Math.round(events), bytes: bytesEach === null ? null : Math.round(events * bytesEach) }
}

import { kindOfNumber, type LogView, type NodeId, scanBody } from '../../events/index.ts'
import type { LogStats } from '../services.ts'
import type { WalkOptions } from './walk-log.ts'

/** Events whose signed bytes are read at once. */
const WINDOW_EVENTS = 1_024
const DAY_MS = 86_400_000

/** Counts and sizes of what is there now. Reads each body once, and of it the header alone. */
export async function logStats(log: LogView, { turns, signal, onProgress }: WalkOptions): Promise<LogStats> {
  const byKind = new Map<number, { events: number; bytes: number }>()
  const authors = new Set<NodeId>()
  const { head, lamport } = log
  let events = 0
  let bytes = 0
  let firstAt: number | null = null
  let lastAt: number | null = null
  for (let from = 1; from <= head; from += WINDOW_EVENTS) {
    const count = Math.min(WINDOW_EVENTS, head - from + 1)
    for (const { body, signature } of await log.readSignedAt(Array.from({ length: count }, (_, index) => from + index))) {
      const { kind, author, at } = scanBody(body)
      const size = body.length + signature.length
      const row = byKind.get(kind) ?? { events: 0, bytes: 0 }
      byKind.set(kind, { events: row.events + 1, bytes: row.bytes + size })
      authors.add(author)
      events += 1
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
  return {
    ...{ events, bytes, lamport, authors: authors.size, firstAt, lastAt, byKind: namedKinds(byKind) },
    bytesOnDisk: (await log.bytesOnDisk?.()) ?? 0,
    gone: head - events,
    growthPerDay: growthOf(log, events === 0 ? 0 : bytes / events),
  }
}

/** The largest first; kinds that this version does not know are one. */
function namedKinds(byNumber: ReadonlyMap<number, { events: number; bytes: number }>): LogStats['byKind'] {
  const byName = new Map<string, LogStats['byKind'][number]>()
  for (const [number, { events, bytes }] of byNumber) {
    const kind = kindOfNumber(number) ?? 'unknown'
    const row = byName.get(kind) ?? { kind, events: 0, bytes: 0 }
    byName.set(kind, { kind, events: row.events + events, bytes: row.bytes + bytes })
  }
  return [...byName.values()].sort((a, b) => b.bytes - a.bytes)
}

/** By the log's own times of arrival, so that what was pruned since counts as well. */
function growthOf({ arrivals = [] }: LogView, bytesEach: number): LogStats['growthPerDay'] {
  const last = arrivals.at(-1)
  const since = arrivals.find(({ at }) => last !== undefined && at >= last.at - 7 * DAY_MS)
  if (last === undefined || since === undefined || since.at === last.at) return null
  const events = ((last.seq - since.seq) / (last.at - since.at)) * DAY_MS
  return { events: Math.round(events), bytes: Math.round(events * bytesEach) }
}

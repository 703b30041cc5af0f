import type { Envelope, SignedEvent } from '../model/envelope.ts'
import type { EventKind } from '../model/event.ts'
import type { Arrival, SnapshotRow } from '../pruning/retention.ts'
import type { Commit, PlannedEvent, PlanTools } from './commit-plan.ts'
import { CommittedLog } from './committed-log.ts'
import type { EventLog } from './event-log.ts'
import { LogState } from './log-state.ts'
import type { LogStore, StoreRange } from './log-store.ts'

const BATCH_EVENTS = 1024

/** Keeps events in an array, which ends with the process. For simulations, tests and nodes without a disk. */
export class MemoryStore implements LogStore {
  readonly arrivals: readonly Arrival[] = []
  readonly #events: PlannedEvent[] = []

  async write({ events }: Commit, _durable: boolean): Promise<void> {
    for (const event of events) this.#events.push(event)
  }

  async *batches({ from, to, kinds }: StoreRange): AsyncGenerator<readonly Envelope[]> {
    const wanted = kinds && new Set<EventKind | 'unknown'>(kinds)
    for (let start = from; start <= to; start += BATCH_EVENTS) {
      const batch: Envelope[] = []
      for (const { envelope } of this.#events.slice(start - 1, Math.min(to, start + BATCH_EVENTS - 1))) {
        if (wanted === undefined || wanted.has(envelope.event.kind)) batch.push(envelope)
      }
      if (batch.length > 0) yield batch
    }
  }

  async signedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]> {
    return seqs.flatMap((seq) => {
      const event = this.#events[seq - 1]
      return event === undefined ? [] : [{ body: event.body, signature: event.signature }]
    })
  }

  async snapshot(): Promise<readonly SnapshotRow[]> {
    return []
  }

  async bytesOnDisk(): Promise<number> {
    return 0
  }

  async close(): Promise<void> {
    this.#events.length = 0
  }
}

/** A log in memory, empty at first. */
export function openMemoryLog(tools: PlanTools): EventLog {
  return new CommittedLog(new LogState(), new MemoryStore(), tools)
}

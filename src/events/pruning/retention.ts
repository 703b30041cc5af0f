import type { Envelope } from '../model/envelope.ts'
import type { EventKind } from '../model/event.ts'

// What a log may be asked to let go, so that a node can run for years. What goes is decided outside; the log sees to it
// that its chain, its places and the author sequences it knows stay what they were. See docs/adr/0011-retention.md.

/** A row of a projection's snapshot: `value` null means it is gone. */
export type SnapshotRow = readonly [key: string, value: string]

export type PruneRequest = {
  /** Last place that may go. */
  readonly to: number
  readonly kinds: readonly EventKind[]
  /** True for an event that is to go. It is called once an event; what it took must be in the snapshot from then on. */
  readonly drop: (envelope: Envelope) => boolean
  /** What stands for that which goes; without it nothing does: every replay is then one of a log that never had it. */
  readonly snapshot?: {
    readonly projection: string
    /** Those that changed since they were asked for last. */
    readonly rows: () => readonly SnapshotRow[]
  }
  /** True to the last event. Otherwise the latest hundred or so stay, which the next commits will write anew anyway. */
  readonly throughEnd?: boolean
}

export type Pruned = { readonly events: number; readonly bytes: number }

/** An event with this place arrived at this time by the node's own clock, in ms; events before it did not come later. */
export type Arrival = { readonly seq: number; readonly at: number }

/** The last place known to have arrived before a time; 0 if there is none. */
export function arrivedBefore(arrivals: readonly Arrival[], at: number): number {
  return (arrivals.findLast((arrival) => arrival.at <= at)?.seq ?? 1) - 1
}

/** What pruning asks of a log; a log in memory does not offer it. */
export interface PrunableLog {
  /**
   * Takes events out, a batch of segments at a time, each in one write with the rows of the snapshot; appends go on between.
   * @throws LogError `LOG_WRITE_FAILED`, `LOG_DAMAGED`
   */
  prune(request: PruneRequest): Promise<Pruned>
  /** About one an hour. */
  readonly arrivals: readonly Arrival[]
  /** Bytes of the database's files. */
  bytesOnDisk(): Promise<number>
}

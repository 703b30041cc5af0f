import type { Envelope, SignedEvent } from '../model/envelope.ts'
import type { EventKind } from '../model/event.ts'
import type { Arrival, SnapshotRow } from '../pruning/retention.ts'
import type { Commit } from './commit-plan.ts'

/** Which places of a log to read, inclusive and inside the log; `kinds` undefined means all. */
export type StoreRange = { readonly from: number; readonly to: number; readonly kinds: readonly EventKind[] | undefined }

/** The medium under a log: memory or LevelDB. One write at a time. */
export interface LogStore {
  /**
   * Stores the events of one commit, all or none; `durable` waits for the disk.
   * @throws anything: the commit is then rejected and its events are not in the log
   */
  write(commit: Commit, durable: boolean): Promise<void>
  /** Reads on a snapshot taken when the first batch is asked for; what was written before that is in it. */
  batches(range: StoreRange): AsyncIterable<readonly Envelope[]>
  /** Signed bytes by place, in the order asked; every place is inside the log. */
  signedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]>
  /** Rows of a projection that stand for what was pruned; none where nothing ever is. */
  snapshot(projection: string): Promise<readonly SnapshotRow[]>
  /** When events arrived, about one an hour; empty where that is not kept. */
  readonly arrivals: readonly Arrival[]
  /** 0 where there are no files. */
  bytesOnDisk(): Promise<number>
  close(): Promise<void>
}

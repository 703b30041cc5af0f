import type { Envelope, EventKind } from '../events/index.ts'
import type { RowTable } from './row-table.ts'
import type { Turns } from './turns.ts'

/**
 * A fold over the log whose state stands in rows on disk, for what is too large for memory. As a `Projection` it is pure and
 * can be replayed: the same events in the same order come to the same digest, whatever was committed or stopped in between.
 */
export interface DiskProjection<S> {
  readonly name: string
  /** Rises whenever `apply` or the rows mean something else; a different stored version is rebuilt. */
  readonly version: number
  readonly handles: readonly EventKind[]
  readonly onDisk: true
  /**
   * The state over the rows that were committed last; over no rows, that of no events.
   * @param stateOf the present states of the runner's other projections, by name: for what is looked up when it is asked for,
   * and is in no row and no digest
   */
  open(rows: RowTable, stateOf: (name: string) => unknown): S
  apply(state: S, envelope: Envelope): void
  /** Puts some of what is in memory alone into the rows, ahead of `flush`. @returns true if there is more */
  flushSome(state: S): boolean
  /** Puts into the rows what is still in memory alone, ahead of a commit. */
  flush(state: S): void
  /**
   * Puts in order what many events left behind, in short turns and with commits of its own; everything goes on meanwhile.
   * Left unfinished, by a crash or by `signal`, nothing is lost.
   */
  tidy(state: S, work: TidyWork): Promise<void>
  /** Equal for equal states, hex; kept with every event. */
  digest(state: S): string
  /** As `Projection.forget`. */
  forget?(state: S, names: ReadonlySet<string>): Iterable<void>
}

export type TidyWork = {
  /** Stores everything up to now. @returns false if that failed */
  commit(): Promise<boolean>
  readonly turns?: Turns | undefined
  readonly signal: AbortSignal
}

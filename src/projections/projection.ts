import type { Envelope, EventKind } from '../events/index.ts'

/** A row that changed: `value` null means it is gone. Values are JSON with sorted keys, so equal rows are equal bytes. */
export type RowChange = readonly [key: string, value: string | null]
export type Row = readonly [key: string, value: string]

/**
 * A fold over the log: pure, and the only way its state comes about, so it can be thrown away and replayed.
 * The state belongs to the projection; `apply` may change it in place and returns it. Rows are the state's stored form:
 * what `changes` drains between two checkpoints, applied to the rows before, must equal what `rows` lists.
 */
export interface Projection<S> {
  readonly name: string
  /** Rises whenever `apply` or the rows mean something else; a different stored version is rebuilt. */
  readonly version: number
  readonly handles: readonly EventKind[]
  initial(): S
  apply(state: S, envelope: Envelope): S
  /** The rows that changed since the last call; empties the record of changes. */
  changes(state: S): readonly RowChange[]
  /** Every row, in ascending key order (code units). */
  rows(state: S): Iterable<Row>
  /** The state that `rows` listed. */
  load(rows: Iterable<Row>): S
  /**
   * Takes out of a state all that these authors said, or was said of these torrents, a step at a time, in place: then it is as if they had said nothing.
   * Left out where that cannot be told any more: such a state is made again from the log.
   */
  forget?(state: S, names: ReadonlySet<string>): Iterable<void>
}

import type { Row, RowChange } from './projection.ts'
import type { StoredTable } from './row-table.ts'

/** Rows and how far they reach: all events up to `checkpoint` (a log sequence) are in them. */
export type StoredProjection = { readonly version: number; readonly checkpoint: number; readonly rows: readonly Row[] }

/** A copy of a projection as it stood: by which version it was made, and the last event that is in it. */
export type SnapshotMark = { readonly version: number; readonly seq: number }

/**
 * Where projections are kept between two starts, and their snapshots. Implementations: projection-store.memory.ts,
 * projection-store.level.ts; both run test/projections/projection-store.contract.ts.
 */
export interface ProjectionStore extends AsyncDisposable {
  /**
   * Rows in ascending key order (code units); undefined where nothing was committed.
   * @throws ProjectionStoreError `STORE_DAMAGED` if what is stored is not what was committed
   */
  load(name: string): Promise<StoredProjection | undefined>
  /** Rows and checkpoint in one atomic batch, with the version. */
  commit(name: string, version: number, checkpoint: number, changes: readonly RowChange[]): Promise<void>
  /** Other rows in place of all there were, which stay what is stored until the last of the new ones is written. */
  replace(name: string, version: number, checkpoint: number, rows: Iterable<Row>): Promise<void>
  /** Forgets a projection. */
  clear(name: string): Promise<void>

  /** The snapshots of a projection, ascending. */
  snapshots(name: string): Promise<readonly SnapshotMark[]>
  /** Keeps a copy of what is stored of a projection now, if anything is, as a snapshot at its checkpoint. */
  keepSnapshot(name: string): Promise<void>
  /** Keeps these rows as a snapshot. Not there until it is whole. */
  saveSnapshot(name: string, mark: SnapshotMark, rows: Iterable<Row>): Promise<void>
  /** @returns undefined where there is none, or it is damaged: it is a shortcut, the log has everything */
  loadSnapshot(name: string, seq: number): Promise<StoredProjection | undefined>
  dropSnapshot(name: string, seq: number): Promise<void>

  /**
   * The table of a projection on disk; undefined where none was committed.
   * @throws ProjectionStoreError `STORE_DAMAGED`
   */
  openTable(name: string): Promise<StoredTable | undefined>
  /** A table that is made beside it: the one that a stopped making left, if that is of this version, or else an empty one. */
  beginTable(name: string, version: number): Promise<StoredTable>
  /** Forgets the table that was begun, if any. */
  dropBegun(name: string): Promise<void>
  /** Puts this table, if it is the one that was begun last, in place of the other, whose rows go. */
  adoptTable(name: string, table: StoredTable): Promise<void>
  /** An empty table for a look at the past, which nobody finds again: `drop` removes its rows, or the next open of the store. */
  scratchTable(name: string, version: number): Promise<{ readonly table: StoredTable; drop(): Promise<void> }>
}

export type ProjectionStoreErrorDetail =
  | { code: 'STORE_CLOSED' }
  | { code: 'STORE_DAMAGED'; projection: string; reason: string }
  | { code: 'STORE_FAILED'; directory: string; reason: string }

function sentence(detail: ProjectionStoreErrorDetail): string {
  switch (detail.code) {
    case 'STORE_CLOSED':
      return 'the projection store is closed'
    case 'STORE_DAMAGED':
      return `the stored rows of ${detail.projection} are damaged: ${detail.reason}`
    case 'STORE_FAILED':
      return `the projection store in ${detail.directory} could not be opened: ${detail.reason}`
  }
}

export class ProjectionStoreError extends Error {
  override readonly name = 'ProjectionStoreError'
  readonly code: ProjectionStoreErrorDetail['code']
  readonly detail: ProjectionStoreErrorDetail

  constructor(detail: ProjectionStoreErrorDetail, options?: ErrorOptions) {
    super(sentence(detail), options)
    this.code = detail.code
    this.detail = detail
  }
}

/** The order of rows: by UTF-16 code units, the same on every machine whatever its language. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

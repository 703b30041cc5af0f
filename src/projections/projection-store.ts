import type { Row, RowChange } from './projection.ts'

/** Rows and how far they reach: all events up to `checkpoint` (a log sequence) are in them. */
export type StoredProjection = { readonly version: number; readonly checkpoint: number; readonly rows: readonly Row[] }

/**
 * Where projections are kept between two starts. Implementations: projection-store.memory.ts, projection-store.level.ts;
 * both run test/projections/projection-store.contract.ts.
 */
export interface ProjectionStore extends AsyncDisposable {
  load(name: string): Promise<StoredProjection | undefined>
  /** Rows and checkpoint in one atomic batch, with the version. */
  commit(name: string, version: number, checkpoint: number, changes: readonly RowChange[]): Promise<void>
  /** Forgets a projection, before a rebuild. */
  clear(name: string): Promise<void>
}

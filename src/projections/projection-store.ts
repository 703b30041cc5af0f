import type { Row, RowChange } from './projection.ts'

/** Rows and how far they reach: all events up to `checkpoint` (a log sequence) are in them. */
export type StoredProjection = { readonly version: number; readonly checkpoint: number; readonly rows: readonly Row[] }

/**
 * Where projections are kept between two starts. Implementations: projection-store.memory.ts, projection-store.level.ts;
 * both run test/projections/projection-store.contract.ts.
 */
export interface ProjectionStore extends AsyncDisposable {
  /**
   * Rows in ascending key order (code units); undefined where nothing was committed.
   * @throws ProjectionStoreError `STORE_DAMAGED` if what is stored is not what was committed
   */
  load(name: string): Promise<StoredProjection | undefined>
  /** Rows and checkpoint in one atomic batch, with the version. */
  commit(name: string, version: number, checkpoint: number, changes: readonly RowChange[]): Promise<void>
  /** Forgets a projection, before a rebuild. */
  clear(name: string): Promise<void>
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

import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import type { StoredTable } from '../../../src/projections/row-table.ts'

/** An empty table in memory. */
export async function emptyTable(): Promise<StoredTable> {
  const { table } = await openMemoryProjectionStore().scratchTable('index', 1)
  return table
}

import type { EventLog } from '../events/index.ts'
import type { Projection, Row } from './projection.ts'

/**
 * The state with which a fold of the whole log begins: empty, or the snapshot that stands for events which the log has let
 * go. Events that are in both do no harm: only folds for which that holds are pruned (see docs/adr/0011-retention.md).
 */
export async function initialStateOf(
  log: Pick<EventLog, 'snapshot'>,
  projection: Projection<unknown>,
): Promise<{ state: unknown; rows: readonly Row[] }> {
  const rows = await log.snapshot(projection.name)
  return { state: rows.length === 0 ? projection.initial() : projection.load(rows), rows }
}

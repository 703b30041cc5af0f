import type { EventLog } from '../src/events/index.ts'
import { reputationProjection } from '../src/projections/reputation/index.ts'

/** The ledger of all verdicts, as a node rebuilds it. */
export async function foldReputation(log: EventLog): Promise<void> {
  const projection = reputationProjection(log.author)
  let state = projection.initial()
  for await (const batch of log.readBatches({ kinds: projection.handles })) {
    for (const envelope of batch) state = projection.apply(state, envelope)
  }
}

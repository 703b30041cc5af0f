import type { Budgets, EventLog } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import type { ProjectionRunner } from '../../projections/index.ts'

/** Has the budgets count what the log holds, and what it takes from now on. @returns a function that stops it */
export function countKept(
  budgets: Budgets,
  log: Pick<EventLog, 'author' | 'onAppended'>,
  states: Pick<ProjectionRunner<ProjectionStates>, 'state'>,
): () => void {
  for (const [author, { gossip, index }] of states.state('kept').authors) {
    budgets.add(author, 'gossip', gossip)
    budgets.add(author, 'index', index)
  }
  return log.onAppended((envelopes) => {
    for (const { author, stream, payloadBytes } of envelopes)
      if (stream !== 'local' && author !== log.author) budgets.add(author, stream, { events: 1, bytes: payloadBytes })
  })
}

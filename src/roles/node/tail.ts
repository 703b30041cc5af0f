import type { EventLog } from '../../events/index.ts'
import { type EventRow, ServiceError } from '../services.ts'
import { eventKinds, eventRow } from './event-rows.ts'
import { liveIterator } from './live-iterator.ts'

/** Read at once; the rest waits in the log, so that a slow reader costs no memory. */
const BATCH_EVENTS = 500

/**
 * Events after `from` as they are appended, for as long as somebody reads. Places that hold none any more are passed over.
 * @throws ServiceError `usage` for a kind that does not exist, and for a place that the log has not reached: whoever has
 * seen that one has seen another log
 */
export function tail(
  log: Omit<EventLog, 'append'>,
  { from = log.head, kinds }: { from?: number; kinds?: string[] },
): AsyncIterable<EventRow> {
  if (from > log.head) throw new ServiceError('usage', `the log has events 1 to ${log.head}, not ${from}`)
  const wanted = eventKinds(kinds)
  let next = from + 1
  return liveIterator<EventRow>(
    async () => {
      const items: EventRow[] = []
      while (next <= log.head && items.length === 0) {
        const to = Math.min(log.head, next + BATCH_EVENTS - 1)
        for await (const envelope of log.read({ from: next, to, ...(wanted === undefined ? {} : { kinds: wanted }) })) {
          items.push(eventRow(envelope))
        }
        next = to + 1
      }
      return { items }
    },
    (wake) => log.onAppended(wake),
  )
}

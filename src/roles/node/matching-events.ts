import type { Envelope, EventKind, LogView } from '../../events/index.ts'
import type { Turns } from '../../projections/index.ts'
import type { LogFilter } from '../services.ts'
import { authorOf, eventKinds } from './event-rows.ts'
import { walkLog } from './walk-log.ts'

/** Places looked at together on the way back from the end. */
const WINDOW_EVENTS = 4_096

/**
 * The events that a filter means, in the log's order.
 * @throws ServiceError `usage` for a kind that does not exist or an author that is no node id
 */
export async function* matchingEvents(log: LogView, filter: LogFilter, turns: Turns): AsyncGenerator<Envelope> {
  const kinds = eventKinds(filter.kinds)
  const author = authorOf(filter)
  const { limit = Number.POSITIVE_INFINITY, last } = filter
  let left = limit
  if (left <= 0) return
  const wanted = kinds === undefined ? {} : { kinds }
  const isMatch = (envelope: Envelope): boolean => author === undefined || envelope.author === author
  const first = filter.from ?? 1
  // What is appended from now on is not among the last.
  const to = Math.min(filter.to ?? log.head, log.head)
  const from = last === undefined ? first : await startOfLast(log, { from: first, to, ...wanted }, isMatch, last, turns)
  for await (const batch of log.readBatches({ from, to, ...wanted })) {
    for (const envelope of batch) {
      if (turns.isOver) await turns.next()
      if (!isMatch(envelope)) continue
      yield envelope
      left -= 1
      if (left <= 0) return
    }
  }
}

/** The place of the first of the last `count` events that match: places may be empty, so they are counted from the end. */
async function startOfLast(
  log: LogView,
  { from, to, ...wanted }: { from: number; to: number; kinds?: readonly EventKind[] },
  isMatch: (envelope: Envelope) => boolean,
  count: number,
  turns: Turns,
): Promise<number> {
  let left = count
  if (left <= 0) return to + 1
  for (let end = to; end >= from; end -= WINDOW_EVENTS) {
    const seqs: number[] = []
    const window = { from: Math.max(from, end - WINDOW_EVENTS + 1), to: end, ...wanted }
    await walkLog(
      log,
      window,
      (envelope) => {
        if (isMatch(envelope)) seqs.push(envelope.seq)
        return true
      },
      { turns },
    )
    const found = seqs[seqs.length - left]
    if (found !== undefined) return found
    left -= seqs.length
  }
  return from
}

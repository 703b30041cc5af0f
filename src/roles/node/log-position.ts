import type { Envelope, LogView } from '../../events/index.ts'
import type { Turns } from '../../projections/index.ts'
import { type LogPlace, ServiceError } from '../services.ts'
import { walkLog } from './walk-log.ts'

// A moment of the past, as a place in the log's own order: what had been learnt by then, whatever was stamped or claimed.

type Moment = { readonly seq: number | 'last' } | { readonly lamport: number } | { readonly time: number }

/** Whole numbers from here on are times in ms, those below are sequences: no log has as many events. */
const TIME_MIN = 1e11

const FORMS = 'a sequence (120), a Lamport stamp (lamport:88), or a time (2026-11-23T09:00:00Z, or ms since 1970)'

/** @throws ServiceError `usage` */
export function parseMoment(text: string): Moment {
  if (text === 'now') return { seq: 'last' }
  const lamport = /^lamport:(\d{1,16})$/.exec(text)?.[1]
  if (lamport !== undefined) return { lamport: Number(lamport) }
  if (/^\d{1,16}$/.test(text)) {
    const number = Number(text)
    return number < TIME_MIN ? { seq: number } : { time: number }
  }
  // A date alone, or date and time; not everything that Date would take ("1", "May").
  const time = /^\d{4}-\d\d-\d\d([T ][\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new ServiceError('usage', `not a moment: ${text}; give ${FORMS}`)
  return { time }
}

/**
 * The last event as of a moment. Of a Lamport stamp: before the first event above it. Of a time: what had arrived by then
 * is told by our own events, whose time is this machine's; between two of them an author's claim must do. Before the
 * first event the place is 0.
 * @throws ServiceError `usage` if it is no moment, or a sequence beyond the log
 */
export async function logPosition(log: LogView, text: string, turns: Turns): Promise<LogPlace> {
  const moment = parseMoment(text)
  if ('seq' in moment) {
    if (moment.seq === 'last') return told(log, log.head, turns)
    if (moment.seq > log.head) throw new ServiceError('usage', `the log has events 1 to ${log.head}, not ${moment.seq}`)
    return told(log, moment.seq, turns)
  }
  const lastBefore = async (isAfter: (envelope: Envelope) => boolean, from = 1, to = log.head): Promise<number> => {
    let place = to
    if (from > to) return place
    await walkLog(
      log,
      { from, to },
      (envelope) => {
        if (!isAfter(envelope)) return true
        place = envelope.seq - 1
        return false
      },
      { turns },
    )
    return place
  }
  if ('lamport' in moment) return told(log, await lastBefore(({ lamport }) => lamport > moment.lamport), turns)
  const after = ({ at }: Envelope) => at > moment.time
  const isOwn = ({ author }: Envelope) => author === log.author
  const ownAfter = await lastBefore((envelope) => isOwn(envelope) && after(envelope))
  const own = (await lastOf(log, ownAfter, isOwn, turns))?.seq ?? 0
  return told(log, await lastBefore(after, own + 1, ownAfter), turns)
}

/** The last of such events up to and with place `to`, found from the end. */
async function lastOf(
  log: LogView,
  to: number,
  isWanted: (envelope: Envelope) => boolean,
  turns: Turns,
): Promise<Envelope | undefined> {
  const step = 4_096
  for (let end = to; end > 0; end -= step) {
    let found: Envelope | undefined
    await walkLog(
      log,
      { from: Math.max(1, end - step + 1), to: end },
      (envelope) => {
        if (isWanted(envelope)) found = envelope
        return true
      },
      { turns },
    )
    if (found !== undefined) return found
  }
  return undefined
}

/** The event at a place may have been pruned: then the last that is there before it. */
async function told(log: LogView, seq: number, turns: Turns): Promise<LogPlace> {
  for await (const { lamport, at } of log.read({ from: seq, to: seq })) return { seq, lamport, at }
  const before = await lastOf(log, seq, () => true, turns)
  return { seq, lamport: before?.lamport ?? 0, at: before?.at ?? null }
}

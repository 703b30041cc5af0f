import type { Envelope, LogView } from '../../events/index.ts'
import { type LogPlace, ServiceError } from '../services.ts'

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
export async function logPosition(log: LogView, text: string): Promise<LogPlace> {
  const moment = parseMoment(text)
  if ('seq' in moment) {
    if (moment.seq === 'last') return told(log, log.head)
    if (moment.seq > log.head) throw new ServiceError('usage', `the log has events 1 to ${log.head}, not ${moment.seq}`)
    return told(log, moment.seq)
  }
  if ('lamport' in moment) return told(log, await lastBefore(log, ({ lamport }) => lamport > moment.lamport))
  const after = ({ at }: Envelope) => at > moment.time
  const ownAfter = await lastBefore(log, (envelope) => envelope.author === log.author && after(envelope))
  const own = await lastOwn(log, ownAfter)
  return told(log, await lastBefore(log, after, own + 1, ownAfter))
}

/** The place before the first event, of `from` to `to`, for which it is true. */
async function lastBefore(log: LogView, isAfter: (envelope: Envelope) => boolean, from = 1, to = log.head): Promise<number> {
  if (from > to) return to
  for await (const batch of log.readBatches({ from, to })) {
    for (const envelope of batch) if (isAfter(envelope)) return envelope.seq - 1
  }
  return to
}

/** Our last own event up to and with `to`, 0 if there is none. */
async function lastOwn(log: LogView, to: number): Promise<number> {
  const step = 4_096
  for (let end = to; end > 0; end -= step) {
    let found = 0
    for await (const batch of log.readBatches({ from: Math.max(1, end - step + 1), to: end })) {
      for (const { author, seq } of batch) if (author === log.author) found = seq
    }
    if (found > 0) return found
  }
  return 0
}

async function told(log: LogView, seq: number): Promise<LogPlace> {
  if (seq > 0) {
    for await (const { lamport, at } of log.read({ from: seq, to: seq })) return { seq, lamport, at }
  }
  return { seq, lamport: 0, at: null }
}

import type { EventLog, SignedEvent } from '../../events/index.ts'
import { EVENTS_BYTES_MAX, type EventName, messageBytes } from './index-messages.ts'

/** Events that are read at once: each may lie in a segment of its own, of some hundred kilobytes. */
const READ_AT_ONCE = 32

type Log = Pick<EventLog, 'seqOf' | 'readSignedAt'>

/** Reads the signed bytes of events named by (author, author sequence) in the index stream, in this order; those not held are left out. */
export async function signedIndexEvents(log: Log, names: readonly EventName[]): Promise<SignedEvent[]> {
  const read = new Map<number, SignedEvent>()
  const seqs = seqsOf(log, names)
  for await (const [seq, event] of inOrder(log, seqs)) read.set(seq, event)
  return seqs.flatMap((seq) => read.get(seq) ?? [])
}

/**
 * Those of the named events that fit one message, by their place in the log: what stands in one segment is read at once, and
 * nothing that does not fit. Who asks for hundreds that lie everywhere has them for a fifth of the reading.
 */
export async function fittingIndexEvents(log: Log, names: readonly EventName[]): Promise<SignedEvent[]> {
  const fitting: SignedEvent[] = []
  let bytes = 0
  for await (const [, event] of inOrder(log, seqsOf(log, names))) {
    bytes += messageBytes(event)
    if (bytes > EVENTS_BYTES_MAX) break
    fitting.push(event)
  }
  return fitting
}

const seqsOf = (log: Log, names: readonly EventName[]): number[] =>
  names.flatMap(({ author, authorSeq }) => log.seqOf({ author, stream: 'index', authorSeq }) ?? [])

async function* inOrder(log: Log, seqs: readonly number[]): AsyncGenerator<readonly [number, SignedEvent]> {
  const ascending = [...new Set(seqs)].sort((a, b) => a - b)
  for (let from = 0; from < ascending.length; from += READ_AT_ONCE) {
    const some = ascending.slice(from, from + READ_AT_ONCE)
    const events = await log.readSignedAt(some)
    // Where something was pruned meanwhile, what is left has lost its place.
    const each = events.length === some.length ? events : await eachOf(log, some)
    for (const [at, seq] of some.entries()) {
      const event = each[at]
      if (event !== undefined) yield [seq, event]
    }
  }
}

const eachOf = (log: Log, seqs: readonly number[]): Promise<(SignedEvent | undefined)[]> =>
  Promise.all(seqs.map(async (seq) => (await log.readSignedAt([seq]))[0]))

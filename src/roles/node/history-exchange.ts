import {
  type EventLog,
  type NodeId,
  type SignedEvent,
  type Stream,
  scanBody,
  type VerifySignature,
} from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import {
  decodeHistoryReply,
  decodeHistoryRequest,
  encodeHistoryReply,
  encodeHistoryRequest,
  HISTORY_BYTES_MAX,
  HISTORY_METHOD,
} from './history-messages.ts'

/** Two events of one author with the same number: it went on twice from the same place. */
export type Fork = { readonly stream: Stream; readonly authorSeq: number }

/** Streams that others hold events of. */
export const SHARED_STREAMS = ['gossip', 'index'] as const

const TIMEOUT_MS = 5_000
/** A peer that always has more is believed so long: at 56 KiB each, that is 900 MB. */
const REQUESTS_MAX = 16_384

type Held = Pick<EventLog, 'author' | 'has' | 'readSigned' | 'ingest'>

/** Answers every node that asks what is held of its own events. */
export function serveHistory(log: Pick<EventLog, 'readSigned'>, overlay: Pick<Overlay, 'serve'>): void {
  overlay.serve(HISTORY_METHOD, async (from, body) => {
    const { stream, after } = decodeHistoryRequest(body)
    const events: SignedEvent[] = []
    let bytes = 0
    for await (const event of log.readSigned(from, stream, after + 1, Number.MAX_SAFE_INTEGER)) {
      bytes += event.body.length + event.signature.length + 16
      if (bytes > HISTORY_BYTES_MAX) return encodeHistoryReply({ events, more: true })
      events.push(event)
    }
    return encodeHistoryReply({ events, more: false })
  })
}

export type Fetched = { readonly gained: number; readonly fork: Fork | undefined }

/**
 * Takes back from a peer what it holds of our own stream after `after`, and compares what both hold.
 * @param onNews called before the first event that we lack is stored
 * @throws RequestError, or HistoryMessageError and Error if the peer sends what is not ours
 */
export async function fetchOwnHistory(
  peer: NodeId,
  stream: Stream,
  after: number,
  {
    log,
    overlay,
    verify,
    onNews,
  }: { log: Held; overlay: Pick<Overlay, 'request'>; verify: VerifySignature; onNews: () => void },
): Promise<Fetched> {
  let reached = after
  let gained = 0
  for (let requests = 0; requests < REQUESTS_MAX; requests++) {
    const body = encodeHistoryRequest({ stream, after: reached })
    const reply = decodeHistoryReply(await overlay.request(peer, HISTORY_METHOD, body, { timeoutMs: TIMEOUT_MS }))
    const lacking: SignedEvent[] = []
    for (const event of reply.events) {
      const header = scanBody(event.body)
      const isNext = header.author === log.author && header.stream === stream && header.authorSeq > reached
      if (!isNext || !verify('event', event.body, event.signature, log.author))
        throw new Error('a peer sent events that are not ours')
      reached = header.authorSeq
      if (!log.has(header)) lacking.push(event)
      else if (!(await holdsSame(log, stream, reached, event))) return { gained, fork: { stream, authorSeq: reached } }
    }
    if (lacking.length > 0) {
      onNews()
      for (const { outcome } of await log.ingest(lacking, { durable: true })) {
        if (outcome === 'rejected' || outcome === 'deferred') throw new Error(`the log did not take an event back: ${outcome}`)
        if (outcome === 'appended') gained += 1
      }
    }
    if (!reply.more || reply.events.length === 0) return { gained, fork: undefined }
  }
  throw new Error('a peer has no end of events')
}

/** False if the log holds other bytes under this number. One that was pruned is not held, and not compared. */
async function holdsSame(log: Held, stream: Stream, authorSeq: number, { body }: SignedEvent): Promise<boolean> {
  for await (const held of log.readSigned(log.author, stream, authorSeq, authorSeq)) {
    return held.body.length === body.length && held.body.every((byte, index) => byte === body[index])
  }
  return true
}

/** The last own number of a stream, by what the log says it has. */
export function lastOwnNumber(log: Pick<EventLog, 'author' | 'has'>, stream: Stream): number {
  const has = (authorSeq: number): boolean => log.has({ author: log.author, stream, authorSeq })
  let low = 0
  let high = 1
  while (has(high)) {
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (has(middle)) low = middle
    else high = middle
  }
  return low
}

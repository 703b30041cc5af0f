import '../../events/codec/protobuf.ts'
import { type SignedEvent, STREAMS, type Stream } from '../../events/index.ts'
import { p2pt } from '../generated/index-service.js'

// The messenger's request for one's own history: encoding, and decoding with every bound checked.

const proto = p2pt.index

export const HISTORY_METHOD = 'history.own'
/** Room for events in one answer, bytes. */
export const HISTORY_BYTES_MAX = 56 * 1024
const HISTORY_EVENTS_MAX = 1024

export type HistoryRequest = { readonly stream: Stream; readonly after: number }
export type HistoryReply = { readonly events: readonly SignedEvent[]; readonly more: boolean }

/** What a peer sent is no such message. */
export class HistoryMessageError extends Error {
  override readonly name = 'HistoryMessageError'
}

export const encodeHistoryRequest = ({ stream, after }: HistoryRequest): Uint8Array =>
  proto.HistoryRequest.encode({ stream: STREAMS.indexOf(stream) + 1, after }).finish()

export function decodeHistoryRequest(bytes: Uint8Array): HistoryRequest {
  const { stream, after } = read(() => proto.HistoryRequest.decode(bytes))
  const asked = STREAMS[(stream ?? 0) - 1]
  // The local stream is nobody else's.
  if (asked === undefined || asked === 'local') throw new HistoryMessageError('no such stream')
  if (!Number.isSafeInteger(after ?? 0) || (after ?? 0) < 0) throw new HistoryMessageError('a number is out of range')
  return { stream: asked, after: after ?? 0 }
}

export const encodeHistoryReply = ({ events, more }: HistoryReply): Uint8Array =>
  proto.HistoryReply.encode({ events: [...events], more }).finish()

export function decodeHistoryReply(bytes: Uint8Array): HistoryReply {
  const { events, more } = read(() => proto.HistoryReply.decode(bytes))
  if ((events?.length ?? 0) > HISTORY_EVENTS_MAX) throw new HistoryMessageError('too many events')
  return {
    events: (events ?? []).map(({ body, signature }) => {
      if (!body?.length || signature?.length !== 64) throw new HistoryMessageError('an event has no body or no signature')
      return { body: body.slice(), signature: signature.slice() }
    }),
    more: more ?? false,
  }
}

function read<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new HistoryMessageError('not a message about history', { cause })
  }
}

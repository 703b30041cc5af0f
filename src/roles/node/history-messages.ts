import '../../events/codec/protobuf.ts'
import { FieldReader } from '../../events/codec/field-reader.ts'
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

const fields = new FieldReader((sentence, options) => new HistoryMessageError(sentence, options))

export const encodeHistoryRequest = ({ stream, after }: HistoryRequest): Uint8Array =>
  proto.HistoryRequest.encode({ stream: STREAMS.indexOf(stream) + 1, after }).finish()

export function decodeHistoryRequest(bytes: Uint8Array): HistoryRequest {
  const { stream, after } = fields.message(proto.HistoryRequest, bytes, 'a request for history')
  const asked = STREAMS[(stream ?? 0) - 1]
  // The local stream is nobody else's.
  if (asked === undefined || asked === 'local') throw new HistoryMessageError('no such stream')
  return { stream: asked, after: fields.count(after, 'a number') }
}

export const encodeHistoryReply = ({ events, more }: HistoryReply): Uint8Array =>
  proto.HistoryReply.encode({ events: [...events], more }).finish()

export function decodeHistoryReply(bytes: Uint8Array): HistoryReply {
  const { events, more } = fields.message(proto.HistoryReply, bytes, 'a piece of history')
  return {
    events: fields.list(events, HISTORY_EVENTS_MAX, 'events').map(({ body, signature }) => {
      if (!body?.length) throw new HistoryMessageError('an event has no body')
      // Copies: of a Buffer, `slice` would be a view, which keeps the whole message in memory.
      return { body: new Uint8Array(body), signature: new Uint8Array(fields.signature(signature)) }
    }),
    more: more ?? false,
  }
}

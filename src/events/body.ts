import type { Draft, Header, SignedEvent, Stream } from './envelope.ts'
import type { Event } from './event.ts'
import { fromHex, toHex } from './hex.ts'
import type { Lamport, Millis, NodeId } from './ids.ts'
import { decodePayload, encodePayload } from './payload.ts'
import { Reader, Writer } from './protobuf.ts'
import type { Signer } from './signer.ts'

// The body (`Body` in proto/events.proto), written and scanned by hand: the header is read for every event of
// every replay, and a scan that stops before the payload costs a tenth of a full decode.

/** Longest body taken from the network or a file, in bytes. */
export const BODY_BYTES_MAX = 1024 * 1024
/** A gossiped or index event must fit a network message (64 KiB) with room for the frame around it. */
export const TRAVELLING_BODY_BYTES_MAX = 48 * 1024

const STREAMS: readonly Stream[] = ['local', 'gossip', 'index']
const streamNumber = (stream: Stream): number => STREAMS.indexOf(stream) + 1

/** Why bytes are no event body. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}

export type Stamp = { lamport: Lamport; authorSeq: number; at: Millis }

/** Encodes and signs an event; the only place where a body is made. */
export function signEvent(draft: Draft, stamp: Stamp, signer: Signer): SignedEvent {
  const { number, version, payload } = encodePayload(draft.event)
  const body = Writer.create()
    .uint32(8)
    .uint32(version)
    .uint32(16)
    .uint32(number)
    .uint32(24)
    .uint64(stamp.lamport)
    .uint32(34)
    .bytes(fromHex(signer.id))
    .uint32(40)
    .uint32(streamNumber(draft.stream))
    .uint32(48)
    .uint64(stamp.authorSeq)
    .uint32(56)
    .uint64(stamp.at)
    .uint32(66)
    .bytes(payload)
    .finish()
  const bytesMax = draft.stream === 'local' ? BODY_BYTES_MAX : TRAVELLING_BODY_BYTES_MAX
  if (body.length > bytesMax) throw new BodyError(`an event of ${body.length} bytes is over the limit of ${bytesMax}`)
  return { body, signature: signer.sign(body) }
}

// Plain numbers by the setting in protobuf.ts, whatever the library's types say.
const uint64 = (reader: InstanceType<typeof Reader>): number => reader.uint64() as unknown as number

export type ScannedBody = Header & { readonly payload: Uint8Array }

/**
 * Reads the header of a body and finds its payload, without decoding the payload.
 * @throws BodyError if the bytes are no body, a field is missing or a number is above 2^53 - 1
 */
export function scanBody(body: Uint8Array): ScannedBody {
  if (body.length > BODY_BYTES_MAX) throw new BodyError('a body is too long')
  let version = 0
  let kind = 0
  let lamport = 0
  let author: Uint8Array | undefined
  let stream = 0
  let authorSeq = 0
  let at = 0
  let payload: Uint8Array = new Uint8Array()
  try {
    const reader = Reader.create(body)
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      switch (tag) {
        case 8:
          version = reader.uint32()
          break
        case 16:
          kind = reader.uint32()
          break
        case 24:
          lamport = uint64(reader)
          break
        case 34:
          author = reader.bytes()
          break
        case 40:
          stream = reader.uint32()
          break
        case 48:
          authorSeq = uint64(reader)
          break
        case 56:
          at = uint64(reader)
          break
        case 66:
          payload = reader.bytes()
          break
        default:
          reader.skipType(tag & 7)
      }
    }
  } catch (cause) {
    throw new BodyError('the bytes are no event body', { cause })
  }
  const streamName = STREAMS[stream - 1]
  if (author?.length !== 32 || streamName === undefined || kind < 1 || version < 1)
    throw new BodyError('a field of the body is missing')
  if (!Number.isSafeInteger(authorSeq) || authorSeq < 1) throw new BodyError('the author sequence is out of range')
  if (!Number.isSafeInteger(at)) throw new BodyError('the time is out of range')
  return {
    version,
    kind,
    lamport: lamport as Lamport,
    author: toHex(author) as NodeId,
    stream: streamName,
    authorSeq,
    at: at as Millis,
    payload,
  }
}

/** Turns the payload of an older version into that of the present one, see upcasting.ts. */
export type Upcast = (kind: number, version: number, payload: Uint8Array) => Uint8Array

/**
 * The event of a scanned body.
 * @throws PayloadError if the payload is not what its kind says
 */
export function eventOf(scanned: ScannedBody, upcast: Upcast): Event {
  return decodePayload(scanned.kind, upcast(scanned.kind, scanned.version, scanned.payload))
}

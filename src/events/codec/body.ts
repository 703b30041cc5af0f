import type { Signer } from '../keys/signer.ts'
import type { Envelope, Header, SignedEvent, Stream, UnsignedEvent } from '../model/envelope.ts'
import type { Event } from '../model/event.ts'
import { fromHex } from '../model/hex.ts'
import type { Lamport, Millis, NodeId } from '../model/ids.ts'
import { isPresentVersion } from '../model/kinds.ts'
import { BODY_BYTES_MAX, BodyError, BodyScan, STREAMS, TAG } from './body-scan.ts'
import { decodePayload, encodePayload, type Origin, PayloadError } from './payload.ts'
import { NewerEventError, type Upcast } from './upcasting.ts'
import { writeVarint } from './varint.ts'

/** A gossiped or index event must fit a network message (64 KiB) with room for the frame around it. */
export const TRAVELLING_BODY_BYTES_MAX = 48 * 1024

const streamNumber = (stream: Stream): number => STREAMS.indexOf(stream) + 1

export type Stamp = { lamport: Lamport; authorSeq: number; at: Millis }

/** Encodes and signs an event. */
export function signEvent(event: UnsignedEvent, stamp: Stamp, signer: Signer): SignedEvent {
  const body = bodyOf(event, stamp, signer.id)
  return { body, signature: signer.sign('event', body) }
}

/**
 * The bytes to sign; the only place where a body is made.
 * @throws BodyError if it is too long
 */
export function bodyOf({ stream, event }: UnsignedEvent, stamp: Stamp, author: NodeId): Uint8Array {
  const { number, version, payload } = encodePayload(event)
  const body = encodeBody(stream, stamp, author, number, version, payload)
  const bytesMax = stream === 'local' ? BODY_BYTES_MAX : TRAVELLING_BODY_BYTES_MAX
  if (body.length > bytesMax) throw new BodyError(`an event of ${body.length} bytes is over the limit of ${bytesMax}`)
  return body
}

function encodeBody(
  stream: Stream,
  stamp: Stamp,
  author: NodeId,
  kind: number,
  version: number,
  payload: Uint8Array,
): Uint8Array {
  let at = 0
  const field = (tag: number, value: number): void => {
    at = writeVarint(header, writeVarint(header, at, tag), value)
  }
  field(TAG.version, version)
  field(TAG.kind, kind)
  field(TAG.lamport, stamp.lamport)
  const key = keyOf(author)
  field(TAG.author, key.length)
  header.set(key, at)
  at += key.length
  field(TAG.stream, streamNumber(stream))
  field(TAG.authorSeq, stamp.authorSeq)
  field(TAG.at, stamp.at)
  field(TAG.payload, payload.length)
  const bytes = new Uint8Array(at + payload.length)
  bytes.set(header.subarray(0, at))
  bytes.set(payload, at)
  return bytes
}

/** Used again for each body. Longest: eight tags (one of two bytes), the key, its length, and numbers of at most ten bytes. */
const header = new Uint8Array(112)

/** A log appends events of one author: its key is decoded once. */
let lastAuthor = ''
let lastKey = new Uint8Array()
function keyOf(author: NodeId): Uint8Array {
  if (author !== lastAuthor) {
    lastKey = new Uint8Array(fromHex(author))
    lastAuthor = author
  }
  return lastKey
}

export type ScannedBody = Header & { readonly payload: Uint8Array }

/** For one body at a time; nothing of it outlives the call. */
const scan = new BodyScan()

/**
 * The header of the body in `bytes[start..end)`, and its payload, not decoded. `lamport` may be above 2^53 - 1.
 * @throws BodyError if the bytes are no body, a field is missing or a number is above 2^53 - 1
 */
export function scanBody(bytes: Uint8Array, start = 0, end = bytes.length): ScannedBody {
  scan.read(bytes, start, end)
  const { version, kind, author, stream, authorSeq } = scan
  const payload = bytes.subarray(scan.payloadStart, scan.payloadEnd)
  return { version, kind, lamport: scan.lamport as Lamport, author, stream, authorSeq, at: scan.at as Millis, payload }
}

/**
 * The kind number of a body that `scanBody` took before, from its first bytes alone: what a filtered replay pays for
 * an event that it does not want.
 */
export function kindOfBody(bytes: Uint8Array, start: number, end: number): number {
  const version = bytes[start + 1] as number
  const kind = bytes[start + 3] as number
  if (version < 128 && kind < 128) return kind
  return scanBody(bytes, start, end).kind
}

/**
 * The event of a scanned body.
 * @throws PayloadError if the payload is not what its kind says
 */
export function eventOf(scanned: ScannedBody, upcast: Upcast): Event {
  return decodePayload(scanned.kind, upcast(scanned.kind, scanned.version, scanned.payload))
}

/**
 * The event as this version understands it: one written by a newer p2pt is kept and relayed unread, like an unknown kind.
 * @throws PayloadError if the payload is not what its kind says
 */
export function readableEvent(
  scanned: Pick<ScannedBody, 'kind' | 'version' | 'payload'>,
  upcast: Upcast,
  origin: Origin = 'arriving',
): Event {
  const { kind, version, payload } = scanned
  try {
    const present = upcast(kind, version, payload)
    return decodePayload(kind, present, 0, present.length, origin)
  } catch (error) {
    if (error instanceof NewerEventError) return { kind: 'unknown', number: kind, payload: payload.slice() }
    throw error
  }
}

/**
 * False if the payload breaks a rule of its kind's codec: everybody sees that, whatever else he knows. Payloads of older
 * and newer versions are left to the log, which has the steps between versions.
 */
export function isWellFormed({ kind, version, payload }: Pick<ScannedBody, 'kind' | 'version' | 'payload'>): boolean {
  if (!isPresentVersion(kind, version)) return true
  try {
    decodePayload(kind, payload)
    return true
  } catch (error) {
    if (error instanceof PayloadError) return false
    throw error
  }
}

/**
 * What a body that was just scanned says, at its place in a log, as `readableEvent` reads it.
 * @throws PayloadError if the payload is not what its kind says
 */
export function envelopeOf(
  scanned: BodyScan,
  bytes: Uint8Array,
  seq: number,
  upcast: Upcast,
  origin: Origin = 'arriving',
): Envelope {
  const { version, kind, author, stream, authorSeq, payloadStart, payloadEnd } = scanned
  const event = isPresentVersion(kind, version)
    ? decodePayload(kind, bytes, payloadStart, payloadEnd, origin)
    : readableEvent({ kind, version, payload: bytes.subarray(payloadStart, payloadEnd) }, upcast, origin)
  const [lamport, at] = [scanned.lamport as Lamport, scanned.at as Millis]
  return { seq, version, kind, lamport, author, stream, authorSeq, at, payloadBytes: payloadEnd - payloadStart, event }
}

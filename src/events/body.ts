import type { Draft, Header, SignedEvent, Stream } from './envelope.ts'
import type { Event } from './event.ts'
import { fromHex } from './hex.ts'
import { hexName } from './hex-names.ts'
import type { Lamport, Millis, NodeId } from './ids.ts'
import { decodePayload, encodePayload } from './payload.ts'
import type { Signer } from './signer.ts'
import { Cursor, writeVarint } from './varint.ts'

// The body (`Body` in proto/events.proto), written and scanned by hand: the header is read for every event of
// every replay, and a scan that stops before the payload costs a tenth of a full decode.

/** Longest body at all, in bytes: `download.described` holds a whole torrent file. */
export const BODY_BYTES_MAX = 6 * 1024 * 1024
/** A gossiped or index event must fit a network message (64 KiB) with room for the frame around it. */
export const TRAVELLING_BODY_BYTES_MAX = 48 * 1024

/** In the order of their numbers, from 1. */
export const STREAMS: readonly Stream[] = ['local', 'gossip', 'index']
const streamNumber = (stream: Stream): number => STREAMS.indexOf(stream) + 1

/** Tag bytes of the fields of `Body`, in the order in which they must stand. */
const TAG = { version: 8, kind: 16, lamport: 24, author: 34, stream: 40, authorSeq: 48, at: 56, payload: 66 } as const

/** Why bytes are no event body. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}

export type Stamp = { lamport: Lamport; authorSeq: number; at: Millis }

/** Encodes and signs an event; the only place where a body is made. */
export function signEvent(draft: Draft, stamp: Stamp, signer: Signer): SignedEvent {
  const { number, version, payload } = encodePayload(draft.event)
  const body = encodeBody(draft.stream, stamp, signer.id, number, version, payload)
  const bytesMax = draft.stream === 'local' ? BODY_BYTES_MAX : TRAVELLING_BODY_BYTES_MAX
  if (body.length > bytesMax) throw new BodyError(`an event of ${body.length} bytes is over the limit of ${bytesMax}`)
  return { body, signature: signer.sign(body) }
}

function encodeBody(
  stream: Stream,
  stamp: Stamp,
  author: NodeId,
  kind: number,
  version: number,
  payload: Uint8Array,
): Uint8Array {
  // Longest header: eight tags (one of two bytes), the key, its length, and numbers of at most ten bytes.
  const bytes = new Uint8Array(payload.length + 112)
  let at = 0
  const field = (tag: number, value: number): void => {
    at = writeVarint(bytes, writeVarint(bytes, at, tag), value)
  }
  const run = (tag: number, value: Uint8Array): void => {
    field(tag, value.length)
    bytes.set(value, at)
    at += value.length
  }
  field(TAG.version, version)
  field(TAG.kind, kind)
  field(TAG.lamport, stamp.lamport)
  run(TAG.author, fromHex(author))
  field(TAG.stream, streamNumber(stream))
  field(TAG.authorSeq, stamp.authorSeq)
  field(TAG.at, stamp.at)
  run(TAG.payload, payload)
  return bytes.slice(0, at)
}

export type ScannedBody = Header & { readonly payload: Uint8Array }

function expectTag(cursor: Cursor, tag: number): void {
  if (cursor.varint() !== tag) throw new BodyError('a field of the body is missing or out of order')
}

/**
 * Reads the header of the body in `bytes[start..end)` and finds its payload, without decoding the payload.
 * Every field must stand exactly once and in order, or two readers could see two different events under one signature;
 * fields that a later version adds stand after the payload and are passed over. `lamport` may be above 2^53 - 1: the
 * clock refuses it (see lamport-clock.ts).
 * @throws BodyError if the bytes are no body, a field is missing or a number is above 2^53 - 1
 */
export function scanBody(bytes: Uint8Array, start = 0, end = bytes.length): ScannedBody {
  if (end - start > BODY_BYTES_MAX) throw new BodyError('a body is too long')
  try {
    const cursor = new Cursor(bytes, start, end)
    expectTag(cursor, TAG.version)
    const version = cursor.varint()
    expectTag(cursor, TAG.kind)
    const kind = cursor.varint()
    expectTag(cursor, TAG.lamport)
    const lamport = cursor.varint()
    expectTag(cursor, TAG.author)
    if (cursor.varint() !== 32) throw new BodyError('an author has 32 bytes')
    const author = hexName(bytes, cursor.skip(32), 32) as NodeId
    expectTag(cursor, TAG.stream)
    const stream = STREAMS[cursor.varint() - 1]
    expectTag(cursor, TAG.authorSeq)
    const authorSeq = cursor.varint()
    expectTag(cursor, TAG.at)
    const at = cursor.varint()
    expectTag(cursor, TAG.payload)
    const payloadLength = cursor.varint()
    const payloadStart = cursor.skip(payloadLength)
    if (cursor.at < end) skipLaterFields(cursor)
    if (stream === undefined || kind < 1 || kind > NUMBER_MAX || version < 1 || version > NUMBER_MAX)
      throw new BodyError('a field of the body is out of range')
    if (authorSeq < 1 || authorSeq > Number.MAX_SAFE_INTEGER) throw new BodyError('the author sequence is out of range')
    if (at > Number.MAX_SAFE_INTEGER) throw new BodyError('the time is out of range')
    return {
      version,
      kind,
      lamport: lamport as Lamport,
      author,
      stream,
      authorSeq,
      at: at as Millis,
      payload: bytes.subarray(payloadStart, payloadStart + payloadLength),
    }
  } catch (cause) {
    if (cause instanceof BodyError) throw cause
    throw new BodyError('the bytes are no event body', { cause })
  }
}

/** Versions and kinds are uint32. */
const NUMBER_MAX = 2 ** 32 - 1

function skipLaterFields(cursor: Cursor): void {
  while (cursor.at < cursor.end) {
    const tag = cursor.varint()
    if (tag <= TAG.payload) throw new BodyError('a field of the body stands twice or out of order')
    if (tag % 8 === 0) cursor.varint()
    else if (tag % 8 === 2) cursor.skip(cursor.varint())
    else throw new BodyError('an unknown field of the body has an unknown type')
  }
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

/** Turns the payload of an older version into that of the present one, see upcasting.ts. */
export type Upcast = (kind: number, version: number, payload: Uint8Array) => Uint8Array

/**
 * The event of a scanned body.
 * @throws PayloadError if the payload is not what its kind says
 */
export function eventOf(scanned: ScannedBody, upcast: Upcast): Event {
  return decodePayload(scanned.kind, upcast(scanned.kind, scanned.version, scanned.payload))
}

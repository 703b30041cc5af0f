import type { Stream } from '../model/envelope.ts'
import { hexName } from '../model/hex-names.ts'
import type { NodeId } from '../model/ids.ts'
import { Cursor } from './varint.ts'

// The header of a body (`Body` in proto/events.proto), read by hand: every event of every replay and every ingest comes
// through here, and a scan that stops before the payload costs a tenth of a full decode.

/** Longest body at all, in bytes: `download.described` holds a whole torrent file. */
export const BODY_BYTES_MAX = 6 * 1024 * 1024

/** In the order of their numbers, from 1. */
export const STREAMS: readonly Stream[] = ['local', 'gossip', 'index']

/** Tag bytes of the fields of `Body`, in the order in which they must stand. */
export const TAG = { version: 8, kind: 16, lamport: 24, author: 34, stream: 40, authorSeq: 48, at: 56, payload: 66 } as const

const KEY_BYTES = 32
/** Versions and kinds are uint32. */
const NUMBER_MAX = 2 ** 32 - 1

/** Why bytes are no event body. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}

/** What the last body said. One scan reads many bodies, one after the other, and makes no object for any of them. */
export class BodyScan {
  version = 0
  kind = 0
  /** May be above 2^53 - 1: the clock refuses it (see lamport-clock.ts). */
  lamport = 0
  author = '' as NodeId
  stream: Stream = 'local'
  authorSeq = 0
  at = 0
  payloadStart = 0
  payloadEnd = 0
  /** Where the last number ended. */
  #place = 0

  /**
   * Reads the header of the body in `bytes[start..end)` and finds its payload. Every field must stand exactly once and in
   * order, or two readers could see two different events under one signature; fields that a later version adds stand
   * after the payload and are passed over.
   * @throws BodyError if the bytes are no body, a field is missing or a number is above 2^53 - 1
   */
  read(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#readPlain(bytes, start, end)) this.#readAny(bytes, start, end)
  }

  /** Bodies as we write them; false, and nothing that counts, for whatever is longer, odd or wrong. */
  #readPlain(bytes: Uint8Array, start: number, end: number): boolean {
    this.version = bytes[start + 1] as number
    this.kind = bytes[start + 3] as number
    if (bytes[start] !== TAG.version || bytes[start + 2] !== TAG.kind || bytes[start + 4] !== TAG.lamport) return false
    this.lamport = this.#number(bytes, start + 5)
    const author = this.#place + 2
    if (bytes[author - 2] !== TAG.author || bytes[author - 1] !== KEY_BYTES) return false
    const stream = author + KEY_BYTES + 1
    if (bytes[stream - 1] !== TAG.stream || bytes[stream + 1] !== TAG.authorSeq) return false
    this.authorSeq = this.#number(bytes, stream + 2)
    if (bytes[this.#place] !== TAG.at) return false
    this.at = this.#number(bytes, this.#place + 1)
    if (bytes[this.#place] !== TAG.payload) return false
    const payloadBytes = this.#number(bytes, this.#place + 1)
    this.payloadStart = this.#place
    this.payloadEnd = this.#place + payloadBytes
    if (this.payloadEnd !== end || end - start > BODY_BYTES_MAX) return false
    const named = STREAMS[(bytes[stream] as number) - 1]
    if (named === undefined || this.version > 127 || this.kind > 127) return false
    if (this.version < 1 || this.kind < 1 || this.authorSeq < 1) return false
    this.stream = named
    this.author = hexName(bytes, author, KEY_BYTES) as NodeId
    return true
  }

  /** A varint of at most seven bytes, which is exact; a longer one leaves `#place` where no tag is found. */
  #number(bytes: Uint8Array, at: number): number {
    let place = at
    let byte = bytes[place++] as number
    let value = byte & 127
    for (let shift = 7; byte > 127 && shift < 28; shift += 7) {
      byte = bytes[place++] as number
      value |= (byte & 127) << shift
    }
    for (let scale = 2 ** 28; byte > 127 && scale < 2 ** 49; scale *= 128) {
      byte = bytes[place++] as number
      value += (byte & 127) * scale
    }
    this.#place = byte > 127 ? Number.MAX_SAFE_INTEGER : place
    return value
  }

  #readAny(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > BODY_BYTES_MAX) throw new BodyError('a body is too long')
    try {
      const cursor = new Cursor(bytes, start, end)
      expectTag(cursor, TAG.version)
      this.version = cursor.varint()
      expectTag(cursor, TAG.kind)
      this.kind = cursor.varint()
      expectTag(cursor, TAG.lamport)
      this.lamport = cursor.varint()
      expectTag(cursor, TAG.author)
      if (cursor.varint() !== KEY_BYTES) throw new BodyError('an author has 32 bytes')
      this.author = hexName(bytes, cursor.skip(KEY_BYTES), KEY_BYTES) as NodeId
      expectTag(cursor, TAG.stream)
      const stream = STREAMS[cursor.varint() - 1]
      expectTag(cursor, TAG.authorSeq)
      this.authorSeq = cursor.varint()
      expectTag(cursor, TAG.at)
      this.at = cursor.varint()
      expectTag(cursor, TAG.payload)
      const payloadBytes = cursor.varint()
      this.payloadStart = cursor.skip(payloadBytes)
      this.payloadEnd = cursor.at
      if (cursor.at < end) skipLaterFields(cursor)
      const isNumber = (value: number): boolean => value >= 1 && value <= NUMBER_MAX
      if (stream === undefined || !isNumber(this.kind) || !isNumber(this.version))
        throw new BodyError('a field of the body is out of range')
      this.stream = stream
      if (this.authorSeq < 1 || this.authorSeq > Number.MAX_SAFE_INTEGER)
        throw new BodyError('the author sequence is out of range')
      if (this.at > Number.MAX_SAFE_INTEGER) throw new BodyError('the time is out of range')
    } catch (cause) {
      if (cause instanceof BodyError) throw cause
      throw new BodyError('the bytes are no event body', { cause })
    }
  }
}

function expectTag(cursor: Cursor, tag: number): void {
  if (cursor.varint() !== tag) throw new BodyError('a field of the body is missing or out of order')
}

function skipLaterFields(cursor: Cursor): void {
  while (cursor.at < cursor.end) {
    const tag = cursor.varint()
    if (tag <= TAG.payload) throw new BodyError('a field of the body stands twice or out of order')
    if (tag % 8 === 0) cursor.varint()
    else if (tag % 8 === 2) cursor.skip(cursor.varint())
    else throw new BodyError('an unknown field of the body has an unknown type')
  }
}

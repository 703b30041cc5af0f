import { envelopeOf, kindOfBody } from '../codec/body.ts'
import { BodyScan } from '../codec/body-scan.ts'
import { joinBytes } from '../codec/join-bytes.ts'
import type { Upcast } from '../codec/upcasting.ts'
import { Cursor, varintLength, writeVarint } from '../codec/varint.ts'
import type { Envelope, SignedEvent } from '../model/envelope.ts'
import type { EventKind } from '../model/event.ts'
import { KINDS } from '../model/kinds.ts'

// A segment is one or more frames, a frame is what one commit wrote: count and length of its events as varints, then
// each event as the length of its body (varint), the body and the signature. Merging segments joins their frames and
// changes none, so the chain of digests, which goes over frames, stays what it was. See docs/adr/0002. Where an event was
// pruned, a body of length 0 stands, without a signature: its place stays, and those behind it keep theirs (docs/adr/0011).

export const SIGNATURE_BYTES = 64

/** The frame of one commit. */
export function encodeFrame(events: readonly SignedEvent[]): Uint8Array {
  let length = 0
  for (const { body } of events) length += varintLength(body.length) + body.length + SIGNATURE_BYTES
  const frame = new Uint8Array(varintLength(events.length) + varintLength(length) + length)
  let at = writeVarint(frame, writeVarint(frame, 0, events.length), length)
  for (const { body, signature } of events) {
    at = writeVarint(frame, at, body.length)
    frame.set(body, at)
    frame.set(signature, at + body.length)
    at += body.length + SIGNATURE_BYTES
  }
  return frame
}

/** Where a frame stands in its segment, and the sequences of its events. */
export type FrameSpan = { readonly start: number; readonly end: number; readonly first: number; readonly count: number }

/** The frames of a segment whose bytes start at `start`. @throws VarintError if they are cut off */
export function framesOf(segment: Uint8Array, start: number, first: number): FrameSpan[] {
  const frames: FrameSpan[] = []
  const cursor = new Cursor(segment, start)
  for (let seq = first; cursor.at < segment.length; ) {
    const from = cursor.at
    const count = cursor.varint()
    cursor.skip(cursor.varint())
    frames.push({ start: from, end: cursor.at, first: seq, count })
    seq += count
  }
  return frames
}

/** The chain digest after a frame, from the one before it and the frame's bytes. */
export type Chain = (before: Uint8Array, frame: Uint8Array) => Uint8Array

/** The chain digest after all of these frames. @throws VarintError if they are cut off */
export const digestAfter = (before: Uint8Array, frames: Uint8Array, chain: Chain): Uint8Array =>
  framesOf(frames, 0, 1).reduce((digest, { start, end }) => chain(digest, frames.subarray(start, end)), before)

/** Which kind numbers a read wants: one byte a number below 256; larger numbers are of no known kind. */
export type WantedKinds = Uint8Array

export function wantedKinds(kinds: readonly EventKind[]): WantedKinds {
  const wanted = new Uint8Array(256)
  for (const kind of kinds) wanted[KINDS[kind].number] = 1
  return wanted
}

/**
 * Reads the events `from` to `to` (inclusive) of a segment into `into`; of others than the wanted kinds only two bytes
 * are looked at.
 * @throws VarintError | BodyError | PayloadError if the bytes are not what was written
 */
export function readSegment(
  segment: Uint8Array,
  start: number,
  first: number,
  range: { readonly from: number; readonly to: number; readonly wanted: WantedKinds | undefined },
  upcast: Upcast,
  into: Envelope[],
): void {
  const { from, to, wanted } = range
  const scan = new BodyScan()
  const cursor = new Cursor(segment, start)
  for (let seq = first; cursor.at < segment.length && seq <= to; ) {
    const count = cursor.varint()
    const length = cursor.varint()
    if (seq + count <= from) {
      cursor.skip(length)
      seq += count
      continue
    }
    for (const next = seq + count; seq < next; seq++) {
      const bodyLength = cursor.varint()
      if (bodyLength === 0) continue
      const body = cursor.skip(bodyLength)
      cursor.skip(SIGNATURE_BYTES)
      if (seq < from || seq > to) continue
      if (wanted !== undefined && wanted[kindOfBody(segment, body, body + bodyLength)] !== 1) continue
      scan.read(segment, body, body + bodyLength)
      into.push(envelopeOf(scan, segment, seq, upcast, 'stored'))
    }
  }
}

/**
 * The signed bytes of every event of a segment, as views, with its place.
 * @throws VarintError if they are cut off
 */
export function* signedEventsOf(
  segment: Uint8Array,
  start: number,
  first: number,
): Generator<SignedEvent & { readonly seq: number }> {
  const cursor = new Cursor(segment, start)
  for (let seq = first; cursor.at < segment.length; ) {
    const next = seq + cursor.varint()
    cursor.varint()
    for (; seq < next; seq++) {
      const bodyLength = cursor.varint()
      if (bodyLength === 0) continue
      const body = cursor.skip(bodyLength)
      const signature = cursor.skip(SIGNATURE_BYTES)
      yield {
        seq,
        body: segment.subarray(body, body + bodyLength),
        signature: segment.subarray(signature, signature + SIGNATURE_BYTES),
      }
    }
  }
}

/** The same frames without the bytes of the events at these places; every event keeps its place. */
export function thinFrames(segment: Uint8Array, first: number, isDropped: (seq: number) => boolean): Uint8Array {
  const parts: Uint8Array[] = []
  const cursor = new Cursor(segment)
  for (let seq = first; cursor.at < segment.length; ) {
    const count = cursor.varint()
    cursor.varint()
    const kept: Uint8Array[] = []
    let length = 0
    for (const next = seq + count; seq < next; seq++) {
      const start = cursor.at
      const bodyLength = cursor.varint()
      if (bodyLength > 0) cursor.skip(bodyLength + SIGNATURE_BYTES)
      const event = isDropped(seq) ? DROPPED : segment.subarray(start, cursor.at)
      kept.push(event)
      length += event.length
    }
    const head = new Uint8Array(varintLength(count) + varintLength(length))
    writeVarint(head, writeVarint(head, 0, count), length)
    parts.push(head, ...kept)
  }
  return joinBytes(parts)
}

/** A body of length 0, and no signature. */
const DROPPED = new Uint8Array(1)

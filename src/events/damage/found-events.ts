import { scanBody } from '../codec/body.ts'
import { BODY_BYTES_MAX, BodyError, TAG } from '../codec/body-scan.ts'
import { Cursor, VarintError, varintLength, writeVarint } from '../codec/varint.ts'
import type { SignedEvent, Stream } from '../model/envelope.ts'
import type { NodeId } from '../model/ids.ts'
import { SIGNATURE_BYTES } from '../segments/segment.ts'
import type { SegmentSummary } from '../segments/segment-summary.ts'

// Single events in bytes that nothing else can be made of: each is proven by its author's signature, and its place in the log
// by the summary of the segment that it stood in.

/** Events as they stand in a frame, by their names. */
export type FoundEvents = Map<string, Uint8Array>

export type IsSigned = (event: SignedEvent, author: NodeId) => boolean

type Named = { readonly author: NodeId; readonly stream: Stream; readonly authorSeq: number }

const nameOf = ({ author, stream, authorSeq }: Named): string => `${stream}/${author}/${authorSeq}`

/** The names of a segment's events, each with its place. */
export function* eventNames({ runs }: SegmentSummary): Generator<[name: string, seq: number]> {
  for (const { author, stream, authorSeq, seq, count } of runs)
    for (let index = 0; index < count; index++) yield [nameOf({ author, stream, authorSeq: authorSeq + index }), seq + index]
}

/** Looks for events of these names, and adds copies of those that their authors signed. */
export function findEvents(bytes: Uint8Array, wanted: ReadonlySet<string>, isSigned: IsSigned, found: FoundEvents): void {
  for (let at = 0; at < bytes.length; ) {
    const event = eventAt(bytes, at)
    const name = event && nameOf(event.header)
    if (event === undefined || name === undefined || !wanted.has(name)) {
      at++
      continue
    }
    if (!found.has(name)) {
      if (!isSigned(event.signed, event.header.author)) {
        at++
        continue
      }
      found.set(name, framed(event.signed))
    }
    at = event.end
  }
}

/** As it stands in a frame. */
function framed({ body, signature }: SignedEvent): Uint8Array {
  const bytes = new Uint8Array(varintLength(body.length) + body.length + SIGNATURE_BYTES)
  const at = writeVarint(bytes, 0, body.length)
  bytes.set(body, at)
  bytes.set(signature, at + body.length)
  return bytes
}

/** One frame of all places of a segment, with an empty mark where an event is gone; undefined if all are. */
export function tornFrame(summary: SegmentSummary, events: FoundEvents): Uint8Array | undefined {
  const parts: Uint8Array[] = Array.from({ length: summary.count }, () => NO_EVENT)
  let isEmpty = true
  for (const [name, seq] of eventNames(summary)) {
    const event = events.get(name)
    if (event === undefined) continue
    parts[seq - summary.first] = event
    isEmpty = false
  }
  return isEmpty ? undefined : frameOf(parts)
}

const NO_EVENT = new Uint8Array(1)

type Found = { readonly signed: SignedEvent; readonly header: Named; readonly end: number }

/** An event whose body begins here, as far as its form tells: what stands before it, its length, may be gone. */
function eventAt(bytes: Uint8Array, at: number): Found | undefined {
  if (bytes[at] !== TAG.version) return undefined
  try {
    const end = endOfBody(bytes, at)
    const body = bytes.subarray(at, end)
    const signature = bytes.subarray(end, end + SIGNATURE_BYTES)
    if (signature.length < SIGNATURE_BYTES || body.length > BODY_BYTES_MAX) return undefined
    return { signed: { body, signature }, header: scanBody(body), end: end + SIGNATURE_BYTES }
  } catch (error) {
    if (error instanceof VarintError || error instanceof BodyError) return undefined
    throw error
  }
}

/** Bodies end with their payload. @throws VarintError if there is no body here */
function endOfBody(bytes: Uint8Array, at: number): number {
  const cursor = new Cursor(bytes, at)
  for (const tag of Object.values(TAG)) {
    if (cursor.varint() !== tag) throw new VarintError('a field of a body is missing')
    // The two that are bytes, and not numbers, have their length in front.
    const number = cursor.varint()
    if (tag === TAG.author || tag === TAG.payload) cursor.skip(number)
  }
  return cursor.at
}

function frameOf(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const frame = new Uint8Array(varintLength(parts.length) + varintLength(length) + length)
  let at = writeVarint(frame, writeVarint(frame, 0, parts.length), length)
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

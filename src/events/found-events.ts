import { scanBody } from './body.ts'
import { BODY_BYTES_MAX, BodyError, TAG } from './body-scan.ts'
import type { SignedEvent, Stream } from './envelope.ts'
import type { NodeId } from './ids.ts'
import { SIGNATURE_BYTES } from './segment.ts'
import type { SegmentSummary } from './segment-summary.ts'
import { Cursor, VarintError, varintLength, writeVarint } from './varint.ts'

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
    const here = eventAt(bytes, at)
    const name = here && nameOf(here.header)
    if (here === undefined || name === undefined || !wanted.has(name)) {
      at++
      continue
    }
    if (!found.has(name)) {
      if (!isSigned(here.event, here.header.author)) {
        at++
        continue
      }
      found.set(name, bytes.slice(at, here.end))
    }
    at = here.end
  }
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

/** An event that begins here, as far as its form tells. */
function eventAt(bytes: Uint8Array, at: number): { event: SignedEvent; header: Named; end: number } | undefined {
  try {
    const cursor = new Cursor(bytes, at)
    const length = cursor.varint()
    if (length === 0 || length > BODY_BYTES_MAX || bytes[cursor.at] !== TAG.version) return undefined
    const [body, signature] = [cursor.skip(length), cursor.skip(SIGNATURE_BYTES)]
    const event = {
      body: bytes.subarray(body, body + length),
      signature: bytes.subarray(signature, signature + SIGNATURE_BYTES),
    }
    return { event, header: scanBody(event.body), end: cursor.at }
  } catch (error) {
    if (error instanceof VarintError || error instanceof BodyError) return undefined
    throw error
  }
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

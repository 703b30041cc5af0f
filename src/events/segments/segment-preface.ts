import { Cursor, VarintError, varintLength, writeVarint } from '../codec/varint.ts'
import { DIGEST_BYTES, decodeSummary, encodeSummary, type SegmentSummary } from './segment-summary.ts'

// What stands before the frames of a segment: enough to place it when its summary is lost, because LevelDB
// keeps all summaries side by side and a lost file may hold every one of them. A byte that no frame begins with (none is
// empty), then which of the two it is. Whole frames need the chain digest before them alone, the rest follows from the
// frames; where events were pruned the digests do not follow any more, and the whole summary stands here.

const PREFACE = 0
const LINK = 1
const SUMMARY = 2

export type Preface =
  | { readonly before: Uint8Array; readonly summary?: undefined }
  | { readonly before?: undefined; readonly summary: SegmentSummary }

export function encodePreface({ before, summary }: Preface): Uint8Array {
  if (summary === undefined) {
    const bytes = new Uint8Array(2 + DIGEST_BYTES)
    bytes[1] = LINK
    bytes.set(before, 2)
    return bytes
  }
  const encoded = encodeSummary(summary)
  const bytes = new Uint8Array(2 + varintLength(encoded.length) + encoded.length)
  bytes[1] = SUMMARY
  bytes.set(encoded, writeVarint(bytes, 2, encoded.length))
  return bytes
}

/** Where the frames begin in a segment's bytes that begin at `start`. @throws VarintError if that cannot be told */
export function framesAt(segment: Uint8Array, start: number): number {
  const { cursor, kind } = opened(segment, start)
  cursor.skip(kind === LINK ? DIGEST_BYTES : cursor.varint())
  return cursor.at
}

/** What a segment says of itself. @throws VarintError if it cannot be read */
export function prefaceOf(segment: Uint8Array, start: number): Preface {
  const { cursor, kind } = opened(segment, start)
  const length = kind === LINK ? DIGEST_BYTES : cursor.varint()
  const from = cursor.skip(length)
  if (kind === LINK) return { before: segment.slice(from, from + length) }
  return { summary: decodeSummary(segment.subarray(from, from + length)) }
}

function opened(segment: Uint8Array, start: number): { cursor: Cursor; kind: number } {
  const kind = segment[start + 1]
  if (segment[start] !== PREFACE || (kind !== LINK && kind !== SUMMARY)) throw new VarintError('a segment has no preface')
  return { cursor: new Cursor(segment, start + 2), kind }
}

import { STREAMS } from './body.ts'
import { fromHex } from './hex.ts'
import { hexName } from './hex-names.ts'
import type { NodeId } from './ids.ts'
import type { AuthorRun } from './log-state.ts'
import { Cursor, varintLength, writeVarint } from './varint.ts'

// What open() reads of a segment instead of its events; written in the same batch as the segment.

export const DIGEST_BYTES = 32

/** Bits 0 to 31 and 32 to 63 of the kinds of a segment; kind numbers of 63 and above share the last bit. */
export type KindBits = { readonly low: number; readonly high: number }

export const NO_KINDS: KindBits = { low: 0, high: 0 }

export function withKind(bits: KindBits, kind: number): KindBits {
  const bit = Math.min(kind, 63)
  return bit < 32
    ? { low: (bits.low | (1 << bit)) >>> 0, high: bits.high }
    : { low: bits.low, high: (bits.high | (1 << (bit - 32))) >>> 0 }
}

export const joinKinds = (a: KindBits, b: KindBits): KindBits => ({ low: (a.low | b.low) >>> 0, high: (a.high | b.high) >>> 0 })

export const shareKinds = (a: KindBits, b: KindBits): boolean => (a.low & b.low) !== 0 || (a.high & b.high) !== 0

export type SegmentSummary = {
  readonly first: number
  readonly count: number
  readonly kinds: KindBits
  readonly lamportMin: number
  readonly lamportMax: number
  /** Chain digest before the first and after the last of its frames, 32 bytes each. */
  readonly before: Uint8Array
  readonly after: Uint8Array
  readonly runs: readonly AuthorRun[]
}

/** The summary of segments that stand side by side, as one. */
export function joinSummaries(first: SegmentSummary, rest: readonly SegmentSummary[]): SegmentSummary {
  return rest.reduce(
    (joined, next) => ({
      first: joined.first,
      count: joined.count + next.count,
      kinds: joinKinds(joined.kinds, next.kinds),
      lamportMin: Math.min(joined.lamportMin, next.lamportMin),
      lamportMax: Math.max(joined.lamportMax, next.lamportMax),
      before: joined.before,
      after: next.after,
      runs: joinRuns(joined.runs, next.runs),
    }),
    first,
  )
}

function joinRuns(runs: readonly AuthorRun[], next: readonly AuthorRun[]): AuthorRun[] {
  const joined = [...runs]
  for (const run of next) {
    const last = joined.at(-1)
    const goesOn =
      last?.author === run.author &&
      last.stream === run.stream &&
      last.authorSeq + last.count === run.authorSeq &&
      last.seq + last.count === run.seq
    if (last !== undefined && goesOn) joined[joined.length - 1] = { ...last, count: last.count + run.count }
    else joined.push(run)
  }
  return joined
}

/** Layout: seven numbers, two digests, the authors (count, then 32 bytes each), the runs (count, then four numbers each). */
export function encodeSummary(summary: SegmentSummary): Uint8Array {
  const authors = [...new Set(summary.runs.map(({ author }) => author))]
  const indexOf = new Map(authors.map((author, index) => [author, index]))
  const head = [summary.first, summary.count, summary.kinds.low, summary.kinds.high, summary.lamportMin, summary.lamportMax]
  const runs = summary.runs.flatMap(({ author, stream, authorSeq, seq, count }) => [
    (indexOf.get(author) as number) * STREAMS.length + STREAMS.indexOf(stream),
    authorSeq,
    seq - summary.first,
    count,
  ])
  const numbers = [...head, authors.length, summary.runs.length, ...runs]
  const bytes = new Uint8Array(
    numbers.reduce((length, number) => length + varintLength(number), 0) + (2 + authors.length) * DIGEST_BYTES,
  )
  let at = 0
  for (const number of head) at = writeVarint(bytes, at, number)
  for (const digest of [summary.before, summary.after]) {
    bytes.set(digest, at)
    at += DIGEST_BYTES
  }
  at = writeVarint(bytes, at, authors.length)
  for (const author of authors) {
    bytes.set(fromHex(author), at)
    at += DIGEST_BYTES
  }
  at = writeVarint(bytes, at, summary.runs.length)
  for (const number of runs) at = writeVarint(bytes, at, number)
  return bytes
}

/** @throws VarintError if the bytes are no summary */
export function decodeSummary(bytes: Uint8Array): SegmentSummary {
  const cursor = new Cursor(bytes)
  const first = cursor.varint()
  const count = cursor.varint()
  const kinds = { low: cursor.varint(), high: cursor.varint() }
  const lamportMin = cursor.varint()
  const lamportMax = cursor.varint()
  const digest = (): Uint8Array => {
    const start = cursor.skip(DIGEST_BYTES)
    return bytes.slice(start, start + DIGEST_BYTES)
  }
  const before = digest()
  const after = digest()
  const authors: NodeId[] = []
  for (let left = cursor.varint(); left > 0; left--)
    authors.push(hexName(bytes, cursor.skip(DIGEST_BYTES), DIGEST_BYTES) as NodeId)
  const runs: AuthorRun[] = []
  for (let left = cursor.varint(); left > 0; left--) {
    const whose = cursor.varint()
    const author = authors[Math.floor(whose / STREAMS.length)]
    const stream = STREAMS[whose % STREAMS.length]
    const authorSeq = cursor.varint()
    const seq = first + cursor.varint()
    const run = { authorSeq, seq, count: cursor.varint() }
    if (author !== undefined && stream !== undefined) runs.push({ author, stream, ...run })
  }
  return { first, count, kinds, lamportMin, lamportMax, before, after, runs }
}

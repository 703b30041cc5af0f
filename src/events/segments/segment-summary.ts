import { STREAMS } from '../codec/body-scan.ts'
import { Cursor, VARINT_BYTES_MAX, VarintError, writeVarint } from '../codec/varint.ts'
import type { AuthorRun } from '../log/log-state.ts'
import type { Stream } from '../model/envelope.ts'
import { fromHex } from '../model/hex.ts'
import { hexName } from '../model/hex-names.ts'
import type { NodeId } from '../model/ids.ts'

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

/** Events of one (author, stream) that this log had, without a place in it. */
export type KnownRun = Omit<AuthorRun, 'seq'>

/**
 * What is no longer there of a segment, and why. `thinned`, `torn`: its frames stand with marks of length 0 where events were
 * pruned on purpose, or went with damage. `pruned`, `lost`: no frames at all, for the same two reasons. Digests and stamps of the summary are
 * those from before, so that the chain goes on over it.
 */
export type Removal = {
  readonly what: 'thinned' | 'pruned' | 'lost' | 'torn'
  /** sha-256 of what stands there now, 32 bytes; zero where nothing does. */
  readonly content: Uint8Array
  /** Which events went; of what was lost or torn only as far as that is known. */
  readonly known: readonly KnownRun[]
}

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
  readonly removal?: Removal
}

/** True if there are frames behind the summary. */
export const hasFrames = ({ removal }: SegmentSummary): boolean =>
  removal === undefined || removal.what === 'thinned' || removal.what === 'torn'

/** In the order of their numbers, from 1. */
const REMOVALS = ['thinned', 'pruned', 'lost', 'torn'] as const

/** True of what went with damage: it is missed, and peers are asked for it. */
export const isMissed = ({ what }: Removal): boolean => what === 'lost' || what === 'torn'

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

/**
 * Layout: six numbers, two digests, the authors (count, then 32 bytes each), the runs (count, then four numbers each);
 * then, where something was removed: how, a digest, the known runs (count, then three numbers each).
 */
export function encodeSummary(summary: SegmentSummary): Uint8Array {
  const { first, runs, removal } = summary
  const known = removal?.known ?? []
  const indexOf = new Map<NodeId, number>()
  for (const { author } of runs) if (!indexOf.has(author)) indexOf.set(author, indexOf.size)
  for (const { author } of known) if (!indexOf.has(author)) indexOf.set(author, indexOf.size)
  const whose = ({ author, stream }: KnownRun): number =>
    (indexOf.get(author) as number) * STREAMS.length + STREAMS.indexOf(stream)
  const numbers = 10 + runs.length * 4 + known.length * 3
  const bytes = new Uint8Array(numbers * VARINT_BYTES_MAX + (3 + indexOf.size) * DIGEST_BYTES)
  let at = 0
  const put = (number: number): void => {
    at = writeVarint(bytes, at, number)
  }
  const putDigest = (digest: Uint8Array): void => {
    bytes.set(digest, at)
    at += DIGEST_BYTES
  }
  for (const number of [first, summary.count, summary.kinds.low, summary.kinds.high]) put(number)
  put(summary.lamportMin)
  put(summary.lamportMax)
  putDigest(summary.before)
  putDigest(summary.after)
  put(indexOf.size)
  for (const author of indexOf.keys()) putDigest(fromHex(author))
  put(runs.length)
  for (const run of runs) {
    put(whose(run))
    put(run.authorSeq)
    put(run.seq - first)
    put(run.count)
  }
  if (removal !== undefined) {
    put(REMOVALS.indexOf(removal.what) + 1)
    putDigest(removal.content)
    put(known.length)
    for (const run of known) {
      put(whose(run))
      put(run.authorSeq)
      put(run.count)
    }
  }
  return bytes.slice(0, at)
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
  const whose = (): { author: NodeId; stream: Stream } => {
    const number = cursor.varint()
    const author = authors[Math.floor(number / STREAMS.length)]
    const stream = STREAMS[number % STREAMS.length]
    if (author === undefined || stream === undefined) throw new VarintError('a run is of nobody')
    return { author, stream }
  }
  for (let left = cursor.varint(); left > 0; left--) {
    runs.push({ ...whose(), authorSeq: cursor.varint(), seq: first + cursor.varint(), count: cursor.varint() })
  }
  const summary = { first, count, kinds, lamportMin, lamportMax, before, after, runs }
  if (cursor.at === cursor.end) return summary
  const what = REMOVALS[cursor.varint() - 1]
  if (what === undefined) throw new VarintError('nobody knows how these events went')
  const content = digest()
  const known: KnownRun[] = []
  for (let left = cursor.varint(); left > 0; left--) {
    known.push({ ...whose(), authorSeq: cursor.varint(), count: cursor.varint() })
  }
  return { ...summary, removal: { what, content, known } }
}

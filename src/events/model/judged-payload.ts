import type { EventOf, PieceRange } from './event.ts'
import { hexName } from './hex-names.ts'
import type { InfoHash, NodeId } from './ids.ts'

// Most of a large log are verdicts with good pieces alone on a peer that proved its key. Their payload is read by hand,
// at a fifth of what the generated decoder costs; whatever else it may be is left to that one.

const TAG = { subject: 10, infoHash: 18, good: 26, node: 10, first: 8, count: 16 } as const
const KEY_BYTES = 32
const HASH_BYTES = 20
/** Runs longer than this are rare enough for the other decoder. */
const RANGES_MAX = 64

/** The verdict in `bytes[at..end)`, or undefined if it is not of the plain form (or of none). */
export function plainVerdict(bytes: Uint8Array, at: number, end: number): EventOf<'piece.judged'> | undefined {
  const subject = at + 4
  const infoHash = subject + KEY_BYTES + 2
  let place = infoHash + HASH_BYTES
  if (place > end) return undefined
  if (bytes[at] !== TAG.subject || bytes[at + 1] !== KEY_BYTES + 2) return undefined
  if (bytes[at + 2] !== TAG.node || bytes[at + 3] !== KEY_BYTES) return undefined
  if (bytes[infoHash - 2] !== TAG.infoHash || bytes[infoHash - 1] !== HASH_BYTES) return undefined
  const good: PieceRange[] = []
  while (place < end) {
    const rangeEnd = place + 2 + (bytes[place + 1] as number)
    if (bytes[place] !== TAG.good || rangeEnd > end || good.length >= RANGES_MAX) return undefined
    // Numbers of up to three bytes, which is two million pieces; 0 is left out.
    let next = place + 2
    let first = 0
    if (bytes[next] === TAG.first) {
      next++
      first = bytes[next++] as number
      if (first > 127) first = (first & 127) + ((bytes[next++] as number) << 7)
      if (first > 16_383) first = (first & 16_383) + ((bytes[next++] as number) << 14)
    }
    if (first > 2_097_151 || bytes[next++] !== TAG.count) return undefined
    let count = bytes[next++] as number
    if (count > 127) count = (count & 127) + ((bytes[next++] as number) << 7)
    if (count > 16_383 || count === 0 || next !== rangeEnd) return undefined
    good.push({ first, count })
    place = rangeEnd
  }
  return {
    kind: 'piece.judged',
    subject: hexName(bytes, subject, KEY_BYTES) as NodeId,
    infoHash: hexName(bytes, infoHash, HASH_BYTES) as InfoHash,
    good,
    bad: [],
  }
}

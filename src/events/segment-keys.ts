// Keys of the log's database: a prefix byte (sublevels cost 1.7 times as much), then the first sequence big-endian, so
// that the order of keys is the order of the log.

const SUMMARY = 0x69 // i
const META = 0x6d // m
const SEGMENT = 0x73 // s

/** Author and format, written when the log is made. */
export const META_KEY = new Uint8Array([META])

function key(prefix: number, first: number): Uint8Array {
  const bytes = new Uint8Array(9)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, prefix)
  view.setUint32(1, Math.floor(first / 2 ** 32))
  view.setUint32(5, first % 2 ** 32)
  return bytes
}

export const summaryKey = (first: number): Uint8Array => key(SUMMARY, first)
export const segmentKey = (first: number): Uint8Array => key(SEGMENT, first)

/** All keys of a prefix, for an iterator. */
export const SUMMARIES = { gte: new Uint8Array([SUMMARY]), lt: new Uint8Array([SUMMARY + 1]) }
export const SEGMENTS = { gte: new Uint8Array([SEGMENT]), lt: new Uint8Array([SEGMENT + 1]) }

/** The first sequence in a key of either kind. */
export function firstOfKey(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(1) * 2 ** 32 + view.getUint32(5)
}

// Keys of the log's database: a prefix byte (sublevels cost 1.7 times as much), then the first sequence big-endian, so
// that the order of keys is the order of the log.

const SUMMARY = 0x69 // i
const META = 0x6d // m
const SNAPSHOT = 0x70 // p
const SEGMENT = 0x73 // s
const ARRIVAL = 0x74 // t

/** Author and format, written when the log is made. */
export const META_KEY = new Uint8Array([META])

export type KeyRange = { readonly gte: Uint8Array; readonly lt: Uint8Array }

/** True for the first byte of a key of ours. */
export const isKeyPrefix = (byte: number): boolean => [SUMMARY, META, SNAPSHOT, SEGMENT, ARRIVAL].includes(byte)

function key(prefix: number, first: number): Uint8Array {
  const bytes = new Uint8Array(KEY_BYTES)
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

/** When the event with this sequence arrived; now and then one is written down. */
export const arrivalKey = (seq: number): Uint8Array => key(ARRIVAL, seq)
export const ARRIVALS = { gte: new Uint8Array([ARRIVAL]), lt: new Uint8Array([ARRIVAL + 1]) }

/** Rows that stand for what was pruned: `p` PROJECTION `\0` ROW KEY. */
export const snapshotKey = (projection: string, row: string): Uint8Array =>
  new TextEncoder().encode(`${String.fromCharCode(SNAPSHOT)}${projection}\0${row}`)
export const SNAPSHOTS = { gte: new Uint8Array([SNAPSHOT]), lt: new Uint8Array([SNAPSHOT + 1]) }
export const rowOfSnapshotKey = (key: Uint8Array): string => {
  const text = new TextDecoder().decode(key)
  return text.slice(text.indexOf('\0') + 1)
}

/** Of summaries, segments and arrivals. */
export const KEY_BYTES = 9

/** The first sequence in a key of either kind. */
export function firstOfKey(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(1) * 2 ** 32 + view.getUint32(5)
}

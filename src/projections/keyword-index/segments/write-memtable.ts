import { beginningsOf, type Memtable, PREFIX_POSTINGS_MAX } from './memtable.ts'
import type { SegmentMark } from './segment.ts'
import type { SegmentWriter } from './segment-writer.ts'

/** Words between two yields, and entries. */
const STEP = 256
const ENTRIES_A_STEP = 2048

/** Writes a memtable that nobody enters into any more as a segment, a step at a time. */
export function* writeMemtable(
  memtable: Memtable,
  isDead: (serial: number) => boolean,
  writer: SegmentWriter,
): Generator<void, SegmentMark> {
  const placeOf = new Map<number, number>()
  const entries = memtable.ranked()
  for (const [index, entry] of entries.entries()) {
    if (index % ENTRIES_A_STEP === 0) yield
    if (isDead(entry.serial)) continue
    placeOf.set(entry.serial, placeOf.size)
    writer.entry(entry)
  }
  yield
  const words = [...memtable.words()].sort()
  const prefixes = new Map<string, number[]>()
  let steps = 0
  for (const word of words) {
    if (steps++ % STEP === 0) yield
    const places: number[] = []
    for (const { serial } of memtable.list(word)) {
      const place = placeOf.get(serial)
      // Listed anew since, or no more.
      if (place !== undefined) places.push(place)
    }
    if (places.length === 0) continue
    yield* writer.word(word, places)
    for (const prefix of beginningsOf(word)) {
      const list = prefixes.get(prefix)
      if (list === undefined) prefixes.set(prefix, places.slice(0, PREFIX_POSTINGS_MAX))
      else for (let index = 0; index < places.length && index < PREFIX_POSTINGS_MAX; index++) list.push(places[index] as number)
    }
  }
  yield
  for (const prefix of [...prefixes.keys()].sort()) {
    if (steps++ % STEP === 0) yield
    yield* writer.prefix(prefix, bestOf(Uint32Array.from(prefixes.get(prefix) ?? [])))
  }
  return writer.finish()
}

/** The first places of a list for a prefix: no place twice. */
export function bestOf(places: Uint32Array): Uint32Array {
  places.sort()
  let kept = 0
  for (let index = 0; index < places.length && kept < PREFIX_POSTINGS_MAX; index++) {
    const place = places[index] as number
    if (kept === 0 || places[kept - 1] !== place) places[kept++] = place
  }
  return places.subarray(0, kept)
}

import { compareEntries, type Entry } from './entries.ts'
import { allPlaces, END, type PostingHead } from './postings.ts'
import type { Segment, SegmentMark } from './segment.ts'
import type { Dictionary } from './segment-keys.ts'
import type { SegmentWriter } from './segment-writer.ts'
import { bestOf } from './write-memtable.ts'

/** Entries, or words, between two yields. */
const STEP = 512
/** Rows of a long list between two yields. */
const ROWS_A_STEP = 32
/** Places that are put in order at once. */
const SORTED_MAX = 16_384

/** Writes segments as one, without the listings that no longer hold, a step at a time. */
export function* mergeSegments(
  segments: readonly Segment[],
  isDead: (serial: number) => boolean,
  writer: SegmentWriter,
): Generator<void, SegmentMark> {
  const newPlaces = yield* mergeEntries(segments, isDead, writer)
  yield* mergeLists(segments, 'w', newPlaces, (word, places) => writer.word(word, places))
  yield* mergeLists(segments, 'e', newPlaces, (prefix, places) => writer.prefix(prefix, bestOf(places)))
  return writer.finish()
}

/** @returns for each segment the new place of each of its entries, END for those that are gone */
function* mergeEntries(
  segments: readonly Segment[],
  isDead: (serial: number) => boolean,
  writer: SegmentWriter,
): Generator<void, Uint32Array[]> {
  const newPlaces = segments.map(({ mark }) => new Uint32Array(mark.entries).fill(END))
  const nexts = segments.map(() => 0)
  const heads = segments.map((segment) => headOf(segment, 0))
  let place = 0
  let steps = 0
  for (;;) {
    let best = -1
    for (let index = 0; index < heads.length; index++) {
      const head = heads[index]
      if (head === undefined) continue
      const other = best < 0 ? undefined : heads[best]
      if (other === undefined || compareEntries(head, other) < 0) best = index
    }
    const entry = heads[best]
    const segment = segments[best]
    if (entry === undefined || segment === undefined) return newPlaces
    const at = nexts[best] as number
    if (!isDead(entry.serial)) {
      writer.entry(entry)
      ;(newPlaces[best] as Uint32Array)[at] = place++
    }
    nexts[best] = at + 1
    heads[best] = headOf(segment, at + 1)
    if (++steps % STEP === 0) yield
  }
}

const headOf = (segment: Segment, place: number): Entry | undefined =>
  place < segment.mark.entries ? segment.entry(place) : undefined

function* mergeLists(
  segments: readonly Segment[],
  dictionary: Dictionary,
  newPlaces: readonly Uint32Array[],
  write: (term: string, places: Uint32Array) => Generator<void>,
): Generator<void> {
  const walks = segments.map((segment) => segment.lists(dictionary))
  const heads = walks.map((walk) => next(walk))
  let steps = 0
  for (;;) {
    let term: string | undefined
    for (const head of heads) if (head !== undefined && (term === undefined || head.term < term)) term = head.term
    if (term === undefined) return
    const moved: Uint32Array[] = []
    let count = 0
    for (const [index, head] of heads.entries()) {
      if (head?.term !== term) continue
      const places = yield* movedPlaces(segments[index] as Segment, head.list, newPlaces[index] as Uint32Array)
      count += places.length
      moved.push(places)
      heads[index] = next(walks[index] as ReturnType<Segment['lists']>)
      steps += 1 + (head.list.count >>> 7)
    }
    if (count > 0) yield* write(term, yield* joined(moved, count))
    if (steps >= STEP) {
      steps = 0
      yield
    }
  }
}

type Listed = { readonly term: string; readonly list: PostingHead }

const next = (walk: Iterator<Listed>): Listed | undefined => {
  const { value, done } = walk.next()
  return done === true ? undefined : value
}

function* movedPlaces(segment: Segment, list: PostingHead, newPlaces: Uint32Array): Generator<void, Uint32Array> {
  const moved = new Uint32Array(list.count)
  let count = 0
  let rows = 0
  for (const places of allPlaces(list, segment.loadRow)) {
    for (const old of places) {
      const place = newPlaces[old] as number
      if (place !== END) moved[count++] = place
    }
    if (++rows % ROWS_A_STEP === 0) yield
  }
  return moved.subarray(0, count)
}

/** Ascending lists as one. */
function* joined(lists: readonly Uint32Array[], count: number): Generator<void, Uint32Array> {
  const [only] = lists
  if (lists.length === 1 && only !== undefined) return only
  const all = new Uint32Array(count)
  if (count <= SORTED_MAX) {
    let at = 0
    for (const list of lists) {
      all.set(list, at)
      at += list.length
    }
    return all.sort()
  }
  const nexts = lists.map(() => 0)
  for (let at = 0; at < count; at++) {
    let best = 0
    let least = END
    for (let index = 0; index < lists.length; index++) {
      const place = (lists[index] as Uint32Array)[nexts[index] as number] ?? END
      if (place < least) [best, least] = [index, place]
    }
    all[at] = least
    nexts[best] = (nexts[best] as number) + 1
    if (at % SORTED_MAX === SORTED_MAX - 1) yield
  }
  return all
}

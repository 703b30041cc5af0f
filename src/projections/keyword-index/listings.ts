import { ByteReader, ByteWriter, key32 } from '../bytes.ts'
import type { RowTable } from '../row-table.ts'
import { BlockCache } from './segments/block-cache.ts'
import type { Entry } from './segments/entries.ts'
import { Memtable } from './segments/memtable.ts'
import { Segment, type SegmentMark } from './segments/segment.ts'
import { segmentKey } from './segments/segment-keys.ts'
import { Serials } from './serials.ts'

/** What was decoded of segments, bytes. */
const CACHE_BYTES = 8 * 1024 * 1024

const SEGMENT_MAX = 0xffffffff

export type ListingsMark = {
  readonly segments: readonly SegmentMark[]
  readonly nextSegment: number
  readonly nextSerial: number
  readonly pending: readonly [from: number, to: number]
}
export const NO_LISTINGS: ListingsMark = { segments: [], nextSegment: 1, nextSerial: 1, pending: [0, 0] }

/**
 * Under which words documents are listed, and in which order: segments on disk and what came since in memory. All of it follows
 * from the documents. What is in memory alone is noted by its ordinals, with every commit, and listed again at the next start.
 */
export class Listings {
  readonly #rows: RowTable
  readonly #cache = new BlockCache(CACHE_BYTES)
  readonly serials: Serials
  segments: readonly Segment[]
  /** What is entered into. */
  memtable = new Memtable()
  /** The one before, which is being written as a segment. `noted`: the rows of ordinals up to here are its own. */
  frozen: { readonly memtable: Memtable; readonly noted: number } | undefined
  nextSegment: number
  /** Listings in memory when it was tidied last. */
  sizeTidied = 0
  /** Rows of ordinals that are noted, and those that came since the last flush. */
  #pending: [from: number, to: number]
  #noted: number[] = []

  constructor(rows: RowTable, mark: ListingsMark) {
    this.#rows = rows
    this.serials = new Serials(rows, mark.nextSerial)
    this.segments = mark.segments.map((segment) => new Segment(segment, rows, this.#cache))
    this.nextSegment = mark.nextSegment
    this.#pending = [...mark.pending]
  }

  get mark(): ListingsMark {
    return {
      segments: this.segments.map(({ mark }) => mark),
      nextSegment: this.nextSegment,
      nextSerial: this.serials.next,
      pending: this.#pending,
    }
  }

  /** Ordinals of documents that no segment lists as they are. */
  *pending(): Generator<number> {
    for (let row = this.#pending[0]; row < this.#pending[1]; row++) {
      const bytes = this.#rows.get(`m${key32(row)}`)
      if (bytes === undefined) continue
      const reader = new ByteReader(bytes)
      while (!reader.isAtEnd) yield reader.number()
    }
  }

  enter(entry: Entry, words: readonly string[]): void {
    this.memtable.enter({ ...entry, words })
    this.#noted.push(entry.ordinal)
  }

  /** As found in the rows at a start: it is noted already. */
  reenter(entry: Entry, words: readonly string[]): void {
    this.memtable.enter({ ...entry, words })
  }

  /** Begins another memtable, where none is being written. */
  freeze(): void {
    if (this.frozen !== undefined) return
    this.#note()
    this.frozen = { memtable: this.memtable, noted: this.#pending[1] }
    this.memtable = new Memtable()
  }

  /** The frozen memtable was written as this segment. */
  written(mark: SegmentMark): void {
    const noted = this.frozen?.noted ?? 0
    this.frozen = undefined
    if (mark.entries > 0) this.segments = [...this.segments, this.#segment(mark)]
    for (let row = this.#pending[0]; row < noted; row++) this.#rows.delete(`m${key32(row)}`)
    this.#pending = [noted, this.#pending[1]]
  }

  /** One segment stands for these from now on. */
  merged(before: readonly Segment[], mark: SegmentMark): void {
    this.segments = this.segments.flatMap((segment) => {
      if (!before.includes(segment)) return [segment]
      return segment === before[0] && mark.entries > 0 ? [this.#segment(mark)] : []
    })
  }

  #segment(mark: SegmentMark): Segment {
    return new Segment(mark, this.#rows, this.#cache)
  }

  /** To read all of it once, without putting out what searches use. */
  uncached(mark: SegmentMark): Segment {
    return new Segment(mark, this.#rows, new BlockCache(256 * 1024))
  }

  /** Removes the rows of every segment that is not listed, which a crash left, or which were merged. */
  async clearOthers(): Promise<void> {
    let from = 0
    for (const { mark } of [...this.segments].sort((a, b) => a.mark.number - b.mark.number)) {
      await this.#rows.clear(segmentKey(from), segmentKey(mark.number))
      from = mark.number + 1
    }
    await this.#rows.clear(segmentKey(from), segmentKey(SEGMENT_MAX))
  }

  #note(): void {
    if (this.#noted.length === 0) return
    const writer = new ByteWriter(this.#noted.length * 3)
    for (const ordinal of this.#noted) writer.number(ordinal)
    this.#rows.put(`m${key32(this.#pending[1])}`, writer.take())
    this.#pending = [this.#pending[0], this.#pending[1] + 1]
    this.#noted = []
  }

  flush(): void {
    this.#note()
    this.serials.flush()
  }
}

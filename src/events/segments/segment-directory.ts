import type { EventKind } from '../model/event.ts'
import { KINDS } from '../model/kinds.ts'
import { hasFrames, joinKinds, type KindBits, NO_KINDS, type SegmentSummary, shareKinds, withKind } from './segment-summary.ts'

/** A segment as a reader needs to know it. */
export type SegmentEntry = {
  readonly first: number
  readonly count: number
  readonly kinds: KindBits
  /** Nothing is left of it: no key in the database. */
  readonly gone?: boolean
}

/** A segment as readers are to know it. */
export const entryOf = (summary: SegmentSummary): SegmentEntry => {
  const { first, count, kinds } = summary
  return hasFrames(summary) ? { first, count, kinds } : { first, count, kinds, gone: true }
}

export const kindBits = (kinds: readonly EventKind[]): KindBits =>
  kinds.map((kind) => withKind(NO_KINDS, KINDS[kind].number)).reduce(joinKinds, NO_KINDS)

/** Segments that nobody asked for in between are read over up to here: a new iterator costs about as much. */
const UNWANTED_BETWEEN_MAX = 8

/** All segments of a log in order, in memory: about 30 bytes a segment. */
export class SegmentDirectory {
  readonly #entries: SegmentEntry[] = []

  get last(): SegmentEntry | undefined {
    return this.#entries.at(-1)
  }

  push(entry: SegmentEntry): void {
    this.#entries.push(entry)
  }

  /** Puts one in place of the last `count`. */
  replaceLast(count: number, entry: SegmentEntry): void {
    this.#entries.splice(this.#entries.length - count, count, entry)
  }

  /** Puts one in place of those that stand in `first` to `first + count`. */
  replace(entry: SegmentEntry): void {
    const from = this.#indexOf(entry.first)
    const to = this.#indexOf(entry.first + entry.count - 1)
    this.#entries.splice(from, to - from + 1, entry)
  }

  /** All of them, in order. */
  *[Symbol.iterator](): Generator<SegmentEntry> {
    yield* this.#entries
  }

  /** The segment with this sequence. */
  find(seq: number): SegmentEntry | undefined {
    const entry = this.#entries[this.#indexOf(seq)]
    return entry !== undefined && seq < entry.first + entry.count ? entry : undefined
  }

  /** Stretches of segments side by side that hold wanted kinds between two sequences, inclusive, in order. */
  stretches(from: number, to: number, wanted: KindBits | undefined): SegmentEntry[][] {
    const stretches: SegmentEntry[][] = []
    let stretch: SegmentEntry[] | undefined
    let unwanted: SegmentEntry[] = []
    for (let index = Math.max(0, this.#indexOf(from)); index < this.#entries.length; index++) {
      const entry = this.#entries[index] as SegmentEntry
      if (entry.first > to) break
      if (entry.gone === true) continue
      if (wanted !== undefined && !shareKinds(entry.kinds, wanted)) {
        unwanted.push(entry)
        continue
      }
      if (stretch === undefined || unwanted.length > UNWANTED_BETWEEN_MAX) {
        stretch = []
        stretches.push(stretch)
      } else {
        stretch.push(...unwanted)
      }
      unwanted = []
      stretch.push(entry)
    }
    return stretches
  }

  #indexOf(seq: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle] as SegmentEntry).first <= seq) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

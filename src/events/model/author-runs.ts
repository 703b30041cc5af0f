import { NumberList } from '../codec/number-list.ts'

/** The place of what was pruned; events have places from 1. */
const NOWHERE = 0

/**
 * Which events of one (author, stream) a log holds, and where: runs of consecutive author sequences that stand at
 * consecutive places of the log, in ascending order of author sequence. Own events and a catch-up are one run each,
 * so it stays small where one entry an event would not. Events that were pruned are known without a place.
 */
export class AuthorRuns {
  readonly #authorSeqs = new NumberList()
  readonly #seqs = new NumberList()
  readonly #counts = new NumberList()
  #contiguous = 0
  #gaps = 0

  /** Highest author sequence without a gap below it; 0 if the first is missing. */
  get contiguous(): number {
    return this.#contiguous
  }

  /** Highest author sequence held, 0 for none. */
  get highest(): number {
    return this.#endOf(this.#authorSeqs.length - 1) - 1
  }

  /** How many holes there are below `highest`. */
  get gaps(): number {
    return this.#gaps
  }

  /** Events that are held, without those that were pruned. */
  get held(): number {
    let held = 0
    for (let index = 0; index < this.#counts.length; index++)
      if (this.#seqs.at(index) !== NOWHERE) held += this.#counts.at(index) as number
    return held
  }

  /** The place in the log of an event, or undefined if it is not held. */
  seqOf(authorSeq: number): number | undefined {
    const index = this.#lastAtOrBelow(authorSeq)
    if (index < 0 || authorSeq >= this.#endOf(index) || this.#seqs.at(index) === NOWHERE) return undefined
    return (this.#seqs.at(index) as number) + authorSeq - (this.#authorSeqs.at(index) as number)
  }

  /** True if the event is held, or was and has been pruned. */
  has(authorSeq: number): boolean {
    if (authorSeq <= this.#contiguous) return authorSeq >= 1
    const index = this.#lastAtOrBelow(authorSeq)
    return index >= 0 && authorSeq < this.#endOf(index)
  }

  /** What was pruned of `from` to `to` (inclusive), as author sequences. */
  *prunedOf(from: number, to: number): Generator<{ from: number; to: number }> {
    for (let index = Math.max(0, this.#lastAtOrBelow(from)); index < this.#authorSeqs.length; index++) {
      const first = Math.max(from, this.#authorSeqs.at(index) as number)
      if (first > to) return
      const last = Math.min(to, this.#endOf(index) - 1)
      if (this.#seqs.at(index) === NOWHERE && first <= last) yield { from: first, to: last }
    }
  }

  /** Places in the log of what is held of `from` to `to` (inclusive), by ascending author sequence. */
  *seqsOf(from: number, to: number): Generator<number> {
    for (let index = Math.max(0, this.#lastAtOrBelow(from)); index < this.#authorSeqs.length; index++) {
      const first = this.#authorSeqs.at(index) as number
      if (first > to) return
      if (this.#seqs.at(index) === NOWHERE) continue
      const end = Math.min(to + 1, this.#endOf(index))
      for (let authorSeq = Math.max(from, first); authorSeq < end; authorSeq++) {
        yield (this.#seqs.at(index) as number) + authorSeq - first
      }
    }
  }

  /** Adds a run of events that were pruned; what is known of them already is passed over. */
  addKnown(authorSeq: number, count: number): void {
    let from = authorSeq
    while (from < authorSeq + count) {
      const index = this.#lastAtOrBelow(from)
      if (index >= 0 && from < this.#endOf(index)) {
        from = this.#endOf(index)
        continue
      }
      const next = Math.min(authorSeq + count, this.#authorSeqs.at(index + 1) ?? Number.POSITIVE_INFINITY)
      this.add(from, NOWHERE, next - from)
      from = next
    }
  }

  /** Forgets where a run stands that is held, as one stretch: it was pruned. */
  unplace(authorSeq: number, count: number): void {
    const end = authorSeq + count
    for (let from = authorSeq; from < end; ) {
      const index = this.#lastAtOrBelow(from)
      const runEnd = index < 0 ? from : this.#endOf(index)
      if (runEnd <= from) return
      const to = Math.min(end, runEnd)
      this.#split(index, from, to)
      from = to
    }
  }

  /** Adds a run of events that are not held yet. */
  add(authorSeq: number, seq: number, count: number): void {
    // Nearly every event is its author's newest: no search for those.
    const last = this.#authorSeqs.length - 1
    const at = authorSeq >= this.#endOf(last) ? last + 1 : this.#lastAtOrBelow(authorSeq) + 1
    const endBefore = at === 0 ? 1 : this.#endOf(at - 1)
    const startAfter = this.#authorSeqs.at(at)
    const end = authorSeq + count
    // One hole becomes none, one or two; past the highest, a new one appears unless it joins.
    const leaves = (authorSeq > endBefore ? 1 : 0) + (startAfter !== undefined && startAfter > end ? 1 : 0)
    this.#gaps += leaves - (startAfter !== undefined ? 1 : 0)
    this.#insert(at, authorSeq, seq, count)
    if (this.#contiguous === authorSeq - 1) {
      // It may have grown together with what was pruned behind it.
      const index = this.#lastAtOrBelow(authorSeq)
      this.#contiguous = this.#endOf(index) - 1
      for (let next = index + 1; this.#authorSeqs.at(next) === this.#contiguous + 1; next++) {
        this.#contiguous = this.#endOf(next) - 1
      }
    }
  }

  #insert(at: number, authorSeq: number, seq: number, count: number): void {
    const before = at - 1
    if (before >= 0 && this.#endOf(before) === authorSeq && this.#seqEndOf(before) === seq) {
      this.#counts.set(before, (this.#counts.at(before) as number) + count)
      if (seq === NOWHERE) this.#joinWithNext(before)
      return
    }
    if (at === this.#authorSeqs.length) {
      this.#authorSeqs.push(authorSeq)
      this.#seqs.push(seq)
      this.#counts.push(count)
      return
    }
    this.#authorSeqs.splice(at, 0, authorSeq)
    this.#seqs.splice(at, 0, seq)
    this.#counts.splice(at, 0, count)
    if (seq === NOWHERE) this.#joinWithNext(at)
  }

  /** Makes `from` to `to` (exclusive), a part of one run, a run without a place. */
  #split(index: number, from: number, to: number): void {
    const start = this.#authorSeqs.at(index) as number
    const seq = this.#seqs.at(index) as number
    const end = this.#endOf(index)
    if (seq === NOWHERE) return
    const parts: [authorSeq: number, seq: number, count: number][] = []
    if (from > start) parts.push([start, seq, from - start])
    parts.push([from, NOWHERE, to - from])
    if (end > to) parts.push([to, seq + to - start, end - to])
    this.#authorSeqs.splice(index, 1, ...parts.map(([authorSeq]) => authorSeq))
    this.#seqs.splice(index, 1, ...parts.map(([, place]) => place))
    this.#counts.splice(index, 1, ...parts.map(([, , count]) => count))
    const pruned = from > start ? index + 1 : index
    this.#joinWithNext(pruned)
    if (pruned > 0 && this.#seqs.at(pruned - 1) === NOWHERE) this.#joinWithNext(pruned - 1)
  }

  /** Pruned runs that have grown together become one. */
  #joinWithNext(index: number): void {
    if (this.#seqs.at(index + 1) !== NOWHERE || this.#authorSeqs.at(index + 1) !== this.#endOf(index)) return
    this.#counts.set(index, (this.#counts.at(index) as number) + (this.#counts.at(index + 1) as number))
    for (const list of [this.#authorSeqs, this.#seqs, this.#counts]) list.splice(index + 1, 1)
  }

  #endOf(index: number): number {
    return index < 0 ? 1 : (this.#authorSeqs.at(index) as number) + (this.#counts.at(index) as number)
  }

  #seqEndOf(index: number): number {
    if (this.#seqs.at(index) === NOWHERE) return NOWHERE
    return (this.#seqs.at(index) as number) + (this.#counts.at(index) as number)
  }

  #lastAtOrBelow(authorSeq: number): number {
    let low = 0
    let high = this.#authorSeqs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#authorSeqs.at(middle) as number) <= authorSeq) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

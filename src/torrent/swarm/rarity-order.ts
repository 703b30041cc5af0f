/** Rarer than this is told apart. */
const AVAILABILITY_MAX = 63
const PRIORITIES = 3
const BUCKETS = PRIORITIES * (AVAILABILITY_MAX + 1)

/**
 * Pieces in buckets of one array, the highest priority and the rarest first: a step of one in rarity swaps two pieces, so that
 * what thousands of peers say costs no sorting. Pieces that are equal stand as they were entered, and as swaps leave them.
 * Source: `m_piece_info` and `m_priority_boundaries` of libtorrent's piece picker.
 */
export class RarityOrder {
  readonly #pieces: Uint32Array
  /** Where a piece stands; -1 where it does not. */
  readonly #places: Int32Array
  /** The place behind the last piece of each bucket. */
  readonly #ends = new Int32Array(BUCKETS)

  constructor(pieceCount: number) {
    this.#pieces = new Uint32Array(pieceCount)
    this.#places = new Int32Array(pieceCount).fill(-1)
  }

  get length(): number {
    return this.#ends[BUCKETS - 1] as number
  }

  at(place: number): number {
    return this.#pieces[place] as number
  }

  includes(index: number): boolean {
    return (this.#places[index] as number) >= 0
  }

  /** @param priority 1 to 3 */
  enter(index: number, priority: number, availability: number): void {
    const bucket = bucketOf(priority, availability)
    // The first of each bucket behind makes room by going to its end.
    for (let each = BUCKETS - 1; each > bucket; each--) {
      const first = this.#ends[each - 1] as number
      const end = this.#ends[each] as number
      if (end > first) this.#put(this.#pieces[first] as number, end)
      this.#ends[each] = end + 1
    }
    const end = this.#ends[bucket] as number
    this.#put(index, end)
    this.#ends[bucket] = end + 1
  }

  /** @param priority @param availability as it was entered, or changed since */
  remove(index: number, priority: number, availability: number): void {
    let hole = this.#places[index] as number
    this.#places[index] = -1
    for (let each = bucketOf(priority, availability); each < BUCKETS; each++) {
      const last = (this.#ends[each] as number) - 1
      if (last > hole) this.#put(this.#pieces[last] as number, hole)
      if (last >= hole) hole = last
      this.#ends[each] = last
    }
  }

  /** Its availability is one more than `before`. */
  commoner(index: number, priority: number, before: number): void {
    const bucket = bucketOf(priority, before)
    if (bucketOf(priority, before + 1) === bucket) return
    const last = (this.#ends[bucket] as number) - 1
    this.#swap(this.#places[index] as number, last)
    this.#ends[bucket] = last
  }

  /** Its availability is one less than `before`. */
  rarer(index: number, priority: number, before: number): void {
    const bucket = bucketOf(priority, before)
    const rarer = bucketOf(priority, before - 1)
    if (rarer === bucket) return
    const first = this.#ends[rarer] as number
    this.#swap(this.#places[index] as number, first)
    this.#ends[rarer] = first + 1
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#pieces[a] as number, this.#pieces[b] as number]
    this.#put(one, b)
    this.#put(other, a)
  }

  #put(index: number, place: number): void {
    this.#pieces[place] = index
    this.#places[index] = place
  }
}

const bucketOf = (priority: number, availability: number): number =>
  (PRIORITIES - priority) * (AVAILABILITY_MAX + 1) + Math.min(availability, AVAILABILITY_MAX)

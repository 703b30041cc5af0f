/** A binary heap: what is lowest comes first, what is equal in no order. */
export class Heap<T> {
  readonly #items: T[] = []
  readonly #rankOf: (item: T) => number

  constructor(rankOf: (item: T) => number) {
    this.#rankOf = rankOf
  }

  get size(): number {
    return this.#items.length
  }

  get first(): T | undefined {
    return this.#items[0]
  }

  push(item: T): void {
    const items = this.#items
    let at = items.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.#isBelow(at, above)) return
      this.#swap(at, above)
      at = above
    }
  }

  /** Takes the first out. */
  take(): T | undefined {
    const items = this.#items
    const first = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return first
    items[0] = last
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      if (left >= items.length) return first
      const lower = right < items.length && this.#isBelow(right, left) ? right : left
      if (!this.#isBelow(lower, at)) return first
      this.#swap(at, lower)
      at = lower
    }
  }

  clear(): void {
    this.#items.length = 0
  }

  #isBelow(one: number, other: number): boolean {
    return this.#rankOf(this.#items[one] as T) < this.#rankOf(this.#items[other] as T)
  }

  #swap(one: number, other: number): void {
    const item = this.#items[one] as T
    this.#items[one] = this.#items[other] as T
    this.#items[other] = item
  }
}

/**
 * A growing list of whole numbers from 0 to 2^53 - 1, four bytes each until one needs more, then eight: a third of what an
 * array takes, where lists have millions of entries.
 */
export class NumberList {
  #numbers: Uint32Array | Float64Array = new Uint32Array(4)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The number at a place inside the list; undefined outside it. */
  at(index: number): number | undefined {
    return index < this.#length ? this.#numbers[index] : undefined
  }

  set(index: number, value: number): void {
    this.#fit(this.#length, value)
    this.#numbers[index] = value
  }

  push(value: number): void {
    this.#fit(this.#length + 1, value)
    this.#numbers[this.#length++] = value
  }

  /** Takes out `removed` numbers from a place on, and puts others there. */
  splice(index: number, removed: number, ...added: readonly number[]): void {
    const length = this.#length + added.length - removed
    this.#fit(Math.max(length, this.#length), Math.max(0, ...added))
    this.#numbers.copyWithin(index + added.length, index + removed, this.#length)
    this.#numbers.set(added, index)
    this.#length = length
  }

  #fit(length: number, value: number): void {
    const isWide = value > 0xffff_ffff && this.#numbers instanceof Uint32Array
    if (!isWide && length <= this.#numbers.length) return
    const room = Math.max(length, length > this.#numbers.length ? Math.ceil(length * 1.25) + 4 : this.#numbers.length)
    const numbers = isWide || this.#numbers instanceof Float64Array ? new Float64Array(room) : new Uint32Array(room)
    numbers.set(this.#numbers.subarray(0, this.#length))
    this.#numbers = numbers
  }
}

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** The narrowest array that holds `value`, `length` long. */
function numbersFor(value: number, length: number): Numbers {
  if (value <= 0xff) return new Uint8Array(length)
  if (value <= 0xffff) return new Uint16Array(length)
  return value <= 0xffff_ffff ? new Uint32Array(length) : new Float64Array(length)
}

/**
 * A growing list of whole numbers from 0 to 2^53 - 1, each as wide as the largest needs: a third of what an array takes or less,
 * where lists have millions of entries.
 */
export class NumberList {
  #numbers: Numbers = new Uint8Array(4)
  /** What it holds without being made wider. */
  #max = 0xff
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
    if (value <= this.#max && length <= this.#numbers.length) return
    const room = length > this.#numbers.length ? Math.ceil(length * 1.25) + 4 : this.#numbers.length
    const numbers = numbersFor(Math.max(value, this.#max), room)
    numbers.set(this.#numbers.subarray(0, this.#length))
    this.#numbers = numbers
    this.#max = numbers instanceof Float64Array ? Number.MAX_SAFE_INTEGER : 2 ** (8 * numbers.BYTES_PER_ELEMENT) - 1
  }
}

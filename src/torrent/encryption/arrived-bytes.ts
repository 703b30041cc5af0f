const CAPACITY_BYTES_MIN = 256

/**
 * What a peer has sent and nobody has read yet. It copies: a socket may use its buffer again. It grows by doubling, so
 * that a peer which sends byte by byte costs no more than one that sends at once; the reader bounds how far, by asking
 * for no more than it needs before it gives up.
 */
export class ArrivedBytes {
  #bytes = new Uint8Array(0)
  #from = 0
  #to = 0

  get length(): number {
    return this.#to - this.#from
  }

  push(bytes: Uint8Array): void {
    if (this.#to + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(CAPACITY_BYTES_MIN, 2 * this.length, this.length + bytes.length))
      grown.set(this.#bytes.subarray(this.#from, this.#to))
      this.#to -= this.#from
      this.#from = 0
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#to)
    this.#to += bytes.length
  }

  /** The next `count` bytes, which must have arrived: a copy that is the caller's to change. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.slice(this.#from, this.#from + count)
    this.#from += taken.length
    return taken
  }

  /** Whether `pattern` stands `offset` bytes from here; false while part of it has not arrived. */
  has(pattern: Uint8Array, offset: number): boolean {
    if (offset + pattern.length > this.length) return false
    return pattern.every((byte, index) => this.#bytes[this.#from + offset + index] === byte)
  }
}

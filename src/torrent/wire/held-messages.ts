/** Kept of each message besides its bytes. */
const LENGTH_BYTES = 4
const FIRST_BYTES = 4_096

/** Messages of a peer that come before anybody can hear them, as copies in one piece of memory: thousands of small ones cost no more. */
export class HeldMessages {
  readonly #bytesMax: number
  #bytes = new Uint8Array(0)
  #length = 0

  /** @param bytesMax of all, with four bytes for each */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** @returns false if there is no room for it */
  add(message: Uint8Array): boolean {
    const needed = this.#length + LENGTH_BYTES + message.length
    if (needed > this.#bytesMax) return false
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(FIRST_BYTES, 2 * needed)))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
    }
    new DataView(this.#bytes.buffer).setUint32(this.#length, message.length)
    this.#bytes.set(message, this.#length + LENGTH_BYTES)
    this.#length = needed
    return true
  }

  /** In the order in which they came; they are to be read before another is added. */
  *[Symbol.iterator](): Generator<Uint8Array> {
    const view = new DataView(this.#bytes.buffer)
    for (let at = 0; at < this.#length; ) {
      const from = at + LENGTH_BYTES
      at = from + view.getUint32(at)
      yield this.#bytes.subarray(from, at)
    }
  }
}

/** What was decoded of rows, the last used ones, up to a sum of costs in bytes. Its entries never change. */
export class BlockCache {
  readonly #bytesMax: number
  readonly #blocks = new Map<string, { readonly block: unknown; readonly bytes: number }>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get<T>(key: string, make: () => { block: T; bytes: number }): T {
    const known = this.#blocks.get(key)
    if (known !== undefined) {
      this.#blocks.delete(key)
      this.#blocks.set(key, known)
      return known.block as T
    }
    const made = make()
    this.#blocks.set(key, made)
    this.#bytes += made.bytes
    for (const [oldest, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax || oldest === key) break
      this.#blocks.delete(oldest)
      this.#bytes -= bytes
    }
    return made.block
  }
}

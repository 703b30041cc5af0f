import { type NamedBlock, PIECE_HEADER_BYTES } from '../wire/messages.ts'

/** What a peer asked for and has not got, in the order in which it asked. */
export class ServeQueue {
  #blocks: NamedBlock[] = []
  #first = 0

  get size(): number {
    return this.#blocks.length - this.#first
  }

  add(block: NamedBlock): void {
    this.#blocks.push(block)
  }

  /** @returns false if it is not here: it was answered, or is about to be */
  cancel({ index, offset, length }: NamedBlock): boolean {
    for (let at = this.#first; at < this.#blocks.length; at++) {
      const block = this.#blocks[at]
      if (block?.index !== index || block.offset !== offset || block.length !== length) continue
      this.#blocks.splice(at, 1)
      return true
    }
    return false
  }

  /** The first block and those behind it that continue it in the same piece: `bytesMax` with their headers at most, but one block at least. */
  takeRun(bytesMax: number): NamedBlock[] {
    const first = this.#blocks[this.#first]
    if (first === undefined) return []
    let end = this.#first + 1
    let bytes = first.length + PIECE_HEADER_BYTES
    for (let last = first; end < this.#blocks.length; end++) {
      const next = this.#blocks[end] as NamedBlock
      const follows = next.index === first.index && next.offset === last.offset + last.length
      bytes += next.length + PIECE_HEADER_BYTES
      if (!follows || bytes > bytesMax) break
      last = next
    }
    const run = this.#blocks.slice(this.#first, end)
    this.#first = end
    if (this.#first === this.#blocks.length || this.#first > 4_096) {
      this.#blocks = this.#blocks.slice(this.#first)
      this.#first = 0
    }
    return run
  }

  /** Nothing of it is served any more. */
  clear(): NamedBlock[] {
    const left = this.#blocks.slice(this.#first)
    this.#blocks = []
    this.#first = 0
    return left
  }
}

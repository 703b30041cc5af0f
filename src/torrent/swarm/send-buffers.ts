import { BLOCK_BYTES } from '../metainfo.ts'
import { PIECE_HEADER_BYTES } from '../wire/messages.ts'

/** A block and what stands before it. */
const FRAMED_BLOCK_BYTES = BLOCK_BYTES + PIECE_HEADER_BYTES
/** Free memory that is kept. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024

/**
 * Memory that blocks are read into and sent from. New memory for each read is paged in anew by the kernel each time, which costs as
 * much as the read; so what has left is used again. It comes in powers of two of a block: what is asked for is half of it at least.
 */
export class SendBuffers {
  /** Free, by their length. */
  readonly #free = new Map<number, Uint8Array[]>()
  #freeBytes = 0

  /** At least so many bytes, of any content. */
  take(bytes: number): Uint8Array {
    let length = FRAMED_BLOCK_BYTES
    while (length < bytes) length *= 2
    const free = this.#free.get(length)?.pop()
    if (free === undefined) return new Uint8Array(length)
    this.#freeBytes -= length
    return free
  }

  /** @param buffer that `take` gave; nobody reads or writes it any more */
  giveBack(buffer: Uint8Array): void {
    if (this.#freeBytes + buffer.length > KEPT_BYTES_MAX) return
    this.#freeBytes += buffer.length
    const free = this.#free.get(buffer.length)
    if (free === undefined) this.#free.set(buffer.length, [buffer])
    else free.push(buffer)
  }
}

import { BLOCK_BYTES } from '../metainfo.ts'

/** Blocks asked for at first: a peer that is slow must not hold many of them up. */
const FIRST = 16
/** As much as comes in this time is kept under way. libtorrent calls it `request_queue_time`. */
const SECONDS = 2
export const DEPTH_MAX = 1_024

/**
 * How many blocks to have under way with a peer: it grows by one with each that comes until the rate grows no more. But no more
 * than were found good so far, and a piece: what is under way with one that sends bad pieces is what it can spoil.
 */
export class RequestDepth {
  #depth = FIRST
  #isStarting = true
  #rateBefore = 0
  #good = 0
  /** Of pieces that are complete and have no verdict yet. */
  #unjudged = 0

  /** A block came. */
  received(): void {
    if (this.#isStarting && this.#depth < DEPTH_MAX) this.#depth++
  }

  /** A piece is complete that so many of its blocks are of. */
  completes(blocks: number): void {
    this.#unjudged += blocks
  }

  /** It has its verdict. */
  judged(blocks: number, isGood: boolean): void {
    this.#unjudged -= blocks
    if (isGood) this.#good = Math.min(DEPTH_MAX, this.#good + blocks)
  }

  /** A piece of its own was bad. */
  distrust(): void {
    this.#good = 0
  }

  /** Once a second. */
  tick(bytesPerSecond: number): void {
    const wanted = Math.ceil((bytesPerSecond * SECONDS) / BLOCK_BYTES)
    if (this.#isStarting && bytesPerSecond < this.#rateBefore * 1.1) this.#isStarting = false
    this.#rateBefore = bytesPerSecond
    if (!this.#isStarting) this.#depth = Math.max(FIRST, Math.min(DEPTH_MAX, wanted))
  }

  /** It sends nothing: no more than one block is held up by it. */
  stalled(): void {
    this.#depth = 1
    this.#isStarting = true
    this.#rateBefore = 0
  }

  /** @param requestsMax that the peer takes at a time @param pieceBlocks blocks of one piece */
  of(requestsMax: number, pieceBlocks: number): number {
    const trusted = Math.max(FIRST, pieceBlocks) + this.#good - this.#unjudged
    return Math.max(0, Math.min(this.#depth, requestsMax, trusted))
  }
}

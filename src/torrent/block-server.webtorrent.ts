import type { Wire } from 'webtorrent/lib/wire'
import { BLOCK_BYTES } from './metainfo.ts'
import { REQUESTS_MAX } from './peer-session.webtorrent.ts'
import type { PieceStore } from './piece-store.fs.ts'

// Answers one peer's requests in webtorrent's place. There, a request that is cancelled and made again while the disk is
// read is answered by nobody, and the peer waits 30 s. Here each request taken gets its block: a cancel comes too late
// for a read that is under way, as BEP 6 allows.

/** A peer that asks faster than it reads is turned down beyond this. */
const UNSENT_BYTES_MAX = 2 * REQUESTS_MAX * BLOCK_BYTES

export class BlockServer {
  readonly #wire: Wire
  #reading = 0

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** False if it has more requests open than it was told it may have. */
  get isWithinBounds(): boolean {
    return this.#reading < 2 * REQUESTS_MAX
  }

  /** @param transform what becomes of the block on its way out */
  serve(store: PieceStore, index: number, offset: number, length: number, transform: (block: Uint8Array) => Uint8Array): void {
    const wire = this.#wire
    if (wire.amChoking || wire._readableState.buffered >= UNSENT_BYTES_MAX) {
      this.reject(index, offset, length)
      return
    }
    this.#reading++
    store.get(index, { offset, length }, (error, block) => {
      this.#reading--
      if (wire.destroyed || wire._finished) return
      if (error !== null || block === undefined || wire.amChoking) this.reject(index, offset, length)
      else wire.piece(index, offset, transform(block))
    })
  }

  /** Says no where the peer understands it (BEP 6). */
  reject(index: number, offset: number, length: number): void {
    if (this.#wire.hasFast) this.#wire.reject(index, offset, length)
  }
}

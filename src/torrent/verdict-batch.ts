import type { BadPiece, PeerId, PieceRange, Timers } from '../events/index.ts'
import { rangesOf } from './piece-ranges.ts'

// Good news waits a moment so that a fast download does not become an event a piece; bad news takes the peer's good
// news with it and leaves at once.

/** A batch never holds more: far below what one event may name. */
export const BATCH_PIECES_MAX = 256
export const BATCH_WAIT_MS = 200

export type BatchSink = {
  verified(pieces: readonly PieceRange[]): void
  judged(subject: PeerId, good: readonly PieceRange[], bad: readonly BadPiece[]): void | Promise<void>
}

export class VerdictBatch {
  readonly #sink: BatchSink
  readonly #timers: Timers
  #verified = new Set<number>()
  #good = new Map<PeerId, Set<number>>()
  #waiting = 0
  #cancel: (() => void) | undefined

  constructor(sink: BatchSink, timers: Timers) {
    this.#sink = sink
    this.#timers = timers
  }

  verified(index: number): void {
    this.#verified.add(index)
    this.#wait()
  }

  good(peer: PeerId, index: number): void {
    let pieces = this.#good.get(peer)
    if (pieces === undefined) {
      pieces = new Set()
      this.#good.set(peer, pieces)
    }
    pieces.add(index)
    this.#wait()
  }

  /** @returns what the listener returned: a promise if it still thinks about the peer */
  bad(peer: PeerId, piece: BadPiece): void | Promise<void> {
    const good = rangesOf(this.#good.get(peer) ?? [])
    this.#good.delete(peer)
    return this.#sink.judged(peer, good, [piece])
  }

  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#waiting = 0
    const verified = rangesOf(this.#verified)
    const good = this.#good
    this.#verified = new Set()
    this.#good = new Map()
    if (verified.length > 0) this.#sink.verified(verified)
    for (const [peer, pieces] of good) void this.#sink.judged(peer, rangesOf(pieces), [])
  }

  #wait(): void {
    if (++this.#waiting >= BATCH_PIECES_MAX) this.flush()
    else this.#cancel ??= this.#timers.after(BATCH_WAIT_MS, () => this.flush())
  }
}

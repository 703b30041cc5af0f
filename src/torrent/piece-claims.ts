import { PIECE_COUNT_MAX } from './metainfo.ts'

// What a peer says it has (BEP 3, 6, 54), and how often it may say so. A bitfield that comes again is an update: aria2
// sends one in place of many `have` messages, and other clients take it.

/**
 * Statements of everything at once (bitfield, have all, have none) after the first. Each makes webtorrent count every
 * piece of every peer anew. A client that sends a bitfield only where it is no longer than the `have` messages it stands
 * for (9 bytes a piece against one bit a piece of the torrent) sends at most 72 in a whole download.
 */
const UPDATES_MAX = 128

export class PieceClaims {
  #statements = 0
  #bitfieldBytes: number | undefined
  #highest = -1
  #takenBack = 0

  /** A bitfield's bytes. @returns what is wrong with it */
  bitfield(bits: Uint8Array, pieceCount: number | undefined): string | undefined {
    const before = this.#bitfieldBytes
    this.#bitfieldBytes = bits.length
    this.#highest = Math.max(this.#highest, highestBit(bits))
    return (
      this.#state() ??
      (before !== undefined && before !== bits.length ? 'a bitfield of another length than the one before' : undefined) ??
      (pieceCount === undefined
        ? bits.length > PIECE_COUNT_MAX / 8
          ? `a bitfield of ${bits.length} bytes`
          : undefined
        : this.problemWith(pieceCount))
    )
  }

  haveAll(): string | undefined {
    return this.#state()
  }

  /** Only as the first word: webtorrent would go on believing in the pieces that it was told of before. */
  haveNone(): string | undefined {
    return this.#statements > 0 ? 'have none after it said what it has' : this.#state()
  }

  /** It names one piece: to have it, to suggest it, to give it while choking. @returns what is wrong with that */
  names(index: number, what: string, pieceCount: number | undefined): string | undefined {
    this.#highest = Math.max(this.#highest, index)
    return index < (pieceCount ?? PIECE_COUNT_MAX) ? undefined : `${what} beyond the last piece`
  }

  /** It has a piece no longer (BEP 54). Each may go once in the life of a connection: a dance of have and have not costs time. */
  takesBack(index: number, pieceCount: number | undefined): string | undefined {
    const beyond = this.names(index, 'lt_donthave', pieceCount)
    if (beyond !== undefined) return beyond
    return ++this.#takenBack > (pieceCount ?? PIECE_COUNT_MAX) ? 'more pieces taken back than there are' : undefined
  }

  /** What is wrong with everything it said so far, once it is known how many pieces there are. */
  problemWith(pieceCount: number): string | undefined {
    const bytes = Math.ceil(pieceCount / 8)
    if (this.#bitfieldBytes !== undefined && this.#bitfieldBytes !== bytes) {
      return `a bitfield of ${this.#bitfieldBytes} bytes where ${bytes} are right`
    }
    return this.#highest >= pieceCount ? 'a piece beyond the last one' : undefined
  }

  #state(): string | undefined {
    return ++this.#statements > UPDATES_MAX + 1 ? `more than ${UPDATES_MAX} updates of everything it has` : undefined
  }
}

/** Index of the last bit that is set, or -1. The highest bit of the first byte is piece 0 (BEP 3). */
function highestBit(bits: Uint8Array): number {
  for (let at = bits.length - 1; at >= 0; at--) {
    const byte = bits[at] ?? 0
    if (byte !== 0) return at * 8 + 7 - (31 - Math.clz32(byte & -byte))
  }
  return -1
}

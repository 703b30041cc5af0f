import type { Timers } from '../../events/index.ts'
import { type NamedBlock, PIECE_HEADER_BYTES, putPieceHeader } from '../wire/messages.ts'
import type { Peer } from './peer.ts'
import { RateLimit } from './rate-limit.ts'
import type { SendBuffers } from './send-buffers.ts'

/** Read from the disk at once, and kept in a socket. */
const SERVED_AT_ONCE_BYTES = 32 * (16 * 1024 + PIECE_HEADER_BYTES)
const UNSENT_BYTES_MAX = 1024 * 1024
const READS_PER_PEER_MAX = 2

export type UploadsOptions = {
  timers: Timers
  buffers: SendBuffers
  /** All that hold for this torrent. */
  limits: readonly RateLimit[]
  now(): number
  /** The piece is here, and this peer may have it. */
  mayServe(peer: Peer, index: number): boolean
  /** Reads what follows in a piece into `parts`, one after the other. @throws if it cannot be read, or is not what was verified */
  read(index: number, offset: number, parts: readonly Uint8Array[]): Promise<void>
  /** A piece that is to be sent with an error. */
  isSpoiled(index: number): boolean
  sent(bytes: number): void
  /** Closing waits for it. */
  track(work: Promise<void>): void
}

/**
 * Answers requests: blocks that follow each other in a piece are read in one go, each to where it stands in the message that is
 * sent, so that nothing is copied.
 */
export class Uploads {
  readonly #options: UploadsOptions

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  /** As much as its connection, the disk and the limits take now; the rest when they take more. */
  serve(peer: Peer): void {
    const { timers, limits, now } = this.#options
    while (peer.wanted.size > 0 && peer.reading < READS_PER_PEER_MAX && peer.link.unsentBytes < UNSENT_BYTES_MAX) {
      if (peer.closed || peer.awaitsTurn) return
      const waitMs = RateLimit.waitMs(limits, now())
      if (waitMs > 0) {
        peer.awaitsTurn = true
        timers.after(waitMs, () => {
          peer.awaitsTurn = false
          this.serve(peer)
        })
        return
      }
      const run = peer.wanted.takeRun(SERVED_AT_ONCE_BYTES)
      const [first] = run
      if (first === undefined) return
      if (!this.#options.mayServe(peer, first.index)) {
        peer.reject(run)
        continue
      }
      for (const each of limits) each.take(lengthOf(run), now())
      this.#options.track(this.#serveRun(peer, first, run))
    }
  }

  async #serveRun(peer: Peer, { index, offset }: NamedBlock, run: readonly NamedBlock[]): Promise<void> {
    const { buffers, read, isSpoiled } = this.#options
    const framedBytes = lengthOf(run) + run.length * PIECE_HEADER_BYTES
    const buffer = buffers.take(framedBytes)
    peer.reading++
    try {
      const parts = framed(buffer, run)
      await read(index, offset, parts)
      if (isSpoiled(index)) for (const part of parts) part[0] = (part[0] ?? 0) ^ 0xff
      // BEP 6: a choke drops what is not answered yet.
      if (peer.closed || peer.amChoking) {
        buffers.giveBack(buffer)
        peer.reject(run)
      } else this.#send(peer, buffer, framedBytes, lengthOf(run))
    } catch {
      // The watch over its files tells what is wrong with them.
      peer.reject(run)
    } finally {
      peer.reading--
      this.serve(peer)
    }
  }

  #send(peer: Peer, buffer: Uint8Array, framedBytes: number, bytes: number): void {
    const { buffers, now, sent } = this.#options
    peer.uploaded.add(bytes, now())
    sent(bytes)
    peer.send(buffer.subarray(0, framedBytes), () => {
      buffers.giveBack(buffer)
      this.serve(peer)
    })
  }
}

/** Writes the headers of a run. @returns where its blocks belong */
function framed(buffer: Uint8Array, run: readonly NamedBlock[]): Uint8Array[] {
  let at = 0
  return run.map((block) => {
    putPieceHeader(buffer, at, block)
    const from = at + PIECE_HEADER_BYTES
    at = from + block.length
    return buffer.subarray(from, at)
  })
}

const lengthOf = (run: readonly NamedBlock[]): number => {
  let bytes = 0
  for (const { length } of run) bytes += length
  return bytes
}

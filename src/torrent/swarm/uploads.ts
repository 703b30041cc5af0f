import { TorrentError } from '../engine.ts'
import { type NamedBlock, PIECE_HEADER_BYTES, putPieceHeader } from '../wire/messages.ts'
import type { Peer } from './peer.ts'
import type { SendBuffers } from './send-buffers.ts'
import type { Transfer, TransferFlow } from './transfer-turns.ts'

/** Read from the disk at once, and kept in a socket. */
const SERVED_AT_ONCE_BYTES = 32 * (16 * 1024 + PIECE_HEADER_BYTES)
const UNSENT_BYTES_MAX = 1024 * 1024
const READS_PER_PEER_MAX = 2

export type UploadsOptions = {
  buffers: SendBuffers
  /** The limits, and the turn of this torrent. */
  flow: TransferFlow
  now(): number
  /** The piece is here, and this peer may have it. */
  mayServe(peer: Peer, index: number): boolean
  /** Reads what follows in a piece into `parts`, one after the other. @throws if it cannot be read, or is not what was verified */
  read(index: number, offset: number, parts: readonly Uint8Array[]): Promise<void>
  /** A piece that is to be sent with an error. */
  isSpoiled(index: number): boolean
  sent(bytes: number): void
  /** Nothing of the torrent can be read. */
  problem(error: Error): void
  /** Closing waits for it. */
  track(work: Promise<void>): void
}

/**
 * Answers requests: blocks that follow each other in a piece are read in one go, each to where it stands in the message that is
 * sent, so that nothing is copied.
 */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #transfers = new Map<Peer, Transfer>()

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  /** As much as its connection, the disk and the limits take now; the rest when they take more. */
  serve(peer: Peer): void {
    const { flow } = this.#options
    while (peer.wanted.size > 0 && peer.reading < READS_PER_PEER_MAX && peer.link.unsentBytes < UNSENT_BYTES_MAX) {
      if (peer.closed || peer.awaitsTurn) return
      if (!flow.mayGo(peer.peerClass)) {
        peer.awaitsTurn = true
        flow.wait(this.#transferOf(peer))
        return
      }
      this.#serveNext(peer)
    }
  }

  /** It wants nothing any more. */
  left(peer: Peer): void {
    const transfer = this.#transfers.get(peer)
    if (transfer === undefined) return
    this.#transfers.delete(peer)
    this.#options.flow.cancel(transfer)
  }

  #transferOf(peer: Peer): Transfer {
    let transfer = this.#transfers.get(peer)
    if (transfer === undefined) {
      const run = () => {
        peer.awaitsTurn = false
        if (peer.closed) return 0
        const bytes = this.#serveNext(peer)
        this.serve(peer)
        return bytes
      }
      transfer = { peerClass: peer.peerClass, run }
      this.#transfers.set(peer, transfer)
    }
    return transfer
  }

  /** @returns the bytes that it takes of the limits */
  #serveNext(peer: Peer): number {
    const { flow } = this.#options
    // No more than the limits give in a moment: the others would have nothing meanwhile.
    const run = peer.wanted.takeRun(Math.min(SERVED_AT_ONCE_BYTES, flow.transferBytesMax(peer.peerClass)))
    const [first] = run
    if (first === undefined) return 0
    if (!this.#options.mayServe(peer, first.index)) {
      peer.reject(run)
      return 0
    }
    const bytes = lengthOf(run)
    flow.take(peer.peerClass, bytes)
    this.#options.track(this.#serveRun(peer, first, run))
    return bytes
  }

  async #serveRun(peer: Peer, { index, offset }: NamedBlock, run: readonly NamedBlock[]): Promise<void> {
    const { buffers, read, isSpoiled, problem } = this.#options
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
    } catch (error) {
      peer.reject(run)
      // The watch over the files tells of changes by itself. The owner of one that cannot be read must hear of it: peers go
      // elsewhere and say nothing.
      if (error instanceof TorrentError && error.code === 'DISK') problem(error)
    } finally {
      peer.reading--
      this.serve(peer)
    }
  }

  #send(peer: Peer, buffer: Uint8Array, framedBytes: number, bytes: number): void {
    const { buffers, now, sent } = this.#options
    peer.tookAt = now()
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

import type { Peer } from './peer.ts'

/** Pieces that are hashed and written; above this nothing is asked for. */
const UNWRITTEN_BYTES_MAX = 32 * 1024 * 1024
/** Free memory that is kept: what is being written comes back to it, so that nothing is allocated anew in the midst. */
const POOL_BYTES_MAX = 32 * 1024 * 1024

export type PieceChecksOptions = {
  pieceBytes(index: number): number
  /** sha-1 as hex. */
  expected(index: number): string
  /** Of a piece in shared memory, off the event loop. */
  hash(piece: Uint8Array): Promise<string>
  write(index: number, piece: Uint8Array): Promise<void>
  /** It is on the disk. */
  passed(index: number): void
  failed(index: number): void
  /** The disk, or a fault of ours. */
  problem(error: unknown): void
  /** There is room for more again. */
  roomier(): void
  /** Closing waits for it. */
  track(work: Promise<void>): void
}

/** From the first block of a piece to its verdict: its memory, who sent how much of it, its hash, its way to the disk. */
export class PieceChecks {
  readonly #options: PieceChecksOptions
  /** Pieces that blocks came of, and free memory for more. */
  readonly #begun = new Map<number, Uint8Array>()
  readonly #pool: Uint8Array[] = []
  /** Who sent how many blocks of pieces that have no verdict yet. */
  readonly #senders = new Map<number, Map<Peer, number>>()
  #unwrittenBytes = 0
  #closed = false

  constructor(options: PieceChecksOptions) {
    this.#options = options
  }

  /** What was hashed is not written any more: whoever opens the torrent next has its files. */
  close(): void {
    this.#closed = true
  }

  /** More may be asked for. */
  get hasRoom(): boolean {
    return this.#unwrittenBytes <= UNWRITTEN_BYTES_MAX
  }

  /** Pieces that blocks came of and that are not complete. */
  get begun(): Iterable<number> {
    return this.#begun.keys()
  }

  /** @returns the block where it stays until the piece has its verdict */
  put(peer: Peer, index: number, offset: number, block: Uint8Array): Uint8Array {
    const senders = this.#senders.get(index)
    if (senders === undefined) this.#senders.set(index, new Map([[peer, 1]]))
    else senders.set(peer, (senders.get(peer) ?? 0) + 1)
    const kept = this.#memoryOf(index).subarray(offset, offset + block.length)
    kept.set(block)
    return kept
  }

  /** What came of a piece that has no verdict is dropped. */
  forget(index: number): void {
    this.#senders.delete(index)
    const piece = this.#begun.get(index)
    this.#begun.delete(index)
    if (piece !== undefined) this.#keep(piece)
  }

  /** All blocks of it are here. */
  complete(index: number): void {
    const piece = this.#begun.get(index)
    if (piece === undefined) return
    this.#begun.delete(index)
    for (const [peer, blocks] of this.#senders.get(index) ?? []) peer.depth.completes(blocks)
    this.#unwrittenBytes += piece.length
    const checking = this.#check(index, piece)
      .catch((error: unknown) => this.#options.problem(error))
      .finally(() => {
        this.#unwrittenBytes -= piece.length
        this.#keep(piece)
        if (!this.#closed && this.hasRoom) this.#options.roomier()
      })
    this.#options.track(checking)
  }

  /** Free memory is given back. */
  trim(): void {
    this.#pool.length = 0
  }

  async #check(index: number, piece: Uint8Array): Promise<void> {
    const { hash, expected, write, passed, failed } = this.#options
    const found = await hash(piece)
    if (this.#closed) return
    const isGood = found === expected(index)
    if (isGood) await write(index, piece)
    for (const [peer, blocks] of this.#senders.get(index) ?? []) peer.depth.judged(blocks, isGood)
    this.#senders.delete(index)
    if (isGood) passed(index)
    else failed(index)
  }

  #memoryOf(index: number): Uint8Array {
    let piece = this.#begun.get(index)
    if (piece === undefined) {
      const bytes = this.#options.pieceBytes(index)
      // Shared, so that a thread hashes it where it stands. The first piece is as long as any: of a short torrent it may be far
      // shorter than the piece length.
      const free = this.#pool.pop() ?? new Uint8Array(new SharedArrayBuffer(this.#options.pieceBytes(0)))
      piece = free.length === bytes ? free : free.subarray(0, bytes)
      this.#begun.set(index, piece)
    }
    return piece
  }

  /** Nothing points into it any more. */
  #keep(piece: Uint8Array): void {
    const whole = new Uint8Array(piece.buffer)
    if ((this.#pool.length + 1) * whole.length <= POOL_BYTES_MAX) this.#pool.push(whole)
  }
}

import type { Millis, PeerId } from '../events/index.ts'

// Peers whose last piece failed are asked for one whole piece at a time, and nobody else is asked for that piece: so the
// next verdict is theirs alone, and a liar cannot have more than one bad piece under way. A piece that passes clears them.

/** A piece of which nothing came for this long is taken back, so that a peer that stalls does not hold up the end. */
export const PAROLE_PIECE_MS = 5_000
/** Each block that came puts the end of its piece off by this: a trickle of less than 64 KiB/s holds none up. */
export const PAROLE_BLOCK_MS = 250
/**
 * After a piece was taken back from a peer on parole, only peers that are not on parole are asked for it in this time, ms: a liar
 * that sends nothing would otherwise get the last piece again and again, and the download would never end.
 */
export const OVERDUE_PIECE_MS = 10_000
/** Oldest are let off. */
const PEERS_MAX = 4_096

export class Parole {
  readonly #peers = new Set<PeerId>()
  /** Peers that stay on parole whatever they send. */
  readonly #always: ReadonlySet<PeerId>
  readonly #pieceOf = new Map<PeerId, number>()
  readonly #ownerOf = new Map<number, PeerId>()
  readonly #since = new Map<number, { start: Millis; lastBlock: Millis; blocks: number }>()
  /** Pieces that were overdue, and until when nobody on parole has them. */
  readonly #keptFrom = new Map<number, number>()

  constructor(always: ReadonlySet<PeerId> = new Set()) {
    this.#always = always
  }

  has(peer: PeerId): boolean {
    return this.#peers.has(peer) || this.#always.has(peer)
  }

  get isEmpty(): boolean {
    return this.#peers.size === 0 && this.#always.size === 0
  }

  /** What was asked of it before is no longer counted on: the caller cancels its requests. */
  begin(peer: PeerId): void {
    this.#peers.add(peer)
    for (const oldest of this.#peers) {
      if (this.#peers.size <= PEERS_MAX) break
      this.clear(oldest)
    }
  }

  clear(peer: PeerId): void {
    this.#peers.delete(peer)
    this.#release(peer)
  }

  /**
   * May this peer be asked for blocks of this piece now?
   * @param untouched claims the piece for a peer on parole if nobody else has sent or owes blocks of it
   */
  mayAsk(peer: PeerId, index: number, untouched: () => boolean, now: () => Millis): boolean {
    const owner = this.#ownerOf.get(index)
    if (!this.has(peer)) return owner === undefined || owner === peer
    const piece = this.#pieceOf.get(peer)
    if (piece !== undefined) return piece === index
    if (owner !== undefined || now() < (this.#keptFrom.get(index) ?? 0) || !untouched()) return false
    this.#pieceOf.set(peer, index)
    this.#ownerOf.set(index, peer)
    const start = now()
    this.#since.set(index, { start, lastBlock: start, blocks: 0 })
    return true
  }

  /** A block came from its owner: a piece of many megabytes takes its time. */
  received(peer: PeerId, index: number, now: () => Millis): void {
    if (this.#ownerOf.size === 0 || this.#ownerOf.get(index) !== peer) return
    const since = this.#since.get(index)
    if (since === undefined) return
    since.lastBlock = now()
    since.blocks++
  }

  /** Peers on parole whose piece is overdue: their requests are to be cancelled. */
  overdue(now: Millis): PeerId[] {
    const isLate = ({ start, lastBlock, blocks }: { start: Millis; lastBlock: Millis; blocks: number }): boolean =>
      now - lastBlock >= PAROLE_PIECE_MS || now - start >= PAROLE_PIECE_MS + blocks * PAROLE_BLOCK_MS
    const late = [...this.#since].filter(([, since]) => isLate(since)).map(([index]) => index)
    const peers = late.flatMap((index) => this.#ownerOf.get(index) ?? [])
    for (const [index, until] of this.#keptFrom) if (now >= until) this.#keptFrom.delete(index)
    for (const index of late) {
      this.settle(index)
      this.#keptFrom.set(index, now + OVERDUE_PIECE_MS)
    }
    return peers
  }

  /** The piece has its verdict, or was dropped. */
  settle(index: number): void {
    const owner = this.#ownerOf.get(index)
    if (owner !== undefined) this.#release(owner)
  }

  /** It has gone; it is still on parole when it comes back, as long as this torrent is open. */
  leave(peer: PeerId): void {
    this.#release(peer)
  }

  #release(peer: PeerId): void {
    const index = this.#pieceOf.get(peer)
    if (index === undefined) return
    this.#pieceOf.delete(peer)
    this.#ownerOf.delete(index)
    this.#since.delete(index)
  }
}

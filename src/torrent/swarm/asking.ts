import type { PieceJudge } from '../piece-judge.ts'
import type { NamedBlock } from '../wire/messages.ts'
import type { Peer } from './peer.ts'
import type { Picker } from './picker.ts'
import type { PieceChecks } from './piece-checks.ts'

/** Before the peer's own handshake says how many it takes. */
const DEPTH_UNNAMED = 250

export type AskingOptions = {
  peers: ReadonlySet<Peer>
  judge: PieceJudge
  checks: PieceChecks
  now(): number
  /** All that is wanted is here, or the torrent is closed. */
  isOver(): boolean
  isWelcome(peer: Peer): boolean
}

/** What is asked of whom: in which peers a torrent is interested, and which blocks each of them owes. */
export class Asking {
  readonly #options: AskingOptions
  /** Undefined until it is known what is on the disk. */
  picker: Picker<Peer> | undefined
  /** Blocks of a piece. */
  pieceBlocks = 1

  constructor(options: AskingOptions) {
    this.#options = options
  }

  /** What a peer has, anew. @returns blocks that the peer owed of pieces it does not have any more */
  tell(picker: Picker<Peer>, peer: Peer): readonly NamedBlock[] {
    return peer.hasEverything ? picker.hasAll(peer) : picker.hasBits(peer, peer.bits)
  }

  updateInterest(peer: Peer): void {
    if (this.picker === undefined || peer.closed) return
    peer.interest(this.picker.isInteresting(peer))
    this.ask(peer)
  }

  askAll(): void {
    for (const peer of this.#options.peers) this.ask(peer)
  }

  ask(peer: Peer): void {
    const { picker } = this
    const { checks, isOver, isWelcome, now } = this.#options
    if (picker === undefined || isOver() || peer.closed) return
    if (peer.isChoking || !peer.amInterested || !checks.hasRoom) return
    const depth = peer.depth.of(peer.ext?.requestsMax ?? DEPTH_UNNAMED, this.pieceBlocks)
    const owed = picker.owed(peer)
    // A few at a time would be many small writes.
    if (owed > 0 && depth - owed < depth / 4) return
    if (depth <= owed || !isWelcome(peer)) return
    if (owed === 0) peer.lastBlockAt = now()
    peer.request(picker.pick(peer, depth - owed, (index) => this.#mayAsk(peer, index)))
  }

  #mayAsk(peer: Peer, index: number): boolean {
    return this.#options.judge.mayAsk(peer.id, index, () => this.#untouched(index))
  }

  /** True if no block of this piece is owed or kept; kept blocks that nobody adds to are dropped for it. */
  #untouched(index: number): boolean {
    const { picker } = this
    if (picker === undefined) return false
    if (picker.isUntouched(index)) return true
    if (!picker.drop(index)) return false
    this.forget(index)
    return true
  }

  /** What was kept of a piece that has no verdict. */
  forget(index: number): void {
    this.#options.judge.forget(index)
    this.#options.checks.forget(index)
  }

  /** What a peer owes is asked of others. */
  takeBack(peer: Peer): void {
    peer.cancel(this.picker?.releaseAll(peer) ?? [])
  }
}

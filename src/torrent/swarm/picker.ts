import { hasBit } from '../piece-ranges.ts'
import type { NamedBlock } from '../wire/messages.ts'
import { BegunPiece } from './begun-piece.ts'
import { RarityOrder } from './rarity-order.ts'

// Which blocks to ask of whom. A peer goes on with the piece that it is at; then comes a piece of its own, the rarest that it
// has; then what others have begun; and when every wanted block is owed or here, blocks that others owe (the endgame).

/** Pieces that were begun and are not complete: their memory. */
const BEGUN_BYTES_MAX = 128 * 1024 * 1024
/** Until so many pieces are here the first ones are taken at random: a piece to trade comes sooner than the rarest one. */
const RANDOM_FIRST_PIECES = 4
const RANDOM_TRIES = 16
/** A block is asked of so many peers at once in the endgame. */
const OWNERS_MAX = 3
/** Blocks that others owe are asked for so few at a time. */
const ENDGAME_BLOCKS = 4
/** New pieces that must not be asked of a peer, one after the other, before it is left alone until the next time. */
const REFUSED_MAX = 256
export const DEFAULT_PRIORITY = 2

export type Priority = 0 | 1 | 2 | 3

export type PickerOptions<P> = {
  pieceCount: number
  pieceBytes(index: number): number
  /** For ties, 0 to 1. */
  random(): number
  /** What is here of a piece was dropped to make room for another: nobody that is here could go on with it. */
  dropped?(index: number): void
  /** False of a peer that has not sent anything in a long time: what it alone has may be dropped for another piece. */
  gives?(peer: P): boolean
}

/** What a peer has, and how much of that is of use. */
type Known = {
  isAll: boolean
  bits: Uint8Array
  /** Wanted and not verified, of those in `bits`. */
  interesting: number
  /** Of these the ones that nobody has begun. */
  fresh: number
  owed: number
  /** It gives runs of pieces at less cost than as many here and there, as web servers do. */
  readonly prefersRuns: boolean
  /** The piece that was begun of it last. */
  last: number
}

export type Received<P> = {
  readonly what: 'new' | 'unwanted'
  /** All blocks of its piece are here. */
  readonly complete: boolean
  /** Who was asked for it too, and owes it no more. */
  readonly others: readonly P[]
}

const UNWANTED = { what: 'unwanted', complete: false, others: [] } as const
const NOBODY: readonly never[] = []

export class Picker<P> {
  /** In the order of the files instead of the rarest first. */
  sequential = false
  readonly #options: PickerOptions<P>
  readonly #peers = new Map<P, Known>()
  readonly #begun = new Map<number, BegunPiece<P>>()
  /** Pieces that are wanted, not verified and not begun. */
  readonly #order: RarityOrder
  /** Peers that have a piece, without those that have all. */
  readonly #availability: Uint16Array
  readonly #priorities: Uint8Array
  readonly #verified: Uint8Array
  #begunBytes = 0
  #openBlocks = 0
  #wantedLeft: number
  #verifiedCount = 0

  constructor(options: PickerOptions<P>) {
    const { pieceCount, random } = options
    this.#options = options
    this.#order = new RarityOrder(pieceCount)
    this.#availability = new Uint16Array(pieceCount)
    this.#priorities = new Uint8Array(pieceCount).fill(DEFAULT_PRIORITY)
    this.#verified = new Uint8Array(pieceCount)
    this.#wantedLeft = pieceCount
    for (const index of shuffled(pieceCount, random)) this.#order.enter(index, DEFAULT_PRIORITY, 0)
  }

  /** Pieces that are wanted and not verified. */
  get wantedLeft(): number {
    return this.#wantedLeft
  }

  // What peers have

  /** @param prefersRuns pieces are begun of it one after the other where that can be */
  join(peer: P, prefersRuns = false): void {
    const bits = new Uint8Array(Math.ceil(this.#options.pieceCount / 8))
    this.#peers.set(peer, { isAll: false, bits, interesting: 0, fresh: 0, owed: 0, prefersRuns, last: -1 })
  }

  /** All that it owes is open again. */
  leave(peer: P): void {
    this.releaseAll(peer)
    this.hasNone(peer)
    this.#peers.delete(peer)
    for (const piece of this.#begun.values()) if (piece.lead === peer) piece.lead = undefined
  }

  has(peer: P, index: number): void {
    const known = this.#peers.get(peer)
    if (known === undefined || known.isAll || hasBit(known.bits, index)) return
    known.bits[index >> 3] = (known.bits[index >> 3] ?? 0) | (0x80 >> (index & 7))
    this.#commoner(index)
    if (this.#isLacking(index)) known.interesting++
    if (this.#order.includes(index)) known.fresh++
  }

  /** It has a piece no longer. @returns what it owed of it */
  lost(peer: P, index: number): NamedBlock[] {
    const known = this.#peers.get(peer)
    if (known === undefined) return []
    if (known.isAll) this.hasBits(peer, new Uint8Array(known.bits.length).fill(0xff))
    if (!hasBit(known.bits, index)) return []
    known.bits[index >> 3] = (known.bits[index >> 3] ?? 0) & ~(0x80 >> (index & 7))
    this.#rarer(index)
    if (this.#isLacking(index)) known.interesting--
    if (this.#order.includes(index)) known.fresh--
    return this.#releasePiece(peer, this.#begun.get(index))
  }

  /** @returns what it owed of pieces that it has no longer */
  hasAll(peer: P): NamedBlock[] {
    const known = this.#peers.get(peer)
    if (known === undefined) return []
    this.hasNone(peer, true)
    known.isAll = true
    return []
  }

  /** @param isKept what it owes stays owed */
  hasNone(peer: P, isKept = false): NamedBlock[] {
    const known = this.#peers.get(peer)
    if (known === undefined) return []
    for (let index = 0; !known.isAll && index < this.#options.pieceCount; index++) {
      if (known.bits[index >> 3] === 0) index |= 7
      else if (hasBit(known.bits, index)) this.#rarer(index)
    }
    known.isAll = false
    known.bits.fill(0)
    known.interesting = 0
    known.fresh = 0
    return isKept ? [] : this.releaseAll(peer)
  }

  /** In place of what it had before. @param bits as of BEP 3 @returns what it owed of pieces that it has no longer */
  hasBits(peer: P, bits: Uint8Array): NamedBlock[] {
    const known = this.#peers.get(peer)
    if (known === undefined) return []
    this.hasNone(peer, true)
    for (let index = 0; index < this.#options.pieceCount; index++) {
      if ((bits[index >> 3] ?? 0) === 0) index |= 7
      else if (hasBit(bits, index)) this.has(peer, index)
    }
    const released: NamedBlock[] = []
    for (const piece of [...this.#begun.values()]) {
      if (!hasBit(known.bits, piece.index)) released.push(...this.#releasePiece(peer, piece))
    }
    return released
  }

  /** It has something that is wanted and not verified. */
  isInteresting(peer: P): boolean {
    const known = this.#peers.get(peer)
    return known !== undefined && (known.isAll ? this.#wantedLeft : known.interesting) > 0
  }

  // What is wanted

  /** It is here. */
  setVerified(index: number): void {
    if (this.#verified[index] === 1) return
    this.#unlist(index)
    this.#forget(index)
    this.#verified[index] = 1
    this.#verifiedCount++
    if (this.#priorities[index] === 0) return
    this.#wantedLeft--
    this.#count(index, 'interesting', -1)
  }

  /** It is here no longer. */
  unverify(index: number): void {
    if (this.#verified[index] !== 1) return
    this.#verified[index] = 0
    this.#verifiedCount--
    if (this.#priorities[index] === 0) return
    this.#wantedLeft++
    this.#count(index, 'interesting', 1)
    this.#list(index)
  }

  /** @returns what peers owe of it where it is not wanted any more: that is not taken */
  setPriority(index: number, priority: Priority): readonly [P, NamedBlock[]][] {
    const before = this.#priorities[index] ?? 0
    if (before === priority) return NOBODY
    this.#unlist(index)
    const owed = priority === 0 ? this.#owedOf(index) : NOBODY
    if (priority === 0) this.#forget(index)
    this.#priorities[index] = priority
    if (this.#verified[index] === 1) return owed
    if ((before === 0) !== (priority === 0)) {
      const change = priority === 0 ? -1 : 1
      this.#wantedLeft += change
      this.#count(index, 'interesting', change)
    }
    this.#list(index)
    return owed
  }

  // Asking

  /** Blocks that the peer owes. */
  owed(peer: P): number {
    return this.#peers.get(peer)?.owed ?? 0
  }

  /**
   * Blocks to ask of this peer; it owes them from here on.
   * @param mayAsk false for a piece that must not be asked of it now; asked only of a piece that would be
   */
  pick(peer: P, count: number, mayAsk: (index: number) => boolean): NamedBlock[] {
    const known = this.#peers.get(peer)
    const blocks: NamedBlock[] = []
    if (known === undefined || count <= 0) return blocks
    for (const piece of this.#begun.values()) {
      if (blocks.length >= count) return blocks
      if (piece.lead === peer || piece.lead === undefined) this.#takeOpen(piece, peer, known, count, mayAsk, blocks)
    }
    while (blocks.length < count) {
      const piece = this.#begin(peer, known, mayAsk)
      if (piece === undefined) break
      this.#takeOpen(piece, peer, known, count, () => true, blocks)
    }
    for (const piece of this.#begun.values()) {
      if (blocks.length >= count) return blocks
      this.#takeOpen(piece, peer, known, count, mayAsk, blocks)
    }
    if (blocks.length === 0 && this.#openBlocks === 0 && this.#order.length === 0)
      this.#endgame(peer, known, count, mayAsk, blocks)
    return blocks
  }

  received(peer: P, index: number, offset: number, length: number): Received<P> {
    const piece = this.#begun.get(index)
    const owners = piece?.receive(peer, offset, length)
    if (piece === undefined || owners === undefined) return UNWANTED
    for (const owner of owners) this.#owes(owner, -1)
    const others = owners.length === 1 ? NOBODY : owners.filter((owner) => owner !== peer)
    return { what: 'new', complete: piece.isComplete, others }
  }

  /** It will not send this: it said so, or it is not waited for any more. */
  released(peer: P, index: number, offset: number): void {
    const piece = this.#begun.get(index)
    if (piece === undefined) return
    const open = piece.open
    if (!piece.release(peer, offset)) return
    this.#openBlocks += piece.open - open
    this.#owes(peer, -1)
    this.#dropIfEmpty(piece)
  }

  /** @returns all that it owed, which is open again unless others owe it too */
  releaseAll(peer: P): NamedBlock[] {
    if (this.owed(peer) === 0) return []
    return [...this.#begun.values()].flatMap((piece) => this.#releasePiece(peer, piece))
  }

  /** The hash of a piece was wrong: all of it is open again. */
  failed(index: number): void {
    this.#forget(index)
    this.#list(index)
  }

  /** No block of it is owed or here. */
  isUntouched(index: number): boolean {
    return !this.#begun.has(index)
  }

  /** Forgets what is here of a piece that nobody owes anything of. @returns false if somebody does, or it is complete */
  drop(index: number): boolean {
    const piece = this.#begun.get(index)
    if (piece === undefined || !piece.isIdle || piece.isComplete) return false
    this.#forget(index)
    this.#list(index)
    return true
  }

  #takeOpen(
    piece: BegunPiece<P>,
    peer: P,
    known: Known,
    count: number,
    mayAsk: (index: number) => boolean,
    blocks: NamedBlock[],
  ): void {
    const { index } = piece
    if (piece.open === 0 || !(known.isAll || hasBit(known.bits, index)) || !mayAsk(index)) return
    // What was here of it may have been dropped just now, so that it is untouched.
    const begun = this.#begun.get(index) ?? this.#beginAt(index, peer)
    begun.lead ??= peer
    while (blocks.length < count && begun.open > 0) {
      const block = begun.askOpen(peer)
      if (block === undefined) return
      this.#openBlocks--
      known.owed++
      blocks.push(block)
    }
  }

  /** A piece that nobody has begun and that this peer has. */
  #begin(peer: P, known: Known, mayAsk: (index: number) => boolean): BegunPiece<P> | undefined {
    if ((known.isAll ? this.#order.length : known.fresh) === 0) return undefined
    if (this.#begunBytes >= BEGUN_BYTES_MAX && !this.#makeRoom()) return undefined
    const following = known.last + 1
    const goesOn =
      known.prefersRuns &&
      this.#order.includes(following) &&
      (known.isAll || hasBit(known.bits, following)) &&
      mayAsk(following)
    const index = goesOn ? following : this.#next(known, mayAsk)
    if (index === undefined) return undefined
    known.last = index
    return this.#beginAt(index, peer)
  }

  /** One piece of 128 MiB whose only peer has left, or chokes us for ever, would else keep every other piece from being begun. */
  #makeRoom(): boolean {
    for (const { index, isIdle, isComplete } of this.#begun.values()) {
      if (!isIdle || isComplete || this.#isHad(index) || !this.drop(index)) continue
      this.#options.dropped?.(index)
      return true
    }
    return false
  }

  #isHad(index: number): boolean {
    const { gives = () => true } = this.#options
    for (const [peer, known] of this.#peers) if ((known.isAll || hasBit(known.bits, index)) && gives(peer)) return true
    return false
  }

  #beginAt(index: number, peer: P): BegunPiece<P> {
    this.#unlist(index)
    const piece = new BegunPiece<P>(index, this.#options.pieceBytes(index), peer)
    this.#begun.set(index, piece)
    this.#begunBytes += piece.bytes
    this.#openBlocks += piece.open
    return piece
  }

  #next(known: Known, mayAsk: (index: number) => boolean): number | undefined {
    const order = this.#order
    const isHad = (index: number): boolean => known.isAll || hasBit(known.bits, index)
    if (this.sequential) {
      let refused = 0
      for (let index = 0; index < this.#options.pieceCount && refused < REFUSED_MAX; index++) {
        if (!order.includes(index) || !isHad(index)) continue
        if (mayAsk(index)) return index
        refused++
      }
      return undefined
    }
    if (this.#verifiedCount < RANDOM_FIRST_PIECES) {
      for (let tries = 0; tries < RANDOM_TRIES; tries++) {
        const index = order.at(Math.floor(this.#options.random() * order.length))
        if (this.#priorities[index] === this.#priorities[order.at(0)] && isHad(index) && mayAsk(index)) return index
      }
    }
    let refused = 0
    for (let place = 0; place < order.length && refused < REFUSED_MAX; place++) {
      const index = order.at(place)
      if (!isHad(index)) continue
      if (mayAsk(index)) return index
      refused++
    }
    return undefined
  }

  #endgame(peer: P, known: Known, count: number, mayAsk: (index: number) => boolean, blocks: NamedBlock[]): void {
    // It still has work of its own.
    if (known.owed >= ENDGAME_BLOCKS) return
    const wanted = Math.min(count, ENDGAME_BLOCKS - known.owed)
    for (let owners = 1; owners < OWNERS_MAX; owners++) {
      for (const piece of this.#begun.values()) {
        const { index } = piece
        if (!(known.isAll || hasBit(known.bits, index)) || piece.isComplete || !mayAsk(index)) continue
        while (blocks.length < wanted) {
          const block = piece.askOwed(peer, owners)
          if (block === undefined) break
          known.owed++
          blocks.push(block)
        }
        if (blocks.length >= wanted) return
      }
    }
  }

  #releasePiece(peer: P, piece: BegunPiece<P> | undefined): NamedBlock[] {
    if (piece === undefined) return []
    const blocks = [...piece.owedBy(peer)]
    for (const { index, offset } of blocks) this.released(peer, index, offset)
    if (piece.lead === peer) piece.lead = undefined
    return blocks
  }

  #owedOf(index: number): [P, NamedBlock[]][] {
    const piece = this.#begun.get(index)
    if (piece === undefined) return []
    return [...this.#peers.keys()].map((peer): [P, NamedBlock[]] => [peer, [...piece.owedBy(peer)]])
  }

  #owes(peer: P, change: number): void {
    const known = this.#peers.get(peer)
    if (known !== undefined) known.owed += change
  }

  #dropIfEmpty(piece: BegunPiece<P>): void {
    if (piece.open < piece.blockCount) return
    this.#forget(piece.index)
    this.#list(piece.index)
  }

  /** What was asked for and received of a piece counts no more. */
  #forget(index: number): void {
    const piece = this.#begun.get(index)
    if (piece === undefined) return
    this.#begun.delete(index)
    this.#begunBytes -= piece.bytes
    this.#openBlocks -= piece.open
    if (piece.isIdle) return
    for (const [peer, known] of this.#peers) if (known.owed > 0) for (const _ of piece.owedBy(peer)) known.owed--
  }

  #list(index: number): void {
    const priority = this.#priorities[index] ?? 0
    if (priority === 0 || this.#verified[index] === 1 || this.#begun.has(index) || this.#order.includes(index)) return
    this.#order.enter(index, priority, this.#availability[index] ?? 0)
    this.#count(index, 'fresh', 1)
  }

  #unlist(index: number): void {
    if (!this.#order.includes(index)) return
    this.#order.remove(index, this.#priorities[index] ?? 0, this.#availability[index] ?? 0)
    this.#count(index, 'fresh', -1)
  }

  #count(index: number, what: 'interesting' | 'fresh', change: number): void {
    for (const known of this.#peers.values()) if (!known.isAll && hasBit(known.bits, index)) known[what] += change
  }

  #isLacking(index: number): boolean {
    return this.#verified[index] !== 1 && this.#priorities[index] !== 0
  }

  #commoner(index: number): void {
    const before = this.#availability[index] ?? 0
    if (this.#order.includes(index)) this.#order.commoner(index, this.#priorities[index] ?? 0, before)
    this.#availability[index] = before + 1
  }

  #rarer(index: number): void {
    const before = this.#availability[index] ?? 0
    if (this.#order.includes(index)) this.#order.rarer(index, this.#priorities[index] ?? 0, before)
    this.#availability[index] = before - 1
  }
}

/** 0 to count - 1 in random order (Fisher and Yates). */
function shuffled(count: number, random: () => number): Uint32Array {
  const order = new Uint32Array(count)
  for (let at = 0; at < count; at++) {
    const other = Math.floor(random() * (at + 1))
    order[at] = order[other] as number
    order[other] = at
  }
  return order
}

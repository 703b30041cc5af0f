import { BLOCK_BYTES } from '../metainfo.ts'
import type { NamedBlock } from '../wire/messages.ts'

/** Who owes one block: mostly one peer, and in the endgame up to three. */
type Owners<P> = readonly P[] | undefined

/** A piece of which something was asked for: who owes which block, and what is here. */
export class BegunPiece<P> {
  readonly index: number
  readonly bytes: number
  readonly blockCount: number
  /** Whom it was first asked of, while that peer is here: it goes on with it before others do. */
  lead: P | undefined
  /** Blocks that nobody owes and that are not here. */
  open: number
  got = 0
  readonly #got: Uint8Array
  readonly #owners: Owners<P>[]
  /** No block before this one is open. */
  #openFrom = 0

  constructor(index: number, bytes: number, lead: P) {
    this.index = index
    this.bytes = bytes
    this.lead = lead
    this.blockCount = Math.ceil(bytes / BLOCK_BYTES)
    this.open = this.blockCount
    this.#got = new Uint8Array(this.blockCount)
    this.#owners = new Array<Owners<P>>(this.blockCount).fill(undefined)
  }

  get isComplete(): boolean {
    return this.got === this.blockCount
  }

  /** Nobody owes a block of it. */
  get isIdle(): boolean {
    return this.open + this.got === this.blockCount
  }

  block(at: number): NamedBlock {
    const offset = at * BLOCK_BYTES
    return { index: this.index, offset, length: Math.min(BLOCK_BYTES, this.bytes - offset) }
  }

  /** Gives the peer the first open block. */
  askOpen(peer: P): NamedBlock | undefined {
    for (let at = this.#openFrom; at < this.blockCount; at++) {
      if (this.#got[at] === 1 || this.#owners[at] !== undefined) continue
      this.#openFrom = at + 1
      this.#owners[at] = [peer]
      this.open--
      return this.block(at)
    }
    this.#openFrom = this.blockCount
    return undefined
  }

  /** Gives the peer a block that so many others owe, as long as it does not owe it itself. */
  askOwed(peer: P, owners: number): NamedBlock | undefined {
    for (let at = 0; at < this.blockCount; at++) {
      const owed = this.#owners[at]
      if (owed === undefined || owed.length !== owners || owed.includes(peer)) continue
      this.#owners[at] = [...owed, peer]
      return this.block(at)
    }
    return undefined
  }

  /** @returns who owed it, this peer among them; undefined if this peer does not, or it is no such block */
  receive(peer: P, offset: number, length: number): readonly P[] | undefined {
    const at = offset / BLOCK_BYTES
    const owners = this.#owners[at]
    if (owners === undefined || !owners.includes(peer) || this.block(at).length !== length) return undefined
    this.#owners[at] = undefined
    this.#got[at] = 1
    this.got++
    return owners
  }

  /** @returns true if the peer owed it and does no more */
  release(peer: P, offset: number): boolean {
    const at = offset / BLOCK_BYTES
    const owners = this.#owners[at]
    if (owners === undefined || !owners.includes(peer)) return false
    const others = owners.filter((other) => other !== peer)
    this.#owners[at] = others.length > 0 ? others : undefined
    if (others.length === 0) {
      this.open++
      this.#openFrom = Math.min(this.#openFrom, at)
    }
    return true
  }

  /** What the peer owes of it. */
  *owedBy(peer: P): Generator<NamedBlock> {
    for (let at = 0; at < this.blockCount; at++) if (this.#owners[at]?.includes(peer)) yield this.block(at)
  }
}

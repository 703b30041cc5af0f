import { MESSAGE } from '../../../src/torrent/wire/messages.ts'
import type { LabPeer, LinkWatch, MemoryLink } from './swarm-lab.ts'

const BLOCK_BYTES = 16_384

/**
 * Keeps book of what one downloader has asked of whom, from the messages alone, and of each block that it asks of a second one
 * while the first still owes it: that is right when every block that it lacks is owed by somebody (the endgame), and at no other time.
 */
export class RequestWatch implements LinkWatch {
  /** Blocks asked twice before the endgame. */
  readonly twice: string[] = []
  /** Blocks asked twice in it. */
  endgame = 0
  readonly #peer: LabPeer
  readonly #pieceCount: number
  readonly #blocksOf: (index: number) => number
  readonly #isOurs: (end: MemoryLink) => boolean
  readonly #owed = new Map<string, Set<MemoryLink>>()
  readonly #here = new Set<string>()

  /** @param isOurs whether this end of a link is the downloader's */
  constructor(peer: LabPeer, sizeBytes: number, pieceBytes: number, isOurs: (end: MemoryLink) => boolean) {
    this.#peer = peer
    this.#pieceCount = Math.ceil(sizeBytes / pieceBytes)
    this.#isOurs = isOurs
    this.#blocksOf = (index) => Math.ceil(Math.min(pieceBytes, sizeBytes - index * pieceBytes) / BLOCK_BYTES)
    peer.onBad = (index) => {
      if (!peer.written.has(index)) for (const block of this.#blocks(index)) this.#here.delete(block)
    }
  }

  sent(by: MemoryLink, message: Uint8Array): void {
    if (!this.#isOurs(by)) return
    if (message[0] === MESSAGE.cancel) this.#owed.get(blockOf(message))?.delete(by)
    if (message[0] !== MESSAGE.request) return
    const block = blockOf(message)
    let owners = this.#owed.get(block)
    if (owners === undefined) {
      owners = new Set()
      this.#owed.set(block, owners)
    }
    owners.add(by)
    if (owners.size < 2) return
    const open = this.#openBlock()
    if (open === undefined) this.endgame++
    else this.twice.push(`${block} while ${open} is asked of nobody`)
  }

  came(to: MemoryLink, message: Uint8Array): void {
    if (!this.#isOurs(to) || (message[0] !== MESSAGE.piece && message[0] !== MESSAGE.reject)) return
    const block = blockOf(message)
    this.#owed.get(block)?.delete(to)
    if (message[0] === MESSAGE.piece) this.#here.add(block)
  }

  closed(end: MemoryLink): void {
    for (const owners of this.#owed.values()) owners.delete(end)
  }

  /** One that is neither here nor owed. */
  #openBlock(): string | undefined {
    for (let index = 0; index < this.#pieceCount; index++) {
      if (this.#peer.written.has(index)) continue
      for (const block of this.#blocks(index)) {
        if (!this.#here.has(block) && (this.#owed.get(block)?.size ?? 0) === 0) return block
      }
    }
    return undefined
  }

  *#blocks(index: number): Generator<string> {
    for (let at = 0; at < this.#blocksOf(index); at++) yield `${index}:${at * BLOCK_BYTES}`
  }
}

/** Of request, cancel, piece and reject alike. */
function blockOf(message: Uint8Array): string {
  const view = new DataView(message.buffer, message.byteOffset)
  return `${view.getUint32(1)}:${view.getUint32(5)}`
}

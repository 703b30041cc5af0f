import type { BadPiece, Envelope, Event, InfoHash, NodeId, PeerId } from '../../../src/events/index.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'

export const own = node('own')
export const torrent: InfoHash = hash('torrent')

const badPiece = (index: number): BadPiece => ({
  ...{ index, evidence: 'sole-source', offset: 0, length: 16384 },
  ...{ expected: '00'.repeat(20), received: 'ff'.repeat(20) },
})

/** A verdict about `subject`: so many good pieces, so many bad. */
export const judged = (subject: PeerId, good: number, bad: number): Event => ({
  kind: 'piece.judged',
  subject,
  infoHash: torrent,
  good: good === 0 ? [] : [{ first: 0, count: good }],
  bad: Array.from({ length: bad }, (_, index) => badPiece(index)),
})

/** Collects events as this node's log would have them. */
export class Scene {
  readonly envelopes: Envelope[] = []
  readonly #maker = new EnvelopeMaker()

  says(author: NodeId, event: Event): this {
    this.envelopes.push(this.#maker.make(author, event, author === own ? 'local' : 'gossip'))
    return this
  }
}

/** A small generator of equal numbers for equal seeds (mulberry32), in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

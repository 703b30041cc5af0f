import type { NodeId } from '../../../src/events/index.ts'
import { AntiEntropy, type AntiEntropyOptions } from '../../../src/network/gossip/anti-entropy.ts'
import { FirstHand } from '../../../src/network/gossip/first-hand.ts'
import type { GossipEffect } from '../../../src/network/gossip/gossip-protocol.ts'
import { PrunedElsewhere } from '../../../src/network/gossip/pruned-elsewhere.ts'
import { PullPause } from '../../../src/network/gossip/pull-pause.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { bucketBits, Summariser } from '../../../src/network/gossip/vector-summary.ts'
import type { AuthorRange, Head } from '../../../src/network/wire.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, peerOf, SELF, sent } from './gossip-at-the-door.ts'

export const [PEER, OTHER, AUTHOR] = [peerOf(1), peerOf(2), authorOf(1)]
export const NONE = bucketBits([])
const RETENTION_MS = 1_000

export const range = (from: number, to: number, author = AUTHOR): AuthorRange => ({ author, from, to })

/** Anti-entropy with two peers, and a log that holds what a test says. */
export class RoundsAtWork {
  held = new Map<NodeId, number>()
  /** Held of every author, above a gap. */
  apart = new Set<number>()
  rules: AntiEntropyOptions['rules'] = OPEN_RULES
  readonly antiEntropy: AntiEntropy
  readonly pruned: PrunedElsewhere

  constructor() {
    const log = {
      lamport: 1,
      has: ({ author, authorSeq }: Head) => authorSeq <= (this.held.get(author) ?? 0) || this.apart.has(authorSeq),
      versionVector: () => this.held,
    }
    this.pruned = new PrunedElsewhere({ self: SELF, held: log, retentionMs: RETENTION_MS, isRecovering: () => false })
    this.antiEntropy = new AntiEntropy({
      ...{ held: log, seen: new SeenEvents(10, 1_000), pause: new PullPause(), pruned: this.pruned, random: () => 0.5 },
      rules: { isRevoked: (author) => this.rules.isRevoked(author), isShut: (...about) => this.rules.isShut(...about) },
      firstHand: new FirstHand({}),
    })
    for (const peer of [PEER, OTHER]) this.antiEntropy.linkUp(peer, false, 0)
  }

  /** What is answered to a peer that holds this. */
  summary(vector: ReadonlyMap<NodeId, number>, now: number, from = PEER) {
    const buckets = new Summariser().summarise(vector, 1)
    return sent(this.antiEntropy.summary(from, { salt: 1, buckets }, now), 'vector')
  }

  heads(from: NodeId, now: number, heads: readonly Head[], more = { buckets: NONE, reply: true }): GossipEffect[] {
    return this.antiEntropy.vector(from, { heads, ...more }, now)
  }

  /** The fetch that follows from the word of a peer that it has an author's events up to one. */
  fetch(now: number, { from = PEER, author = AUTHOR, authorSeq = 9 } = {}) {
    return sent(this.heads(from, now, [{ author, authorSeq }]), 'fetch')[0]?.message
  }

  supplied(id: number | undefined, now: number, gained = 0, from = PEER): GossipEffect[] {
    return this.antiEntropy.supplied(from, id ?? -1, gained, true, now)
  }

  /** So much of what is asked for comes. */
  brings(id: number | undefined, now: number, gained: number): GossipEffect[] {
    this.antiEntropy.brought(PEER, id ?? -1, AUTHOR)
    return this.supplied(id, now, gained)
  }
}

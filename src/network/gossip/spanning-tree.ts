import type { NodeId, Standing } from '../../events/index.ts'
import type { BeaconMessage } from '../wire.ts'
import type { GossipEffect } from './gossip-protocol.ts'

// One shallow tree over the overlay, for all authors: the node with the lowest id is the root, and everybody's parent is
// the neighbour nearest to it (the spanning tree of Perlman 1985, "An Algorithm for Distributed Computation of a Spanning
// Tree"). Plumtree alone grows its tree from whatever arrived first while many talk at once; in simulations of 100 nodes
// that gave up to 20 links from end to end, where this gives about 7. Broken parts are bridged by all links, so a
// wrong or lying root costs copies, never events.

export const BEACON_EVERY_MS = 15_000
/** A root that was not heard of for this long is gone. */
const ROOT_LOST_MS = 50_000
/** A root that counts faster than this is not followed. */
const BEAT_GAP_MS = BEACON_EVERY_MS / 3
const NO_DISTANCE = 63
const LOST_MAX = 64

type Claim = { rootKey: string; root: NodeId; client: boolean; distance: number; beat: number; child: boolean }
type Place = { rootKey: string; root: NodeId; client: boolean; distance: number; beat: number; parent: NodeId | undefined }

const standing = (isClient: boolean): Standing => (isClient ? 'client' : 'member')
const keyOf = (root: NodeId, client: boolean): string => (client ? `1${root}` : `0${root}`)

export class SpanningTree {
  readonly #self: NodeId
  readonly #isClient: boolean
  readonly #standingOf: (node: NodeId) => Standing | undefined
  readonly #claims = new Map<NodeId, Claim | undefined>()
  /** Roots that are gone, and the beat up to which nothing is believed of them. */
  readonly #lost = new Map<string, number>()
  #ownBeat = 0
  #place: Place
  #beatAt = 0

  /** @param standingOf as what a node is known here; undefined where nobody is told from anybody */
  constructor(self: NodeId, isClient: boolean, standingOf: (node: NodeId) => Standing | undefined = () => undefined) {
    this.#self = self
    this.#isClient = isClient
    this.#standingOf = standingOf
    this.#place = this.#asRoot()
  }

  /** True if events are pushed over the link to this neighbour: a link of the tree, or no common tree yet. */
  pushesTo(peer: NodeId): boolean {
    const claim = this.#claims.get(peer)
    const { rootKey, distance, parent } = this.#place
    if (claim === undefined || claim.rootKey !== rootKey) return true
    // Who has lost its parent, we or the neighbour, uses all links until it has a new one.
    return distance === NO_DISTANCE || claim.distance === NO_DISTANCE || peer === parent || claim.child
  }

  linkUp(peer: NodeId): GossipEffect[] {
    this.#claims.set(peer, undefined)
    return [this.beaconFor(peer)]
  }

  linkDown(peer: NodeId, now: number): GossipEffect[] {
    this.#claims.delete(peer)
    return this.#place.parent === peer ? this.#settle(now, false) : []
  }

  receive(from: NodeId, message: BeaconMessage, now: number): GossipEffect[] {
    if (!this.#claims.has(from)) return []
    const { root, client, distance, beat, parent } = message
    // A root that is made up would have no end of beats, and the one who made it up would be everybody's parent. Of one that
    // was admitted a moment ago the next beat tells again.
    if ((this.#standingOf(root) ?? standing(client)) !== standing(client)) return []
    const rootKey = keyOf(root, client)
    this.#claims.set(from, { rootKey, root, client, distance: Math.min(distance, NO_DISTANCE), beat, child: parent })
    return this.#settle(now, false)
  }

  /** The regular turn: a root counts on, the others look whether theirs does. */
  beat(now: number): GossipEffect[] {
    const wake: GossipEffect = { do: 'wake', afterMs: BEACON_EVERY_MS, timer: { name: 'beacon' } }
    if (this.#place.root === this.#self) {
      this.#ownBeat = Math.max(this.#ownBeat + 1, Math.floor(now / BEACON_EVERY_MS))
      this.#place = { ...this.#place, beat: this.#ownBeat }
      return [...this.#tellAll(), wake]
    }
    return now - this.#beatAt > ROOT_LOST_MS ? [...this.rootGone(this.#place.root, now), wake] : [wake]
  }

  /** The root is known to be gone. */
  rootGone(root: NodeId, now: number): GossipEffect[] {
    if (root !== this.#place.root || root === this.#self) return []
    this.#lost.delete(this.#place.rootKey)
    this.#lost.set(this.#place.rootKey, this.#place.beat)
    if (this.#lost.size > LOST_MAX) {
      for (const oldest of this.#lost.keys()) {
        this.#lost.delete(oldest)
        break
      }
    }
    this.#place = this.#asRoot()
    return this.#settle(now, true)
  }

  #asRoot(): Place {
    const rootKey = keyOf(this.#self, this.#isClient)
    return { rootKey, root: this.#self, client: this.#isClient, distance: 0, beat: this.#ownBeat, parent: undefined }
  }

  #settle(now: number, tell: boolean): GossipEffect[] {
    const before = this.#place
    const after = this.#elect()
    const isNewRoot = after.rootKey !== before.rootKey
    const counted = after.beat > before.beat && (isNewRoot || now - this.#beatAt >= BEAT_GAP_MS)
    if (isNewRoot || counted) this.#beatAt = now
    this.#place = isNewRoot || counted ? after : { ...after, beat: before.beat }
    const moved = isNewRoot || after.distance !== before.distance || after.parent !== before.parent
    return tell || moved || counted ? this.#tellAll() : []
  }

  #elect(): Place {
    const now = this.#place
    const own = this.#asRoot()
    let best: Place | undefined
    for (const [peer, claim] of this.#claims) {
      if (claim === undefined || claim.root === this.#self || claim.rootKey > own.rootKey || claim.distance >= NO_DISTANCE - 1)
        continue
      if (claim.beat <= (this.#lost.get(claim.rootKey) ?? -1) || (best !== undefined && claim.rootKey > best.rootKey)) continue
      // Who is nearer than we are cannot hang below us; nor can news of the root, if we have no place (as in DSDV).
      const isNearer = claim.distance < now.distance && now.distance !== NO_DISTANCE
      if (claim.rootKey === now.rootKey && !isNearer && claim.beat <= now.beat) continue
      const { rootKey, root, client, beat } = claim
      const place = { rootKey, root, client, distance: claim.distance + 1, beat, parent: peer }
      if (best === undefined || rootKey < best.rootKey || isBetter(place, best, now.parent)) best = place
    }
    if (best !== undefined && best.rootKey <= now.rootKey) {
      const beat = best.rootKey === now.rootKey ? Math.max(best.beat, now.beat) : best.beat
      return { ...best, beat }
    }
    if (now.root === this.#self) return own
    // The root may be there still: until its next beat comes some way, all links are used.
    return { ...now, distance: NO_DISTANCE, parent: undefined }
  }

  /** Our place, for one neighbour. */
  beaconFor(peer: NodeId): GossipEffect {
    const { root, client, distance, beat, parent } = this.#place
    return { do: 'send', to: peer, message: { type: 'beacon', root, client, distance, beat, parent: parent === peer } }
  }

  #tellAll(): GossipEffect[] {
    return [...this.#claims.keys()].map((peer) => this.beaconFor(peer))
  }
}

/** Nearer; or as near, and the parent there was, so that a tree does not move without need. */
function isBetter(a: Place, b: Place, parent: NodeId | undefined): boolean {
  if (a.distance !== b.distance) return a.distance < b.distance
  return a.parent === parent
}

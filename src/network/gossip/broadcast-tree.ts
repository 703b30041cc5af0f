import type { NodeId } from '../../events/index.ts'
import { type EventName, WIRE_ITEMS_MAX } from '../wire.ts'
import type { EventId, GossipEffect } from './gossip-protocol.ts'
import { type SeenEvent, seenKey } from './seen-events.ts'
import type { SpanningTree } from './spanning-tree.ts'

// The broadcast tree (Plumtree: Leitao, Pereira, Rodrigues 2007, "Epidemic Broadcast Trees"): events are pushed over
// eager links; over the other, lazy ones only their names go. A copy that arrives over an eager link prunes it; a name
// whose event does not come in time grafts its link back, so the tree repairs itself. The links of the spanning tree
// (spanning-tree.ts) are eager whatever arrives; pruning and grafting is for the others, and for while there is no tree.

/**
 * After a push the next events wait this long, to go in one message: one event alone never waits, and of hundreds a second,
 * as when a partition has half of the members suspected, each link sees 20 messages a second.
 */
export const PUSH_GAP_MS = 50
/** Names wait this long, to go in one message. */
export const LAZY_FLUSH_MS = 200
/** A name's event is expected over the tree for this long before its link is grafted. */
export const GRAFT_AFTER_MS = 400
export const GRAFT_AGAIN_MS = 300
/** Names whose time comes within this of each other are asked for together. */
export const GRAFT_GAP_MS = 50
/** A prune that was lost is said again, at most this often. */
const PRUNE_AGAIN_MS = 1_000
/** Names that wait for a flush, and events that are missing; above it the oldest are left to anti-entropy. */
export const NAMES_MAX = 4_096
const SOURCES_MAX = 6
/** Bytes of events in one message: the limit of a message, less its frame. */
export const PUSH_BYTES_MAX = 60 * 1024

export type Pushed = SeenEvent & { readonly author: NodeId; readonly authorSeq: number; readonly first?: boolean }
/** `grafted`: pushed to although it is no link of the spanning tree. `eager`, `lazy`: events and names that wait. */
type Neighbour = { grafted: boolean; eager: Map<string, Pushed>; lazy: Map<string, EventName>; prunedAt: number }
type Missing = { name: EventName; sources: NodeId[]; askAt: number }

export class BroadcastTree {
  readonly #spanning: Pick<SpanningTree, 'pushesTo'>
  readonly #neighbours = new Map<NodeId, Neighbour>()
  readonly #missing = new Map<string, Missing>()
  #pushSet = false
  #flushSet = false
  #graftSet = false

  constructor(spanning: Pick<SpanningTree, 'pushesTo'>) {
    this.#spanning = spanning
  }

  has(peer: NodeId): boolean {
    return this.#neighbours.has(peer)
  }

  /** Names that wait for this neighbour. */
  backlog(peer: NodeId): number {
    return this.#neighbours.get(peer)?.lazy.size ?? 0
  }

  linkUp(peer: NodeId): void {
    this.#neighbours.set(peer, { grafted: false, eager: new Map(), lazy: new Map(), prunedAt: Number.NEGATIVE_INFINITY })
  }

  linkDown(peer: NodeId): void {
    this.#neighbours.delete(peer)
  }

  /**
   * Sends new events on: whole over eager links, by name over lazy ones, not back to where they came from.
   * `byNameOnly`: for events that came by anti-entropy, since others are likely to have them.
   */
  spread(events: readonly Pushed[], except: NodeId | undefined, byNameOnly = false): GossipEffect[] {
    const effects: GossipEffect[] = []
    const named = events.map((event) => {
      const { author, authorSeq, hops } = event
      return { key: seenKey(author, authorSeq), name: { author, authorSeq, hops }, event }
    })
    if (this.#missing.size > 0) for (const { key } of named) this.#missing.delete(key)
    for (const [peer, { eager, lazy }] of this.#neighbours) {
      if (peer === except) continue
      if (byNameOnly || !this.isEager(peer)) for (const { key, name } of named) bounded(lazy, NAMES_MAX).set(key, name)
      else if (this.#pushSet) for (const { key, event } of named) bounded(eager, NAMES_MAX).set(key, event)
      else effects.push(...inOrder(peer, events))
    }
    if (!this.#pushSet && effects.length > 0) {
      this.#pushSet = true
      effects.push({ do: 'wake', afterMs: PUSH_GAP_MS, timer: { name: 'push' } })
    }
    if (!this.#flushSet && [...this.#neighbours.values()].some(({ lazy }) => lazy.size > 0)) {
      this.#flushSet = true
      effects.push({ do: 'wake', afterMs: LAZY_FLUSH_MS, timer: { name: 'flush' } })
    }
    return effects
  }

  /** What has waited since the last push. */
  pushWaiting(): GossipEffect[] {
    const effects: GossipEffect[] = []
    for (const [peer, { eager }] of this.#neighbours) {
      if (eager.size === 0) continue
      effects.push(...inOrder(peer, [...eager.values()]))
      eager.clear()
    }
    this.#pushSet = effects.length > 0
    if (this.#pushSet) effects.push({ do: 'wake', afterMs: PUSH_GAP_MS, timer: { name: 'push' } })
    return effects
  }

  /** True if events are pushed to this neighbour. */
  isEager(peer: NodeId): boolean {
    return this.#spanning.pushesTo(peer) || this.#neighbours.get(peer)?.grafted === true
  }

  /** The sender pushed more copies than news: its link is not needed in the tree. */
  redundant(from: NodeId, now: number): GossipEffect[] {
    const neighbour = this.#neighbours.get(from)
    if (neighbour === undefined || this.#spanning.pushesTo(from) || now - neighbour.prunedAt < PRUNE_AGAIN_MS) return []
    neighbour.grafted = false
    neighbour.prunedAt = now
    return [{ do: 'send', to: from, message: { type: 'prune' } }]
  }

  pruned(from: NodeId): void {
    const neighbour = this.#neighbours.get(from)
    if (neighbour !== undefined) neighbour.grafted = false
  }

  /** @returns true if the sender is a neighbour, which now is eager */
  grafted(from: NodeId): boolean {
    const neighbour = this.#neighbours.get(from)
    if (neighbour !== undefined) neighbour.grafted = true
    return neighbour !== undefined
  }

  /** A neighbour has said that it holds these: it need not be told. */
  knownTo(peer: NodeId, names: readonly EventId[]): void {
    const neighbour = this.#neighbours.get(peer)
    if (neighbour === undefined || neighbour.lazy.size + neighbour.eager.size === 0) return
    for (const { author, authorSeq } of names) {
      const key = seenKey(author, authorSeq)
      neighbour.lazy.delete(key)
      neighbour.eager.delete(key)
    }
  }

  /** A neighbour holds this event and we do not: wait for it over the tree, then ask. */
  heard(from: NodeId, name: EventName, now: number): void {
    if (!this.#neighbours.has(from)) return
    const key = seenKey(name.author, name.authorSeq)
    const missing = this.#missing.get(key)
    if (missing === undefined) {
      bounded(this.#missing, NAMES_MAX).set(key, { name, sources: [from], askAt: now + GRAFT_AFTER_MS })
    } else if (missing.sources.length < SOURCES_MAX && !missing.sources.includes(from)) {
      missing.sources.push(from)
    }
  }

  /** The timer for what is missing, if it is not set yet. */
  graftWake(): GossipEffect[] {
    if (this.#graftSet || this.#missing.size === 0) return []
    this.#graftSet = true
    return [{ do: 'wake', afterMs: GRAFT_AFTER_MS, timer: { name: 'graft' } }]
  }

  flush(): GossipEffect[] {
    this.#flushSet = false
    const effects: GossipEffect[] = []
    for (const [peer, { lazy }] of this.#neighbours) {
      const names = [...lazy.values()]
      lazy.clear()
      for (let at = 0; at < names.length; at += WIRE_ITEMS_MAX) {
        effects.push({ do: 'send', to: peer, message: { type: 'have', names: names.slice(at, at + WIRE_ITEMS_MAX) } })
      }
    }
    return effects
  }

  /** Asks for what did not come, one source after the other; without a source left, anti-entropy brings it. */
  graft(now: number): GossipEffect[] {
    this.#graftSet = false
    const asked = new Map<NodeId, EventName[]>()
    let nextAt = Number.POSITIVE_INFINITY
    for (const [key, missing] of this.#missing) {
      if (missing.askAt > now) {
        nextAt = Math.min(nextAt, missing.askAt)
        continue
      }
      let source = missing.sources.shift()
      while (source !== undefined && !this.#neighbours.has(source)) source = missing.sources.shift()
      if (source === undefined) {
        this.#missing.delete(key)
        continue
      }
      missing.askAt = now + GRAFT_AGAIN_MS
      nextAt = Math.min(nextAt, missing.askAt)
      const names = asked.get(source) ?? []
      if (names.length < WIRE_ITEMS_MAX) names.push(missing.name)
      asked.set(source, names)
    }
    const effects: GossipEffect[] = []
    for (const [to, names] of asked) {
      this.grafted(to)
      effects.push({ do: 'send', to, message: { type: 'graft', names } })
    }
    if (this.#missing.size > 0) {
      this.#graftSet = true
      effects.push({ do: 'wake', afterMs: Math.max(GRAFT_GAP_MS, nextAt - now), timer: { name: 'graft' } })
    }
    return effects
  }
}

/** Verdicts in messages of their own, before the others. */
function inOrder(to: NodeId, events: readonly Pushed[]): GossipEffect[] {
  return [true, false].flatMap((urgent) =>
    pushes(
      to,
      events.filter(({ first = false }) => first === urgent),
      urgent,
    ),
  )
}

/** Push messages of these events, each within the limit of a message. */
export function pushes(to: NodeId, events: readonly SeenEvent[], urgent = false): GossipEffect[] {
  const effects: GossipEffect[] = []
  let batch: SeenEvent[] = []
  let bytes = 0
  const close = () => {
    if (batch.length > 0) effects.push({ do: 'send', to, message: { type: 'push', events: batch }, urgent })
    batch = []
    bytes = 0
  }
  for (const { event, hops } of events) {
    const size = event.body.length + event.signature.length + 16
    if (bytes + size > PUSH_BYTES_MAX) close()
    batch.push({ event, hops })
    bytes += size
  }
  close()
  return effects
}

/** Makes room for one more entry by forgetting the oldest. */
function bounded<V>(map: Map<string, V>, countMax: number): Map<string, V> {
  if (map.size >= countMax) {
    for (const oldest of map.keys()) {
      map.delete(oldest)
      break
    }
  }
  return map
}

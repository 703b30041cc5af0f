import type { Header, NodeId, SignedEvent } from '../../events/index.ts'
import type { Effect, Heard } from '../protocol.ts'
import type { GossipMessage } from '../wire.ts'

/** Names of the timers: of the broadcast tree, of anti-entropy, of the spanning tree, of what arrives, and of a log that fails. */
export type GossipTimer = {
  readonly name: 'push' | 'flush' | 'graft' | 'compare' | 'compare-soon' | 'beacon' | 'seen' | 'release' | 'resume'
}

export type GossipEffect = Effect<GossipMessage, GossipTimer>

export type EventId = { readonly author: NodeId; readonly authorSeq: number }

/** An event of ours, and the bytes that travel. */
export type OwnEvent = { readonly header: Pick<Header, 'author' | 'authorSeq' | 'kind'>; readonly event: SignedEvent }

/** What became of events of others that were to be stored. */
export type IngestOutcome = {
  /** Some were new, and are stored. */
  readonly took: boolean
  /** The log cannot be written. */
  readonly failed: boolean
  /** Those that are not stored now: another copy is welcome. */
  readonly notTaken: readonly EventId[]
}

/** All that can happen to the gossip of a node. */
export type GossipInput =
  | Heard<GossipMessage, GossipTimer>
  | { type: 'start' }
  /** Before a node stops: everything that is held back or waits, at once. */
  | { type: 'drain' }
  /** A link that gossip may use. */
  | { type: 'link-up'; peer: NodeId; initiator: boolean }
  | { type: 'link-down'; peer: NodeId }
  /** A member is dead or has left: the tree cannot be rooted in it. */
  | { type: 'member-gone'; member: NodeId }
  /** Own events that stand in the log now. */
  | { type: 'own-stored'; events: readonly OwnEvent[] }
  | ({ type: 'ingest-done' } & IngestOutcome)

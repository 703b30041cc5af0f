import type { Event } from './event.ts'
import type { Lamport, Millis, NodeId } from './ids.ts'

/**
 * Who an event is for. Each (author, stream) counts its own events from 1 without a gap, so that
 * "what am I missing of this author" is one number, and private events leave no holes in it.
 * `local`: stays on the node. `gossip`: every node ends with it. `index`: the owners of its keywords' partitions.
 */
export type Stream = 'local' | 'gossip' | 'index'

/** What is stored and travels: `body` is the exact bytes under `signature` (ed25519, 64 bytes). */
export type SignedEvent = { readonly body: Uint8Array; readonly signature: Uint8Array }

/** What the first bytes of a body say; read without decoding the payload. */
export type Header = {
  readonly version: number
  /** Number of the kind, see kinds.ts. */
  readonly kind: number
  readonly lamport: Lamport
  readonly author: NodeId
  readonly stream: Stream
  readonly authorSeq: number
  /** The author's claim of the time; shown, never used to order. */
  readonly at: Millis
}

/** An event as it stands in a log. `seq` is this log's own order, contiguous from 1. */
export type Envelope<E extends Event = Event> = Header & {
  readonly seq: number
  /** Of its payload as signed, in whatever version: what budgets count. */
  readonly payloadBytes: number
  readonly event: E
}

/** An event to be stamped, signed and appended by this node; its kind says in which stream (`streamOf` in kinds.ts). */
export type Draft = {
  readonly event: Event
  /** It stays here, though its kind travels: for a node that must say nothing to others. */
  readonly isPrivate?: boolean
}

/** What a body says besides its stamp and its author. */
export type UnsignedEvent = { readonly stream: Stream; readonly event: Event }

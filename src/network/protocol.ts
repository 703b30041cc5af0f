import type { Event, NodeId, QuarantineReason, SignedEvent } from '../events/index.ts'
import type { Endpoint } from './transport.ts'
import type { AuthorRange } from './wire.ts'

// What a protocol is: a state machine with one door. What happens goes in as data, what is to be done comes out as data, and
// what became of that goes in again. The shape is that of iroh-gossip's `proto::State::handle`.

/** What was wrong with one event, for the quarantine's entry. */
export type EventEvidence = { author: NodeId; authorSeq: number; lamport: number }

/** A timer of a protocol. There is one of each name, or one for each peer or probe that the name is `of`. */
export type Timer = { readonly name: string; readonly of?: NodeId | number }

/**
 * What a protocol wants done. A runtime carries it out (effects.ts) and tells what became of it (`Outcome`).
 * `send`: with `dial` a link is made where there is none, to that endpoint or by key alone, and with `lasting` it stays
 * and is used for gossip; `urgent` goes before others.
 * `append`: our own event, to be stamped and signed. `ingest`: somebody's events, checked, in the order to be stored.
 * `supply`: stored events of these ranges for a peer that lacks them. `wake`: calls back; a timer set again is moved.
 * `charge`: a peer misbehaved, once.
 * `member-gone`: a member is believed dead or has left; for the other protocols.
 */
export type Effect<M, T extends Timer = Timer> =
  | { do: 'send'; to: NodeId; message: M; dial?: Endpoint | 'by-key'; lasting?: boolean; urgent?: boolean }
  | { do: 'append'; event: Event }
  | { do: 'ingest'; events: readonly SignedEvent[] }
  | { do: 'supply'; to: NodeId; id: number; ranges: readonly AuthorRange[] }
  | { do: 'wake'; afterMs: number; timer: T }
  | { do: 'charge'; peer: NodeId; reason: QuarantineReason; event?: EventEvidence }
  | { do: 'member-gone'; member: NodeId }

/** What every protocol hears: a peer's message over a link, or that a timer is due. */
export type Heard<M, T extends Timer> = { type: 'message'; from: NodeId; message: M } | { type: 'timer'; timer: T } | Outcome<M>

/**
 * Why a message did not leave. `no-link`: none, and none was to be made. `queue-full`: the peer takes nothing; the link is lost.
 * `unreachable`: it was dialled in vain. `not-dialled`: this node did not dial it (too many dials under way, or it does not
 * link with this peer), which says nothing about the peer.
 */
export type SendFailure = 'no-link' | 'queue-full' | 'unreachable' | 'not-dialled'

/**
 * Why an event of ours was not stored. `unwritable`: the log cannot be written at present; the same event may be stored later.
 * `refused`: it never will be.
 */
export type AppendFailure = 'unwritable' | 'refused'

/** What became of an effect. That an event was stored is told by the log, to whoever wanted it and to all others. */
export type Outcome<M> =
  | { type: 'send-failed'; to: NodeId; message: M; why: SendFailure }
  | { type: 'append-failed'; event: Event; why: AppendFailure }

/** A state machine with no I/O, clock or randomness of its own. `now` is in ms. */
export interface Protocol<I, M, T extends Timer> {
  handle(input: I, now: number): readonly Effect<M, T>[]
}

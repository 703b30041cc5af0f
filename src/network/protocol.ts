import type { Event, NodeId, QuarantineReason, SignedEvent } from '../events/index.ts'
import type { Endpoint } from './transport.ts'
import type { AuthorRange } from './wire.ts'

/** What was wrong with one event, for the quarantine's entry. */
export type EventEvidence = { author: NodeId; authorSeq: number; lamport: number }

/**
 * What a protocol wants done, as data: a runtime carries it out (runtime.ts).
 * `send`: with `dial` a link is made where there is none, to that endpoint or by key alone, and with `lasting` it stays
 * and is used for gossip; `urgent` goes before others.
 * `append`: our own event, to be stamped and signed. `ingest`: somebody's events, checked, in the order to be stored.
 * `supply`: stored events of these ranges for a peer that lacks them. `wake`: calls back; a timer set again is moved.
 * `pass-over`: events that nobody can give us, not to be asked for again. `charge`: a peer misbehaved, once.
 */
export type Effect<M> =
  | { do: 'send'; to: NodeId; message: M; dial?: Endpoint | 'by-key'; lasting?: boolean; urgent?: boolean }
  | { do: 'append'; event: Event }
  | { do: 'ingest'; events: readonly SignedEvent[] }
  | { do: 'supply'; to: NodeId; id: number; ranges: readonly AuthorRange[] }
  | { do: 'pass-over'; ranges: readonly AuthorRange[] }
  | { do: 'wake'; afterMs: number; timer: string }
  | { do: 'charge'; peer: NodeId; reason: QuarantineReason; event?: EventEvidence }

/** A state machine with no I/O, clock or randomness of its own. `now` is in ms. */
export interface Protocol<M> {
  receive(from: NodeId, message: M, now: number): readonly Effect<M>[]
  wake(timer: string, now: number): readonly Effect<M>[]
}

import type { Event, NodeId, SignedEvent } from '../events/index.ts'

/**
 * What a protocol wants done, as data: a runtime carries it out (runtime.ts on a real node, test/sim in a simulation).
 * `append`: our own event, to be stamped and signed. `ingest`: somebody's event, checked, in the order to be stored.
 */
export type Effect<M> =
  | { do: 'send'; to: NodeId; message: M }
  | { do: 'append'; event: Event }
  | { do: 'ingest'; from: NodeId; events: readonly SignedEvent[] }
  | { do: 'wake'; afterMs: number; timer: string }
  | { do: 'charge'; peer: NodeId; reason: 'bad-signature' | 'malformed' | 'clock-jump' | 'flood' }

/** A state machine with no I/O, clock or randomness of its own. `now` is in ms. */
export interface Protocol<M> {
  receive(from: NodeId, message: M, now: number): readonly Effect<M>[]
  wake(timer: string, now: number): readonly Effect<M>[]
}

import type { Event, NodeId, QuarantineReason, SignedEvent, Timers } from '../events/index.ts'
import { NamedTimers } from './named-timers.ts'
import type { Effect, EventEvidence, Heard, Protocol, SendFailure, Timer } from './protocol.ts'
import type { AuthorRange, GossipMessage, MembershipMessage } from './wire.ts'

type ProtocolMessage = GossipMessage | MembershipMessage
type Send<M> = Extract<Effect<M>, { do: 'send' }>

/** Who carries out the effects that reach outside of a protocol. */
export type EffectParts = {
  now: () => number
  timers: Timers
  /** False before the start and after the end: no timer is set then. */
  isUp: () => boolean
  /** Runs this, and tells what it throws as a fault of ours. */
  guarded: (run: () => void) => void
  /** `onFailed` is called at most once, then or when a dial is over. */
  send: <M extends ProtocolMessage>(effect: Send<M>, onFailed: (effect: Send<M>, why: SendFailure) => void) => void
  append: (event: Event) => void
  ingest: (events: readonly SignedEvent[]) => void
  supply: (to: NodeId, order: { id: number; ranges: readonly AuthorRange[] }) => void
  charge: (peer: NodeId, reason: QuarantineReason, evidence: EventEvidence | undefined) => void
  memberGone: (member: NodeId) => void
}

/** The one door of a protocol from outside: feeds it inputs, and has done what it wants. */
export class ProtocolDriver<I, M extends ProtocolMessage, T extends Timer> {
  readonly #protocol: Protocol<I | Heard<M, T>, M, T>
  readonly #parts: EffectParts
  readonly #timers: NamedTimers<T>

  constructor(protocol: Protocol<I | Heard<M, T>, M, T>, parts: EffectParts) {
    this.#protocol = protocol
    this.#parts = parts
    this.#timers = new NamedTimers(parts.timers)
  }

  feed(input: I | Heard<M, T>): void {
    for (const effect of this.#protocol.handle(input, this.#parts.now())) this.#carryOut(effect)
  }

  readonly #sendFailed = ({ to, message }: Send<M>, why: SendFailure): void => {
    this.#parts.guarded(() => this.feed({ type: 'send-failed', to, message, why }))
  }

  /** No timer calls back any more. */
  stop(): void {
    this.#timers.clear()
  }

  #carryOut(effect: Effect<M, T>): void {
    const parts = this.#parts
    switch (effect.do) {
      case 'send':
        parts.send(effect, this.#sendFailed)
        break
      case 'append':
        parts.append(effect.event)
        break
      case 'ingest':
        parts.ingest(effect.events)
        break
      case 'supply':
        parts.supply(effect.to, effect)
        break
      case 'wake': {
        const { timer, afterMs } = effect
        if (parts.isUp()) this.#timers.set(timer, afterMs, () => parts.guarded(() => this.feed({ type: 'timer', timer })))
        break
      }
      case 'charge':
        parts.charge(effect.peer, effect.reason, effect.event)
        break
      case 'member-gone':
        parts.memberGone(effect.member)
    }
  }
}

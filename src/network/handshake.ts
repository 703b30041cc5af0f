import type { MemberAddress, NodeId, NodeRole, QuarantineReason, Timers } from '../events/index.ts'
import type { BookedLink, LinkBook } from './link-book.ts'
import { NamedTimers } from './named-timers.ts'
import type { LinkLoss } from './transport.ts'
import { type HelloMessage, WIRE_VERSION } from './wire.ts'

/** Interval of hellos until the peer's own has come, ms; a peer that says none in all these times speaks another language. */
const HELLO_EVERY_MS = 1_000
export const HELLOS_MAX = 4
/** An honest peer says four at most, of its own and as answers together; each may come twice. */
export const HELLOS_IN_MAX = 2 * HELLOS_MAX
const SOFTWARE_LENGTH_MAX = 128

export type HandshakeOptions = {
  links: LinkBook
  timers: Timers
  role: NodeRole
  software: string
  address: () => MemberAddress
  send: (to: NodeId, hello: HelloMessage) => void
  drop: (peer: NodeId, why: LinkLoss) => void
  charge: (peer: NodeId, reason: QuarantineReason) => void
  /** True if the network admits this node as one of this role. */
  mayBe: (peer: NodeId, role: NodeRole) => boolean
  /** The peer has said who it is, for the first time on this link. */
  onGreeted: (booked: BookedLink) => void
}

/** The hellos of both ends of a link, said again until each has heard the other's. */
export class Handshake {
  readonly #options: HandshakeOptions
  readonly #timers: NamedTimers<{ name: 'hello'; of: NodeId }>

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#timers = new NamedTimers(options.timers)
  }

  greet(booked: BookedLink): void {
    const { links, role, software, address, send, drop } = this.#options
    const { peer } = booked.link
    booked.hellosOut++
    send(peer, {
      ...{ type: 'hello', version: WIRE_VERSION, role, ...address(), software: software.slice(0, SOFTWARE_LENGTH_MAX) },
      transient: booked.transient,
      heard: booked.hello !== undefined,
    })
    this.#timers.set({ name: 'hello', of: peer }, HELLO_EVERY_MS, () => {
      if (links.get(peer) !== booked || booked.hello !== undefined) return
      if (booked.hellosOut < HELLOS_MAX) this.greet(booked)
      else drop(peer, 'timeout')
    })
  }

  receive(booked: BookedLink, hello: HelloMessage): void {
    const { drop, charge, mayBe, onGreeted } = this.#options
    const { peer } = booked.link
    booked.hellosIn++
    if (booked.hello !== undefined) {
      // Said again: ours was lost, or is late.
      if (booked.hellosIn > HELLOS_IN_MAX) charge(peer, 'flood')
      // Whoever stood still finds all that the peer has said meanwhile: that is not the peer's fault, and is answered as far
      // as there are hellos left.
      else if (!hello.heard && booked.hellosOut < HELLOS_MAX) this.greet(booked)
      return
    }
    if (hello.version !== WIRE_VERSION || !mayBe(peer, hello.role)) {
      drop(peer, 'malformed')
      return
    }
    booked.hello = hello
    booked.neighbour = !booked.transient && !hello.transient
    onGreeted(booked)
  }

  stop(): void {
    this.#timers.clear()
  }
}

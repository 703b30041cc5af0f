import type { CredentialFault, NodeId } from '../events/index.ts'
import type { BookedLink } from './link-book.ts'
import type { Overlay } from './overlay.ts'
import type { OverlayParts } from './overlay-parts.ts'
import { isUse } from './sender.ts'
import type { Link, LinkLoss, TransportEvents } from './transport.ts'
import { decodeWire, type HelloMessage, type WireMessage } from './wire.ts'

type LinksListener = Parameters<Overlay['onLinks']>[0]

/** What the transport tells, brought to the part that it concerns. */
export class LinkEvents implements TransportEvents {
  readonly #parts: OverlayParts
  readonly #listeners = new Set<LinksListener>()
  #rejected = 0

  constructor(parts: OverlayParts) {
    this.#parts = parts
  }

  /** Messages that could not be decoded. */
  get rejected(): number {
    return this.#rejected
  }

  onLinks(listener: LinksListener): () => void {
    const entry: LinksListener = (change) => listener(change)
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  linked(link: Link): void {
    this.#parts.guarded(() => this.#linked(link))
  }

  unlinked(peer: NodeId, why: LinkLoss): void {
    this.#parts.guarded(() => this.#unlinked(peer, why))
  }

  message(from: NodeId, bytes: Uint8Array): void {
    this.#parts.guarded(() => this.#message(from, bytes))
  }

  refused(peer: NodeId, why: CredentialFault, by: 'us' | 'peer'): void {
    this.#parts.guarded(() => this.#parts.onRefused?.(peer, why, by))
  }

  #linked(link: Link): void {
    const { links, offences, dialer, handshake, drop, now } = this.#parts
    if (offences.refuses(link.peer)) {
      drop(link.peer, 'malformed')
      return
    }
    // The transport may have replaced a dead link by a fresh one without our hearing of the first one's end.
    if (links.get(link.peer) !== undefined) this.#unlinked(link.peer, 'remote')
    const isTransient = dialer.takeTransient(link.peer) && link.initiator
    handshake.greet(links.up(link, isTransient, now()))
    links.settle(link.peer, true)
    this.#tell({ up: true, peer: link.peer })
  }

  #unlinked(peer: NodeId, why: LinkLoss): void {
    const { links, toGossip, toMembership, messenger, isUp } = this.#parts
    const booked = links.down(peer)
    if (booked === undefined) return
    toGossip.feed({ type: 'link-down', peer })
    messenger.linkDown(peer)
    // Whoever dialled for a short exchange closes the link in a moment: that says nothing about it.
    const isHint = why === 'timeout' || why === 'error' || (why === 'remote' && booked.hello?.transient !== true)
    toMembership.feed({ type: 'link-down', peer, isHint: isHint && isUp() })
    this.#tell({ up: false, peer, why })
  }

  #message(from: NodeId, bytes: Uint8Array): void {
    const { links, offences, handshake, isUp, now } = this.#parts
    const booked = links.get(from)
    if (booked === undefined || !isUp()) return
    const message = decodeWire(bytes)
    booked.messagesIn++
    if (message.type === 'rejected') {
      this.#rejected++
      if (message.rejected === 'malformed') offences.charge(from, 'malformed')
      return
    }
    booked.heardAt = now()
    if (isUse(message)) booked.usedAt = booked.heardAt
    if (message.type === 'hello') handshake.receive(booked, message)
    else this.#dispatch(from, booked, message)
  }

  #dispatch(from: NodeId, booked: BookedLink, message: Exclude<WireMessage, HelloMessage>): void {
    const { toGossip, toMembership, messenger } = this.#parts
    switch (message.type) {
      // Who is alive does not wait for a hello that may have been lost.
      case 'ping':
      case 'pong':
      case 'nack':
      case 'ping-request':
        toMembership.feed({ type: 'message', from, message })
        return
      case 'request':
      case 'response':
      case 'cancel':
        messenger.receive(from, message)
        return
      default:
        if (booked.neighbour) toGossip.feed({ type: 'message', from, message })
    }
  }

  #tell(change: Parameters<LinksListener>[0]): void {
    for (const listener of this.#listeners) this.#parts.guarded(() => listener(change))
  }
}

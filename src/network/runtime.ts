import type { Envelope, NodeId } from '../events/index.ts'
import { EventRates, SAMPLE_EVERY_MS } from './event-rates.ts'
import { LinkEvents } from './link-events.ts'
import { isMemberEvent, type Member } from './membership/member-table.ts'
import { NamedTimers } from './named-timers.ts'
import type { Overlay, OverlayStatus, RequestHandler, RequestOptions } from './overlay.ts'
import type { OverlayOptions, OverlayRuntime } from './overlay-options.ts'
import { createParts, type OverlayParts } from './overlay-parts.ts'

// The runtime: starts and stops the parts of an overlay (overlay-parts.ts), brings the protocols what the log and the transport
// tell, and answers what the roles ask.

/** For the goodbye to leave the machine. */
const GOODBYE_MS = 50

export function createOverlay(options: OverlayOptions): OverlayRuntime {
  return new Runtime(options)
}

class Runtime implements OverlayRuntime {
  readonly self: NodeId
  readonly #options: OverlayOptions
  readonly #parts: OverlayParts
  readonly #linkEvents: LinkEvents
  readonly #timers: NamedTimers<{ name: 'rates' }>
  readonly #rates = new EventRates()
  #state: 'new' | 'up' | 'stopped' = 'new'
  #stopping: Promise<void> | undefined
  #unlisten: (() => void) | undefined

  constructor(options: OverlayOptions) {
    this.self = options.transport.self
    this.#options = options
    this.#parts = createParts(options, () => this.#state === 'up')
    this.#linkEvents = new LinkEvents(this.#parts)
    this.#timers = new NamedTimers(options.timers)
  }

  get incarnation(): number {
    return this.#parts.membership.incarnation
  }

  members(): readonly Member[] {
    return [...this.#parts.membership.members(this.#parts.now())]
  }

  member(id: NodeId): Member | undefined {
    return this.#parts.membership.member(id, this.#parts.now())
  }

  isSeenAlive(peer: NodeId): boolean {
    return this.#parts.membership.isSeenAlive(peer, this.#parts.now())
  }

  roundTripMs(peer: NodeId): number | undefined {
    return this.#parts.membership.roundTripMs(peer)
  }

  request(to: NodeId, method: string, body: Uint8Array, options?: RequestOptions): Promise<Uint8Array> {
    return this.#parts.messenger.request(to, method, body, options)
  }

  serve(method: string, handler: RequestHandler): void {
    this.#parts.messenger.serve(method, handler)
  }

  ban(peer: NodeId): void {
    this.#options.transport.ban(peer)
  }

  unban(peer: NodeId): void {
    this.#options.transport.unban(peer)
  }

  onLinks(listener: Parameters<Overlay['onLinks']>[0]): () => void {
    return this.#linkEvents.onLinks(listener)
  }

  status(): OverlayStatus {
    const { gossip, membership, offences, links, now } = this.#parts
    const { eventsIn, duplicates, rejected } = gossip.counts
    const eventsOut = this.#eventsOut
    const rates = this.#rates.perSecond(now(), eventsIn, eventsOut)
    return {
      links: [...links.all()].map(({ link, hello, messagesIn, messagesOut }) => ({
        ...link,
        role: hello?.role,
        roundTripMs: membership.roundTripMs(link.peer),
        messagesIn,
        messagesOut,
        backlog: gossip.backlog(link.peer),
        view: gossip.view(link.peer),
      })),
      eventsIn,
      eventsOut,
      eventsInPerSecond: rates.in,
      eventsOutPerSecond: rates.out,
      duplicates,
      rejected: rejected + this.#linkEvents.rejected,
      heldBack: gossip.heldBack,
      quarantined: offences.count,
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'new') throw new Error('an overlay starts once')
    this.#state = 'up'
    const { transport, log, members = [] } = this.#options
    const { toGossip, toMembership, maintenance, offences, guarded } = this.#parts
    for (const { id, role, host, port, dhtPort, incarnation = 0, state = 'alive' } of members) {
      const member = { id, role, address: { host, port, dhtPort }, incarnation, state }
      toMembership.feed({ type: 'remember', member })
    }
    this.#unlisten = log.onAppended((envelopes) => guarded(() => this.#stored(envelopes)))
    transport.listen(this.#linkEvents)
    toGossip.feed({ type: 'start' })
    try {
      await transport.start(signal)
    } catch (error) {
      this.#close()
      throw error
    }
    if (this.#stopping !== undefined) return
    toMembership.feed({ type: 'start' })
    maintenance.start()
    offences.start()
    this.#sampleRates()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#sayGoodbye()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** Events stand in the log now: a member event is an input, whoever said it, and an own event is one for the gossip. */
  #stored(envelopes: readonly Envelope[]): void {
    const { bridge, toMembership } = this.#parts
    const own = envelopes.filter(({ author, stream }) => author === this.self && stream === 'gossip')
    if (own.length > 0) bridge.publish(own)
    for (const { author, stream, event, lamport } of envelopes) {
      if (stream === 'gossip' && isMemberEvent(event)) toMembership.feed({ type: 'stored', author, event, lamport })
    }
  }

  #sampleRates(): void {
    this.#rates.sample(this.#parts.now(), this.#parts.gossip.counts.eventsIn, this.#eventsOut)
    this.#timers.set({ name: 'rates' }, SAMPLE_EVERY_MS, () => this.#sampleRates())
  }

  get #eventsOut(): number {
    return this.#parts.gossip.counts.eventsOut + this.#parts.supplier.supplied
  }

  async #sayGoodbye(): Promise<void> {
    const { toGossip, toMembership, offences, bridge, links, guarded } = this.#parts
    if (this.#state === 'up') {
      guarded(() => toMembership.feed({ type: 'leave' }))
      guarded(() => offences.tell())
      guarded(() => toGossip.feed({ type: 'drain' }))
      await bridge.settled()
      guarded(() => toGossip.feed({ type: 'drain' }))
      if (links.neighbourCount > 0) {
        await new Promise<void>((resolve) => this.#options.timers.after(GOODBYE_MS, resolve))
      }
    }
    this.#close()
    await this.#options.transport[Symbol.asyncDispose]()
  }

  #close(): void {
    const { toGossip, toMembership, handshake, dialer, maintenance, offences, messenger } = this.#parts
    this.#state = 'stopped'
    this.#unlisten?.()
    this.#timers.clear()
    for (const part of [toGossip, toMembership, handshake, dialer, maintenance, offences, messenger]) part.stop()
  }
}

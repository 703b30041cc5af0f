import type { Envelope, EventLog, MemberAddress, NodeId, QuarantineReason } from '../events/index.ts'
import { Dialer } from './dialer.ts'
import { EventRates, SAMPLE_EVERY_MS } from './event-rates.ts'
import { Gossip } from './gossip/gossip.ts'
import { type BookedLink, LinkBook } from './link-book.ts'
import { LinkCare } from './link-care.ts'
import { LogBridge } from './log-bridge.ts'
import { isMemberEvent, type Member } from './membership/member-table.ts'
import { Membership } from './membership/membership.ts'
import { Messenger } from './messenger.ts'
import { Misconduct, QUARANTINE_EVERY_MS } from './misconduct.ts'
import { NamedTimers } from './named-timers.ts'
import type { Overlay, OverlayStatus, RequestHandler, RequestOptions } from './overlay.ts'
import type { OverlayOptions, OverlayRuntime } from './overlay-options.ts'
import type { Effect, EventEvidence } from './protocol.ts'
import { Supplier } from './supplier.ts'
import type { Endpoint, Link, LinkLoss, Transport } from './transport.ts'
import {
  decodeWire,
  encodeWire,
  type GossipMessage,
  type HelloMessage,
  type MembershipMessage,
  WIRE_VERSION,
  type WireMessage,
} from './wire.ts'

// The runtime: carries out what the protocols want, and brings them what happens. The only part of the network that
// holds the log, the transport and the timers at once.

/** A hello is said again until the peer's own has come; a peer that says none in all these times speaks another language. */
const HELLO_EVERY_MS = 1_000
const HELLOS_MAX = 4
/** For the goodbye to leave the machine. */
const GOODBYE_MS = 50

export function createOverlay(options: OverlayOptions): OverlayRuntime {
  return new Runtime(options)
}

type AnyEffect = Effect<GossipMessage> | Effect<MembershipMessage>
type LinksListener = Parameters<Overlay['onLinks']>[0]

class Runtime implements OverlayRuntime {
  readonly self: NodeId
  readonly #options: OverlayOptions
  readonly #transport: Transport
  readonly #log: EventLog
  readonly #gossip: Gossip
  readonly #membership: Membership
  readonly #messenger: Messenger
  readonly #supplier: Supplier
  readonly #bridge: LogBridge
  readonly #dialer: Dialer
  readonly #linkCare: LinkCare
  readonly #timers: NamedTimers
  readonly #links = new LinkBook()
  readonly #misconduct = new Misconduct()
  readonly #listeners = new Set<LinksListener>()
  #state: 'new' | 'up' | 'stopped' = 'new'
  readonly #rates = new EventRates()
  #rejected = 0
  #quarantined = 0
  #stopping: Promise<void> | undefined
  #unlisten: (() => void) | undefined

  constructor(options: OverlayOptions) {
    const { transport, log, verify, rules, random, role, incarnation, timers } = options
    this.#options = options
    this.self = transport.self
    this.#transport = transport
    this.#log = log
    this.#timers = new NamedTimers(timers)
    this.#gossip = new Gossip({ self: this.self, isClient: role === 'client', held: log, verify, rules, random })
    this.#membership = new Membership({
      self: this.self,
      role,
      incarnation,
      random,
      address: () => this.#address(),
      isLinked: (peer) => this.#links.get(peer) !== undefined,
    })
    this.#messenger = new Messenger({
      timers,
      send: (to, message) => this.#send(to, message),
      connect: (to) => this.#connect(to, this.#endpointOf(to)),
    })
    this.#supplier = new Supplier(log, (to, message) => this.#send(to, message))
    this.#bridge = new LogBridge({
      log,
      onOwn: (events) => this.#guarded(() => this.#carryOut(this.#gossip.publish(events))),
      onNotTaken: (author, authorSeq) => this.#gossip.notTaken(author, authorSeq),
      onFailed: () => this.#guarded(() => this.#carryOut(this.#gossip.logFailed())),
      onTook: () => this.#guarded(() => this.#carryOut(this.#gossip.logTook(this.#now()))),
      onNotice: (text) => this.#notice(text),
    })
    this.#dialer = new Dialer({
      transport,
      links: this.#links,
      timers: this.#timers,
      onNotice: (text) => this.#notice(text),
    })
    this.#linkCare = new LinkCare({
      links: this.#links,
      timers: this.#timers,
      random,
      now: () => this.#now(),
      members: () => this.members().filter(({ id }) => id !== this.self),
      connect: (to) => void this.#connect(to, this.#endpointOf(to)),
      drop: (peer) => this.#transport.drop(peer, 'stopped'),
    })
  }

  get incarnation(): number {
    return this.#membership.incarnation
  }

  get eagerCount(): number {
    return this.#gossip.eagerCount
  }

  members(): readonly Member[] {
    return [...this.#membership.members()]
  }

  member(id: NodeId): Member | undefined {
    return this.#membership.member(id)
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#state !== 'new') throw new Error('an overlay starts once')
    this.#state = 'up'
    const now = this.#now()
    for (const { id, role, host, port, dhtPort, incarnation = 0, state = 'alive' } of this.#options.members ?? []) {
      this.#carryOut(this.#membership.remember({ id, role, address: { host, port, dhtPort }, incarnation, state }, now))
    }
    this.#unlisten = this.#log.onAppended((envelopes) => this.#guarded(() => this.#appended(envelopes)))
    this.#transport.listen({
      linked: (link) => this.#guarded(() => this.#linked(link)),
      unlinked: (peer, why) => this.#guarded(() => this.#unlinked(peer, why)),
      refused: (peer, why, by) => this.#guarded(() => this.#options.onRefused?.(peer, why, by)),
      message: (from, bytes) => this.#guarded(() => this.#message(from, bytes)),
    })
    this.#carryOut(this.#gossip.start())
    try {
      await this.#transport.start(signal)
    } catch (error) {
      this.#close()
      throw error
    }
    if (this.#stopping !== undefined) return
    this.#carryOut(this.#membership.start())
    this.#linkCare.start()
    this.#flushQuarantine()
    this.#sampleRates()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#sayGoodbye()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  status(): OverlayStatus {
    const { eventsIn, duplicates, rejected } = this.#gossip.counts
    const rates = this.#rates.perSecond(this.#now(), eventsIn, this.#eventsOut)
    return {
      links: [...this.#links.all()].map(({ link, hello, messagesIn, messagesOut }) => ({
        ...link,
        role: hello?.role,
        roundTripMs: this.#membership.roundTripMs(link.peer),
        messagesIn,
        messagesOut,
        backlog: this.#gossip.backlog(link.peer),
        view: this.#gossip.view(link.peer),
      })),
      eventsIn,
      eventsOut: this.#eventsOut,
      eventsInPerSecond: rates.in,
      eventsOutPerSecond: rates.out,
      duplicates,
      rejected: rejected + this.#rejected,
      heldBack: this.#gossip.heldBack,
      quarantined: this.#quarantined,
    }
  }

  roundTripMs(peer: NodeId): number | undefined {
    return this.#membership.roundTripMs(peer)
  }

  request(to: NodeId, method: string, body: Uint8Array, options?: RequestOptions): Promise<Uint8Array> {
    return this.#messenger.request(to, method, body, options)
  }

  serve(method: string, handler: RequestHandler): void {
    this.#messenger.serve(method, handler)
  }

  ban(peer: NodeId): void {
    this.#transport.ban(peer)
  }

  unban(peer: NodeId): void {
    this.#transport.unban(peer)
  }

  onLinks(listener: LinksListener): () => void {
    const entry: LinksListener = (change) => listener(change)
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  #now(): number {
    return this.#options.clock.now()
  }

  #notice(text: string): void {
    this.#options.onNotice?.(text)
  }

  /** Nothing that a peer sends may throw out of a handler; what does is a bug of ours, and is said. */
  #guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#notice(`a fault in the network layer: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }

  #address(): MemberAddress {
    const { advertise = {} } = this.#options
    const { host = '', port = 0 } = this.#transport.endpoint ?? {}
    return { host, port, dhtPort: 0, ...(typeof advertise === 'function' ? advertise() : advertise) }
  }

  #endpointOf(peer: NodeId): Endpoint | undefined {
    const address = this.#membership.member(peer)?.address
    return address !== undefined && address.port > 0 ? { host: address.host, port: address.port } : undefined
  }

  // What happens.

  #linked(link: Link): void {
    const now = this.#now()
    if (this.#misconduct.refuses(link.peer, now)) {
      this.#transport.drop(link.peer, 'malformed')
      return
    }
    // The transport may have replaced a dead link by a fresh one without our hearing of the first one's end.
    if (this.#links.get(link.peer) !== undefined) this.#unlinked(link.peer, 'remote')
    const booked = this.#links.up(link, this.#dialer.takeTransient(link.peer) && link.initiator, now)
    this.#greet(booked)
    this.#links.settle(link.peer, true)
    this.#tell({ up: true, peer: link.peer })
  }

  #greet(booked: BookedLink): void {
    const { peer } = booked.link
    booked.hellosOut++
    this.#send(peer, {
      type: 'hello',
      version: WIRE_VERSION,
      role: this.#options.role,
      ...this.#address(),
      software: this.#options.software.slice(0, 128),
      transient: booked.transient,
      heard: booked.hello !== undefined,
    })
    this.#timers.set(`hello ${peer}`, HELLO_EVERY_MS, () => {
      if (this.#links.get(peer) !== booked || booked.hello !== undefined) return
      if (booked.hellosOut < HELLOS_MAX) this.#guarded(() => this.#greet(booked))
      else this.#transport.drop(peer, 'timeout')
    })
  }

  #unlinked(peer: NodeId, why: LinkLoss): void {
    const booked = this.#links.down(peer)
    if (booked === undefined) return
    this.#carryOut(this.#gossip.linkDown(peer, this.#now()))
    this.#messenger.linkDown(peer)
    // Whoever dialled for a short exchange closes the link in a moment: that says nothing about it.
    const isHint = why === 'timeout' || why === 'error' || (why === 'remote' && booked.hello?.transient !== true)
    if (this.#state === 'up' && isHint) this.#membership.linkLost(peer)
    this.#tell({ up: false, peer, why })
  }

  #tell(change: Parameters<LinksListener>[0]): void {
    for (const listener of this.#listeners) this.#guarded(() => listener(change))
  }

  #message(from: NodeId, bytes: Uint8Array): void {
    const booked = this.#links.get(from)
    if (booked === undefined || this.#state !== 'up') return
    const now = this.#now()
    const message = decodeWire(bytes)
    booked.messagesIn++
    if (message.type === 'rejected') {
      this.#rejected++
      if (message.rejected === 'malformed') this.#charge(from, 'malformed', undefined)
      return
    }
    if (isUse(message)) booked.usedAt = now
    if (message.type === 'hello') {
      this.#greeted(booked, message, now)
    } else {
      this.#dispatch(from, booked, message, now)
    }
  }

  #dispatch(from: NodeId, booked: BookedLink, message: Exclude<WireMessage, HelloMessage>, now: number): void {
    switch (message.type) {
      // Who is alive does not wait for a hello that may have been lost.
      case 'ping':
      case 'pong':
      case 'nack':
      case 'ping-request':
        this.#carryOut(this.#membership.receive(from, message, now))
        return
      case 'request':
      case 'response':
      case 'cancel':
        this.#messenger.receive(from, message)
        return
      default:
        if (booked.neighbour) this.#carryOut(this.#gossip.receive(from, message, now))
    }
  }

  #greeted(booked: BookedLink, hello: HelloMessage, now: number): void {
    const { peer, initiator } = booked.link
    if (booked.hello !== undefined) {
      // Said again: ours was lost, or is late.
      if (hello.heard) return
      if (booked.hellosOut < HELLOS_MAX) this.#greet(booked)
      else this.#charge(peer, 'flood', undefined)
      return
    }
    const isWhatItSays = this.#options.rules.mayBe(peer, hello.role)
    if (hello.version !== WIRE_VERSION || !isWhatItSays) {
      this.#transport.drop(peer, 'malformed')
      return
    }
    booked.hello = hello
    if (!booked.transient && !hello.transient) {
      booked.neighbour = true
      this.#carryOut(this.#gossip.linkUp(peer, initiator, now))
    }
    this.#carryOut(this.#membership.linkUp(peer, now))
  }

  #appended(envelopes: readonly Envelope[]): void {
    const now = this.#now()
    const own = envelopes.filter(({ author, stream }) => author === this.self && stream === 'gossip')
    if (own.length > 0) this.#bridge.publish(own)
    for (const { author, stream, event } of envelopes) {
      if (stream !== 'gossip' || !isMemberEvent(event)) continue
      this.#carryOut(this.#membership.observe(author, event, now))
      const state = this.#membership.member(event.subject)?.state
      if (state === 'dead' || state === 'left') this.#carryOut(this.#gossip.memberGone(event.subject, now))
    }
    const { onIngested } = this.#options
    if (onIngested === undefined) return
    const foreign = envelopes.filter(({ author }) => author !== this.self)
    if (foreign.length > 0) onIngested(foreign)
  }

  // What is wanted.

  #carryOut(effects: readonly AnyEffect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'send':
          this.#sendOrDial(effect)
          break
        case 'append':
          this.#bridge.append(effect.event)
          break
        case 'ingest':
          this.#bridge.ingest(effect.events)
          break
        case 'supply':
          this.#supplier.order(effect.to, effect)
          break
        case 'pass-over':
          this.#log.passOver?.(effect.ranges)
          break
        case 'wake':
          if (this.#state === 'up')
            this.#timers.set(effect.timer, effect.afterMs, () => this.#guarded(() => this.#wake(effect.timer)))
          break
        case 'charge':
          this.#charge(effect.peer, effect.reason, effect.event)
      }
    }
  }

  #wake(timer: string): void {
    const now = this.#now()
    this.#carryOut(timer.startsWith('gossip-') ? this.#gossip.wake(timer, now) : this.#membership.wake(timer, now))
  }

  #send(to: NodeId, message: WireMessage, urgent?: boolean): boolean {
    const booked = this.#links.get(to)
    return booked !== undefined && this.#sendOver(booked, message, urgent)
  }

  #sendOver(booked: BookedLink, message: WireMessage, urgent = isAboutLife(message)): boolean {
    booked.messagesOut++
    if (isUse(message)) booked.usedAt = this.#now()
    return this.#transport.send(booked.link.peer, encodeWire(message), urgent)
  }

  #sendOrDial({ to, message, dial, lasting, urgent }: Extract<AnyEffect, { do: 'send' }>): void {
    const booked = this.#links.get(to)
    if (booked !== undefined) this.#sendOver(booked, message, urgent)
    if (booked !== undefined || dial === undefined) return
    void this.#connect(to, dial === 'by-key' ? undefined : dial, lasting).then((linked) => {
      if (linked) this.#guarded(() => this.#send(to, message, urgent))
    })
  }

  /** A link to the peer. Never rejects. */
  #connect(to: NodeId, endpoint: Endpoint | undefined, lasting = false): Promise<boolean> {
    if (this.#state !== 'up' || to === this.self || this.#misconduct.refuses(to, this.#now())) return Promise.resolve(false)
    return this.#dialer.connect(to, endpoint, lasting)
  }

  #charge(peer: NodeId, reason: QuarantineReason, evidence: EventEvidence | undefined): void {
    this.#quarantined++
    this.#options.onQuarantined?.(peer, reason)
    const entry = this.#misconduct.quarantine(peer, reason, evidence)
    if (entry !== undefined) this.#bridge.append(entry)
    if (!this.#misconduct.charge(peer, reason, this.#now())) return
    this.#transport.drop(peer, reason === 'flood' ? 'flood' : 'malformed')
  }

  // What is done regularly.

  #flushQuarantine(): void {
    for (const entry of this.#misconduct.flush()) this.#bridge.append(entry)
    this.#timers.set('quarantine', QUARANTINE_EVERY_MS, () => this.#guarded(() => this.#flushQuarantine()))
  }

  #sampleRates(): void {
    this.#rates.sample(this.#now(), this.#gossip.counts.eventsIn, this.#eventsOut)
    this.#timers.set('rates', SAMPLE_EVERY_MS, () => this.#sampleRates())
  }

  get #eventsOut(): number {
    return this.#gossip.counts.eventsOut + this.#supplier.supplied
  }

  // The end.

  async #sayGoodbye(): Promise<void> {
    if (this.#state === 'up') {
      this.#guarded(() => this.#carryOut(this.#membership.leave()))
      this.#guarded(() => {
        for (const entry of this.#misconduct.flush()) this.#bridge.append(entry)
      })
      this.#guarded(() => this.#carryOut(this.#gossip.drain()))
      await this.#bridge.settled()
      this.#guarded(() => this.#carryOut(this.#gossip.drain()))
      if (this.#links.neighbourCount > 0) {
        await new Promise<void>((resolve) => this.#options.timers.after(GOODBYE_MS, resolve))
      }
    }
    this.#close()
    await this.#transport[Symbol.asyncDispose]()
  }

  #close(): void {
    this.#state = 'stopped'
    this.#unlisten?.()
    this.#timers.clear()
    this.#messenger.stop()
  }
}

/** What keeps a link open that was dialled for a short exchange: without pings it would be closed in the midst of a probe. */
const isUse = (message: WireMessage): boolean =>
  message.type === 'request' || message.type === 'response' || message.type === 'push' || isAboutLife(message)

/** Who is alive is asked and answered before anything else: a late answer looks like none. */
const isAboutLife = ({ type }: WireMessage): boolean =>
  type === 'ping' || type === 'pong' || type === 'nack' || type === 'ping-request'

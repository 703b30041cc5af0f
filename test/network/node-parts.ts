import assert from 'node:assert/strict'
import type { EventLog, Millis, NodeId } from '../../src/events/index.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import { LinkEvents } from '../../src/network/link-events.ts'
import type { OverlayOptions } from '../../src/network/overlay-options.ts'
import { createParts, type OverlayParts } from '../../src/network/overlay-parts.ts'
import { MemoryNetwork, type MemoryTransport } from '../../src/network/transport.memory.ts'
import type { Endpoint, LinkLoss, TransportEvents } from '../../src/network/transport.ts'
import { decodeWire, encodeWire, WIRE_VERSION, type WireMessage } from '../../src/network/wire.ts'
import { noUpcast, signerOf } from '../events/samples.ts'
import { verifySignature } from '../events/test-network.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { OPEN_RULES } from './open-rules.ts'

/** How long a message takes one way, ms. */
export const LATENCY_MS = 5

/** A bare transport that links with a node, and says what a test wants. */
export class BarePeer {
  readonly transport: MemoryTransport
  readonly heard: WireMessage[] = []
  readonly lost: LinkLoss[] = []
  readonly #node: NodeParts

  constructor(node: NodeParts, number: number) {
    this.#node = node
    this.transport = node.network.create(signerOf(number).id, { host: '10.0.0.2', port: number })
    this.transport.listen({
      linked: () => {},
      unlinked: (_, why) => this.lost.push(why),
      refused: () => {},
      message: (_, bytes) => {
        const message = decodeWire(bytes)
        if (message.type !== 'rejected') this.heard.push(message)
      },
    })
    void this.transport.start(new AbortController().signal)
  }

  get id(): NodeId {
    return this.transport.self
  }

  async link(): Promise<void> {
    await this.#node.time.wait(this.transport.dial(this.#node.self))
    await this.#node.time.advance(LATENCY_MS)
  }

  async says(...messages: readonly (WireMessage | Uint8Array)[]): Promise<void> {
    for (const message of messages)
      this.transport.send(this.#node.self, message instanceof Uint8Array ? message : encodeWire(message))
    await this.#node.time.advance(2 * LATENCY_MS)
  }

  greets(transient = false): Promise<void> {
    const hello = { type: 'hello', version: WIRE_VERSION, role: 'index', host: '', port: 0, dhtPort: 0 } as const
    return this.says({ ...hello, software: 'bare', transient, heard: true })
  }

  /** What it heard of one kind. */
  got<T extends WireMessage['type']>(type: T): Extract<WireMessage, { type: T }>[] {
    return this.heard.filter((message): message is Extract<WireMessage, { type: T }> => message.type === type)
  }
}

/** All parts of a node, on a virtual clock and network, with a log in memory; nothing starts by itself. */
export class NodeParts {
  readonly time = new VirtualTime()
  readonly network: MemoryNetwork
  readonly log: EventLog
  readonly transport: MemoryTransport
  readonly parts: OverlayParts
  readonly linkEvents: LinkEvents
  /** What the node was to dial, and where. */
  readonly dials: { peer: NodeId; endpoint: Endpoint | undefined }[] = []
  readonly notices: string[] = []
  isUp = true

  constructor(options: Partial<OverlayOptions> = {}) {
    const { time } = this
    this.network = new MemoryNetwork({ clock: time, timers: time, random: () => 0.5, latencyMs: () => LATENCY_MS })
    this.log = openMemoryLog({ signer: signerOf(1), clock: time, upcast: noUpcast })
    this.transport = this.network.create(this.log.author, { host: '10.0.0.1', port: 1 })
    const dial = this.transport.dial.bind(this.transport)
    this.transport.dial = (peer, endpoint) => {
      this.dials.push({ peer, endpoint })
      return dial(peer, endpoint)
    }
    this.parts = createParts(
      {
        ...{ role: 'index', software: 'test', incarnation: 1, transport: this.transport, log: this.log, appender: this.log },
        ...{ verify: verifySignature, rules: OPEN_RULES, clock: time, timers: time, random: () => 0.5 },
        onNotice: (text) => this.notices.push(text),
        ...options,
      },
      () => this.isUp,
    )
    this.linkEvents = new LinkEvents(this.parts)
    // Whoever drops a link or is dropped hears of it as a runtime does.
    const events: TransportEvents = this.linkEvents
    this.transport.listen(events)
  }

  get self(): NodeId {
    return this.log.author
  }

  get now(): Millis {
    return this.time.now()
  }

  async start(): Promise<void> {
    await this.transport.start(new AbortController().signal)
  }

  /** A peer that is linked, and has greeted unless told not to. */
  async peer(number: number, greets = true): Promise<BarePeer> {
    const peer = new BarePeer(this, number)
    await peer.link()
    if (greets) await peer.greets()
    return peer
  }

  /** Somebody's word about a member, as if it stood in the log. */
  remembers(id: NodeId, endpoint: Endpoint, state: 'alive' | 'dead' = 'alive'): void {
    const member = { id, role: 'index', address: { ...endpoint, dhtPort: 0 }, state, incarnation: 1 } as const
    this.parts.toMembership.feed({ type: 'remember', member })
  }

  async ownEvents<K extends string>(kind: K) {
    const events = []
    for await (const { event } of this.log.read()) if (event.kind === kind) events.push(event)
    return events
  }

  /** Ends with no fault told. */
  sound(): void {
    assert.deepEqual(this.notices, [])
  }
}

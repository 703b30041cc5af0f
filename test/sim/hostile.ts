import {
  type Event,
  type Lamport,
  type Millis,
  type NodeId,
  type NodeRole,
  type SignedEvent,
  signEvent,
  type UnsignedEvent,
} from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import type { MemoryTransport } from '../../src/network/transport.memory.ts'
import { decodeWire, encodeWire, SUMMARY_BUCKETS, WIRE_VERSION, type WireMessage } from '../../src/network/wire.ts'
import { TEST_NETWORK } from '../events/test-network.ts'
import { type SimNode, type Simulation, torrentEvent } from './simulation.ts'

const SEQ_MAX = Number.MAX_SAFE_INTEGER
/** How far it pushes the clock at a time, where that is let through. */
const PUSH = 2 ** 16

/**
 * A node that was admitted and has turned. It is found and linked as others are, answers pings, and passes nothing on. In
 * turns it accuses members, promises events of others and calls them gone, signs two events with one number, and stamps its own
 * far ahead; what it promised of its own it does not give.
 */
export class Hostile {
  readonly id: NodeId
  readonly role: NodeRole
  readonly transport: MemoryTransport
  readonly #sim: Simulation
  readonly #signer: ReturnType<typeof signerFromSeed>
  readonly #random: () => number
  #authorSeq = 0

  constructor(sim: Simulation, role: NodeRole, number: number, random: () => number) {
    this.#sim = sim
    this.#random = random
    const key = new Uint8Array(32).fill(0xdd)
    new DataView(key.buffer).setUint32(0, number)
    this.#signer = signerFromSeed(key, TEST_NETWORK)
    this.id = this.#signer.id
    this.role = role
    if (role === 'client') sim.clientKeys.add(this.id)
    this.transport = sim.network.create(this.id, { host: '10.9.9.9', port: number + 1 })
    this.transport.listen({
      linked: ({ peer }) => this.#greet(peer),
      unlinked: () => {},
      refused: () => {},
      message: (from, bytes) => this.#received(from, bytes),
    })
  }

  async start(): Promise<void> {
    await this.transport.start(new AbortController().signal)
    if (this.role === 'client') return
    const address = { host: '10.9.9.9', port: 9, dhtPort: 0 }
    this.#push([this.#event({ kind: 'member.alive', subject: this.id, incarnation: 1, role: this.role, ...address })])
  }

  /** @param victims members that it accuses in this turn */
  act(victims: readonly SimNode[]): void {
    this.#accuse(victims)
    this.#promise()
    this.#equivocate()
    this.#jump()
  }

  #accuse(victims: readonly SimNode[]): void {
    for (const victim of victims) {
      const { incarnation } = victim.overlay
      for (const ahead of [0, 1, 2]) {
        const word = { subject: victim.id, incarnation: incarnation + ahead, role: victim.role } as const
        const address = { host: '10.0.0.1', port: victim.index + 1, dhtPort: 0 }
        this.#push([
          this.#event({ kind: 'member.suspect', ...word, ...address }),
          this.#event({ kind: 'member.dead', ...word, ...address }),
        ])
      }
    }
  }

  #promise(): void {
    const heads = this.#sim.nodes.slice(0, 500).map(({ id }) => ({ author: id, authorSeq: SEQ_MAX }))
    heads.push({ author: this.id, authorSeq: SEQ_MAX })
    this.#toAll({ type: 'vector', buckets: new Uint8Array(SUMMARY_BUCKETS / 8), heads, reply: true })
  }

  #equivocate(): void {
    this.#authorSeq++
    for (const peer of this.#peers) {
      const event = this.#signed(torrentEvent(this.#random), this.#authorSeq, this.#lamport + 1)
      this.#send(peer, { type: 'push', events: [{ event, hops: 0 }] })
    }
  }

  #jump(): void {
    this.#push([
      this.#signed(torrentEvent(this.#random), this.#authorSeq + 1, SEQ_MAX),
      this.#event(torrentEvent(this.#random), this.#lamport + PUSH),
    ])
  }

  get #lamport(): number {
    return this.#sim.at(0).log.lamport
  }

  get #peers(): NodeId[] {
    return this.transport.links().map(({ peer }) => peer)
  }

  #event(event: Event, lamport = this.#lamport + 1): SignedEvent {
    this.#authorSeq++
    return this.#signed(event, this.#authorSeq, lamport)
  }

  #signed(event: Event, authorSeq: number, lamport: number): SignedEvent {
    const draft: UnsignedEvent = { stream: 'gossip', event }
    return signEvent(draft, { authorSeq, lamport: lamport as Lamport, at: 0 as Millis }, this.#signer)
  }

  #push(events: readonly SignedEvent[]): void {
    this.#toAll({ type: 'push', events: events.map((event) => ({ event, hops: 0 })) })
  }

  #toAll(message: WireMessage): void {
    for (const peer of this.#peers) this.#send(peer, message)
  }

  #send(to: NodeId, message: WireMessage): void {
    this.transport.send(to, encodeWire(message))
  }

  #greet(peer: NodeId): void {
    const hello = { type: 'hello', version: WIRE_VERSION, role: this.role, host: '', port: 0, dhtPort: 0 } as const
    this.#send(peer, { ...hello, software: 'hostile', transient: false, heard: false })
  }

  #received(from: NodeId, bytes: Uint8Array): void {
    const message = decodeWire(bytes)
    if (message.type === 'ping') this.#send(from, { type: 'pong', seq: message.seq })
    if (message.type !== 'fetch') return
    const gone = message.ranges.map(({ author, from: first }) => ({ author, from: first, to: SEQ_MAX }))
    if (this.#random() < 0.5) this.#send(from, { type: 'supply', id: message.id, events: [], last: true, gone })
  }
}

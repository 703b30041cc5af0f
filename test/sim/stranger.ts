import {
  type Event,
  type Lamport,
  type Millis,
  type NodeId,
  type SignedEvent,
  signEvent,
  type UnsignedEvent,
} from '../../src/events/index.ts'
import { keyOfSeed, signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import type { MemoryTransport } from '../../src/network/transport.memory.ts'
import { decodeWire, encodeWire, WIRE_VERSION, type WireMessage, type WireRejection } from '../../src/network/wire.ts'
import { TEST_NETWORK } from '../events/test-network.ts'
import { randomFrom } from './random.ts'
import { type SimNode, type Simulation, torrentEvent } from './simulation.ts'

const SEED = new Uint8Array(32).fill(0xee)
/** Every stranger's key. */
export const STRANGER_ID = keyOfSeed(SEED)

/** A peer of no good: a bare transport in a simulation, that sends whatever a test wants. */
export class Stranger {
  readonly transport: MemoryTransport
  readonly heard: (WireMessage | WireRejection)[] = []
  readonly lost: string[] = []
  readonly #sim: Simulation
  readonly #signer = signerFromSeed(SEED, TEST_NETWORK)
  readonly #random = randomFrom(7)

  constructor(sim: Simulation) {
    this.#sim = sim
    this.transport = sim.network.create(this.#signer.id, { host: '10.9.9.9', port: 9 })
    this.transport.listen({
      linked: () => {},
      unlinked: (_, why) => this.lost.push(why),
      refused: () => {},
      message: (_, bytes) => this.heard.push(decodeWire(bytes)),
    })
  }

  get id(): NodeId {
    return this.#signer.id
  }

  /** Links with a node, and greets it unless told not to. */
  async link(node: SimNode, greets = true): Promise<boolean> {
    await this.transport.start(new AbortController().signal)
    const linked = await this.#sim.time.wait(this.transport.dial(node.id))
    await this.#sim.time.advance(1)
    if (greets) {
      const hello = { type: 'hello', version: WIRE_VERSION, role: 'index', host: '', port: 0, dhtPort: 0 } as const
      this.send(node, { ...hello, software: 'stranger', transient: false, heard: false })
    }
    return linked
  }

  send(node: SimNode, message: WireMessage): boolean {
    return this.transport.send(node.id, encodeWire(message))
  }

  sendBytes(node: SimNode, bytes: Uint8Array): boolean {
    return this.transport.send(node.id, bytes)
  }

  /** An event signed by the stranger, with whatever stamp. */
  event(
    authorSeq: number,
    lamport = authorSeq,
    event: Event = torrentEvent(this.#random),
    stream: UnsignedEvent['stream'] = 'gossip',
  ): SignedEvent {
    return signEvent({ stream, event }, { authorSeq, lamport: lamport as Lamport, at: 0 as Millis }, this.#signer)
  }

  /** True while the node keeps a link with us. */
  isLinked(node: SimNode): boolean {
    return node.overlay.status().links.some(({ peer }) => peer === this.id)
  }
}

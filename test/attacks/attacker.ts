import {
  type Event,
  type Joining,
  type Lamport,
  type MemberAddress,
  type NodeId,
  type NodeRole,
  type SignedEvent,
  type Stream,
  scanBody,
  signEvent,
} from '../../src/events/index.ts'
import { randomSeed, signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { systemClock, systemTimers } from '../../src/events/model/time.system.ts'
import { createHyperswarmTransport, type HyperswarmTransport } from '../../src/network/transport.hyperswarm.ts'
import {
  decodeWire,
  encodeWire,
  SUMMARY_BUCKETS,
  WIRE_VERSION,
  type WireMessage,
  type WireRejection,
} from '../../src/network/wire.ts'
import type { ClusterNode } from '../cluster/cluster.ts'
import type { HonestNetwork } from './network.ts'

/**
 * What the attacker has been let in as. `stranger`: nobody has; it only knows where the nodes are. `client`: invited as a
 * client. `member`: vouched for as a member, and turned.
 */
export type Standing = 'stranger' | 'client' | 'member'

export type AttackerOptions = {
  readonly standing: Standing
  /** 32 bytes; left out, a random key. */
  readonly seed?: Uint8Array
  /** Looks for the others and is found by them, as an honest node is. */
  readonly announced?: boolean
}

const GUESTS = new WeakMap<HonestNetwork, Joining>()

/** One invitation admits all clients of the attacker, as whoever has its string likes; each member has its own. */
function joiningOf(network: HonestNetwork, standing: 'client' | 'member'): Joining {
  if (standing === 'member') return network.owner.joining(standing, 'attacker')
  const guest = GUESTS.get(network) ?? network.owner.joining(standing, 'attacker')
  GUESTS.set(network, guest)
  return guest
}

/** The papers of a key of this standing: what it shows at a link, and what role it names in its hello. */
function admitted(standing: Standing, network: HonestNetwork, key: NodeId): { role: NodeRole; credential: Uint8Array } {
  const role = standing === 'member' ? 'index' : 'client'
  if (standing === 'stranger') return { role, credential: new Uint8Array() }
  return { role, credential: joiningOf(network, standing).credentialOf(key) }
}

/** What a request is answered with; undefined: not at all. */
type Handler = (from: NodeId, body: Uint8Array) => Uint8Array | undefined
type Listener = (from: NodeId, message: WireMessage) => void

/** As many of our own events as the network's nodes can ask us for. */
const KEPT_MAX = 100_000
/** Bytes of events in one message. */
const BATCH_BYTES_MAX = 48 * 1024
const REQUEST_MS_MAX = 5_000

/** A key that means no good, on the project's own transport and codec: does what an attack wants, and pongs meanwhile. */
export class Attacker implements AsyncDisposable {
  readonly id: NodeId
  readonly standing: Standing
  readonly role: NodeRole
  readonly transport: HyperswarmTransport
  /** The highest stamp heard or written. */
  lamport = 0
  /** False: pings stay without an answer. */
  pongs = true
  /** False: whoever fetches our events gets no answer. */
  supplies = true
  readonly #network: HonestNetwork
  readonly #signer: ReturnType<typeof signerFromSeed>
  readonly #next = new Map<Stream, number>()
  /** Own gossip events, for whoever fetches them; place is author sequence minus 1. */
  readonly #kept: SignedEvent[] = []
  readonly #handlers = new Map<string, Handler>()
  readonly #listeners = new Set<Listener>()
  readonly #waiting = new Map<number, (body: Uint8Array | undefined) => void>()
  #requestId = 0

  private constructor(network: HonestNetwork, { standing, seed = randomSeed(), announced = false }: AttackerOptions) {
    this.#network = network
    this.standing = standing
    this.#signer = signerFromSeed(seed, network.owner.network)
    this.id = this.#signer.id
    const { role, credential } = admitted(standing, network, this.id)
    this.role = role
    const topic = announced ? { topic: network.topic, bootstrap: network.bootstrapEndpoints } : { bootstrap: [] }
    this.transport = createHyperswarmTransport({
      ...{ seed: this.#signer.seed, role: 'index', host: '127.0.0.1', port: 0 },
      ...topic,
      // It lets in whoever comes.
      door: { credential, refusal: () => undefined },
      ...{ clock: systemClock, timers: systemTimers },
    })
    // Before all else, as every honest node does: else nothing that it says is heard.
    if (credential.length > 0) this.event({ kind: 'node.admitted', credential })
    this.transport.listen({
      linked: ({ peer }) => this.#greet(peer),
      unlinked: () => {},
      refused: () => {},
      message: (from, bytes) => this.#received(from, decodeWire(bytes)),
    })
  }

  static async start(network: HonestNetwork, options: AttackerOptions): Promise<Attacker> {
    const attacker = new Attacker(network, options)
    await attacker.transport.start(new AbortController().signal)
    return attacker
  }

  /** Where it listens. */
  get address(): MemberAddress {
    const { host = '127.0.0.1', port = 0 } = this.transport.endpoint ?? {}
    return { host, port, dhtPort: 0 }
  }

  /** Links with a node, unless it is refused. */
  link(node: ClusterNode): Promise<boolean> {
    return this.transport.dial(node.id as NodeId, this.#network.endpoint(node))
  }

  /** @returns how many took the link */
  async linkAll(nodes: readonly ClusterNode[] = this.#network.nodes): Promise<number> {
    const linked = await Promise.all(nodes.map((node) => this.link(node)))
    return linked.filter((one) => one).length
  }

  get linked(): NodeId[] {
    return this.transport.links().map(({ peer }) => peer)
  }

  /** A signed event of ours: with the next author sequence and stamp, unless others are given. */
  event(
    event: Event,
    { stream = 'gossip', lamport, authorSeq }: { stream?: Stream; lamport?: number; authorSeq?: number } = {},
  ) {
    const seq = authorSeq ?? (this.#next.get(stream) ?? 0) + 1
    this.#next.set(stream, Math.max(seq, this.#next.get(stream) ?? 0))
    const stamp = lamport ?? this.lamport + 1
    this.lamport = Math.max(this.lamport, stamp)
    const signed = signEvent(
      { stream, event },
      { lamport: stamp as Lamport, authorSeq: seq, at: systemClock.now() },
      this.#signer,
    )
    if (stream === 'gossip' && this.#kept.length < KEPT_MAX) this.#kept[seq - 1] = signed
    return signed
  }

  /** Signs whatever this says, well-formed or not. */
  sign(body: Uint8Array): SignedEvent {
    return { body, signature: this.#signer.sign('event', body) }
  }

  /** Says that it is a member, as a member of its standing may. */
  appear(address: Partial<MemberAddress> = {}, incarnation = 1): void {
    const self = { subject: this.id, incarnation, role: 'index' as const, ...this.address, ...address }
    this.push([this.event({ kind: 'member.alive', ...self })])
  }

  /** In as many messages as it takes. @returns false if any of the nodes was not sent all */
  push(events: readonly SignedEvent[], to: readonly NodeId[] = this.linked): boolean {
    let sent = true
    for (const part of batches(events)) {
      const message: WireMessage = { type: 'push', events: part.map((event) => ({ event, hops: 0 })) }
      for (const peer of to) sent = this.send(peer, message) && sent
    }
    return sent
  }

  send(to: NodeId, message: WireMessage): boolean {
    return this.transport.send(to, encodeWire(message))
  }

  /** Below the codec. */
  sendBytes(to: NodeId, bytes: Uint8Array): boolean {
    return this.transport.send(to, bytes)
  }

  /** @returns undefined without an answer, or with another status than ok */
  request(to: NodeId, method: string, body: Uint8Array): Promise<Uint8Array | undefined> {
    this.#requestId++
    const id = this.#requestId
    return new Promise((resolve) => {
      const settle = (answer: Uint8Array | undefined): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(answer)
      }
      const timer = setTimeout(() => settle(undefined), REQUEST_MS_MAX)
      this.#waiting.set(id, settle)
      if (!this.send(to, { type: 'request', id, method, body })) settle(undefined)
    })
  }

  serve(method: string, handler: Handler): void {
    this.#handlers.set(method, handler)
  }

  /** Hears every message that decodes. */
  onMessage(listener: Listener): void {
    this.#listeners.add(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const settle of [...this.#waiting.values()]) settle(undefined)
    await this.transport[Symbol.asyncDispose]()
  }

  #greet(peer: NodeId): void {
    const hello = { type: 'hello', version: WIRE_VERSION, role: this.role, ...this.address } as const
    this.send(peer, { ...hello, software: 'p2pt/0.1.0', transient: false, heard: false })
  }

  #received(from: NodeId, message: WireMessage | WireRejection): void {
    if (message.type === 'rejected') return
    if (message.type === 'push') {
      for (const { event } of message.events) this.lamport = Math.max(this.lamport, scanBody(event.body).lamport)
    }
    if (message.type === 'ping' && this.pongs) this.send(from, { type: 'pong', seq: message.seq })
    if (message.type === 'request') this.#answer(from, message)
    if (message.type === 'response') this.#waiting.get(message.id)?.(message.status === 'ok' ? message.body : undefined)
    if (message.type === 'summary') this.#offer(from)
    if (message.type === 'fetch' && this.supplies) this.#supply(from, message)
    for (const listener of this.#listeners) listener(from, message)
  }

  /** Anti-entropy as an honest node has it, for our own events: what is not pushed on is fetched. */
  #offer(to: NodeId): void {
    if (this.#kept.length === 0 || !this.supplies) return
    const heads = [{ author: this.id, authorSeq: this.#kept.length }]
    this.send(to, { type: 'vector', buckets: new Uint8Array(SUMMARY_BUCKETS / 8), heads, reply: true })
  }

  #supply(to: NodeId, { id, ranges }: Extract<WireMessage, { type: 'fetch' }>): void {
    const wanted = ranges.filter(({ author }) => author === this.id)
    const events = wanted.flatMap(({ from, to: until }) => this.#kept.slice(from - 1, until))
    const parts = events.length === 0 ? [[]] : batches(events)
    for (const [at, part] of parts.entries()) this.send(to, { type: 'supply', id, events: part, last: at === parts.length - 1 })
  }

  #answer(from: NodeId, { id, method, body }: Extract<WireMessage, { type: 'request' }>): void {
    const handler = this.#handlers.get(method)
    if (handler === undefined) return
    const answer = handler(from, body)
    if (answer !== undefined) this.send(from, { type: 'response', id, status: 'ok', body: answer })
  }
}

function batches(events: readonly SignedEvent[]): SignedEvent[][] {
  const parts: SignedEvent[][] = []
  let bytes = BATCH_BYTES_MAX
  for (const event of events) {
    bytes += event.body.length + event.signature.length + 16
    if (bytes > BATCH_BYTES_MAX) {
      bytes = event.body.length + event.signature.length + 16
      parts.push([])
    }
    parts.at(-1)?.push(event)
  }
  return parts
}

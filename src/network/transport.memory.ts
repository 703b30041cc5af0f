import type { Clock, NodeId, Timers } from '../events/index.ts'
import {
  type Doorkeeper,
  type Endpoint,
  type Link,
  type LinkLoss,
  MESSAGE_BYTES_MAX,
  OPEN_DOOR,
  type Transport,
  type TransportEvents,
} from './transport.ts'

/** Faults of the network between two nodes. Times in ms, probabilities 0 to 1. */
export type MemoryNetworkFaults = {
  latencyMs: (from: NodeId, to: NodeId) => number
  loss: number
  duplication: number
}

export type MemoryNetworkOptions = Partial<MemoryNetworkFaults> & {
  clock: Clock
  timers: Timers
  /** 0 <= random() < 1 */
  random: () => number
  /** A link over which nothing passes any more is lost after this. */
  linkTimeoutMs?: number
  /** Each node looks for peers by itself until it has this many links. 0: never. */
  discoveredLinks?: number
  discoveryEveryMs?: number
  /** Told of each message as it is sent, for measurements. */
  onMessage?: (from: NodeId, to: NodeId, bytes: Uint8Array) => void
}

/** A network inside one process, on whatever clock and timers it is given. For tests and simulations. */
export class MemoryNetwork {
  readonly faults: MemoryNetworkFaults
  readonly options: Required<Omit<MemoryNetworkOptions, keyof MemoryNetworkFaults>>
  readonly #nodes = new Map<NodeId, MemoryTransport>()
  /** Nodes in different groups cannot reach one another. */
  #groupOf: ((node: NodeId) => number) | undefined

  constructor(options: MemoryNetworkOptions) {
    this.faults = {
      latencyMs: options.latencyMs ?? (() => 1),
      loss: options.loss ?? 0,
      duplication: options.duplication ?? 0,
    }
    this.options = {
      clock: options.clock,
      timers: options.timers,
      random: options.random,
      linkTimeoutMs: options.linkTimeoutMs ?? 8_000,
      discoveredLinks: options.discoveredLinks ?? 0,
      discoveryEveryMs: options.discoveryEveryMs ?? 1_000,
      onMessage: options.onMessage ?? (() => {}),
    }
  }

  create(self: NodeId, endpoint: Endpoint, door: Doorkeeper = OPEN_DOOR): MemoryTransport {
    return new MemoryTransport(this, self, endpoint, door)
  }

  /** Cuts the network: nodes of different groups lose their links after the time-out. */
  partition(groupOf: (node: NodeId) => number): void {
    this.#groupOf = groupOf
    for (const node of this.#nodes.values()) node.checkLinks()
  }

  heal(): void {
    this.#groupOf = undefined
  }

  reaches(from: NodeId, to: NodeId): boolean {
    return this.#nodes.has(to) && this.#nodes.has(from) && !this.#isCut(from, to)
  }

  #isCut(from: NodeId, to: NodeId): boolean {
    return this.#groupOf !== undefined && this.#groupOf(from) !== this.#groupOf(to)
  }

  at(node: NodeId): MemoryTransport | undefined {
    return this.#nodes.get(node)
  }

  nodes(): readonly MemoryTransport[] {
    return [...this.#nodes.values()]
  }

  join(node: MemoryTransport): void {
    this.#nodes.set(node.self, node)
  }

  leave(node: MemoryTransport): void {
    if (this.#nodes.get(node.self) === node) this.#nodes.delete(node.self)
  }

  /**
   * One message under way: lost, late or twice, as the faults say, but not before the one ahead of it.
   * @returns when it arrives, in ms since 1970
   */
  carry(from: MemoryTransport, to: MemoryTransport, notBefore: number, bytes: Uint8Array): number {
    const { clock, random, timers } = this.options
    const copies = random() < this.faults.duplication ? 2 : 1
    let at = notBefore
    for (let copy = 0; copy < copies; copy++) {
      if (random() < this.faults.loss) continue
      at = Math.max(at, clock.now() + this.faults.latencyMs(from.self, to.self))
      timers.after(at - clock.now(), () => {
        if (from.isUp && to.isUp && !this.#isCut(from.self, to.self)) to.arrived(from, bytes)
      })
    }
    return at
  }
}

/** Shared by both ends of one connection: `since` is each end's own, and two connections may have the same. */
type Connection = { readonly initiator: NodeId }

type Pipe = {
  link: Link
  connection: Connection
  remote: MemoryTransport
  reported: boolean
  arrivesAt: number
  cancelTimeout: (() => void) | undefined
}

export class MemoryTransport implements Transport {
  readonly self: NodeId
  readonly #network: MemoryNetwork
  readonly #address: Endpoint
  readonly #door: Doorkeeper
  readonly #pipes = new Map<NodeId, Pipe>()
  readonly #banned = new Set<NodeId>()
  #events: TransportEvents | undefined
  #state: 'new' | 'up' | 'gone' = 'new'
  #cancelDiscovery: (() => void) | undefined

  constructor(network: MemoryNetwork, self: NodeId, address: Endpoint, door: Doorkeeper) {
    this.#network = network
    this.self = self
    this.#address = address
    this.#door = door
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get endpoint(): Endpoint | undefined {
    return this.#state === 'up' ? this.#address : undefined
  }

  listen(events: TransportEvents): void {
    this.#events = events
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#state = 'up'
    this.#network.join(this)
    if (this.#network.options.discoveredLinks > 0) this.#discover()
  }

  links(): readonly Link[] {
    return [...this.#pipes.values()].map((pipe) => pipe.link)
  }

  send(to: NodeId, message: Uint8Array): boolean {
    const pipe = this.#pipes.get(to)
    if (pipe === undefined || message.length > MESSAGE_BYTES_MAX) return false
    this.#network.options.onMessage(this.self, to, message)
    pipe.arrivesAt = this.#network.carry(this, pipe.remote, pipe.arrivesAt, message)
    return true
  }

  /** A dial is a round trip; under loss it is tried again by whoever wants the link. */
  dial(peer: NodeId, _endpoint?: Endpoint): Promise<boolean> {
    if (this.#state !== 'up' || peer === this.self) return Promise.resolve(false)
    if (this.#pipes.has(peer)) return Promise.resolve(true)
    const roundTripMs = this.#network.faults.latencyMs(this.self, peer) + this.#network.faults.latencyMs(peer, this.self)
    return new Promise((resolve) => {
      this.#network.options.timers.after(roundTripMs, () => resolve(this.#connect(peer)))
    })
  }

  drop(peer: NodeId, why: LinkLoss): void {
    const pipe = this.#pipes.get(peer)
    if (pipe === undefined) return
    this.#lose(peer, why)
    // The other side learns it by a message of its own, as after a socket's end; if that cannot pass, by its time-out.
    this.#network.options.timers.after(this.#network.faults.latencyMs(this.self, peer), () =>
      pipe.remote.ended(this, pipe.connection),
    )
  }

  ban(peer: NodeId): void {
    this.#banned.add(peer)
    this.drop(peer, 'banned')
  }

  unban(peer: NodeId): void {
    this.#banned.delete(peer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of [...this.#pipes.keys()]) this.drop(peer, 'stopped')
    this.#end()
  }

  /** As a process killed with -9: says nothing, and the others find out by their time-outs. */
  crash(): void {
    const peers = [...this.#pipes.keys()]
    this.#events = undefined
    this.#end()
    for (const peer of peers) this.#network.at(peer)?.checkLinks()
    this.#pipes.clear()
  }

  /** Starts or stops the time-out of each link as the other end is out of reach or not. */
  checkLinks(): void {
    for (const [peer, pipe] of this.#pipes) {
      const dead = !this.#network.reaches(this.self, peer) || this.#network.at(peer) !== pipe.remote
      if (!dead || pipe.cancelTimeout !== undefined) continue
      pipe.cancelTimeout = this.#network.options.timers.after(this.#network.options.linkTimeoutMs, () => {
        pipe.cancelTimeout = undefined
        const still = !this.#network.reaches(this.self, peer) || this.#network.at(peer) !== pipe.remote
        if (still && this.#pipes.get(peer) === pipe) this.#lose(peer, 'timeout')
      })
    }
  }

  arrived(from: MemoryTransport, bytes: Uint8Array): void {
    if (this.#pipes.get(from.self)?.remote !== from) return
    this.#events?.message(from.self, bytes)
  }

  ended(from: MemoryTransport, connection: Connection): void {
    if (this.#pipes.get(from.self)?.connection === connection) this.#lose(from.self, 'remote')
  }

  accept(from: MemoryTransport, connection: Connection): boolean {
    if (this.#state !== 'up' || this.#banned.has(from.self) || !this.#letsIn(from)) return false
    if (this.#pipes.has(from.self)) this.#lose(from.self, 'remote')
    this.#open(from, connection)
    return true
  }

  #connect(peer: NodeId): boolean {
    if (this.#pipes.has(peer)) return true
    const remote = this.#network.at(peer)
    if (this.#state !== 'up' || this.#banned.has(peer) || remote === undefined) return false
    const connection = { initiator: this.self }
    if (!this.#network.reaches(this.self, peer) || !this.#letsIn(remote) || !remote.accept(this, connection)) return false
    this.#open(remote, connection)
    return true
  }

  /** Both sides look at what the other shows before either has a link. */
  #letsIn(peer: MemoryTransport): boolean {
    const why = this.#door.refusal(peer.self, peer.#door.credential)
    if (why === undefined) return true
    this.#events?.refused(peer.self, why, 'us')
    peer.#events?.refused(this.self, why, 'peer')
    return false
  }

  #open(remote: MemoryTransport, connection: Connection): void {
    const { host, port } = remote.#address
    const initiator = connection.initiator === this.self
    const link: Link = { peer: remote.self, host, port, initiator, since: this.#network.options.clock.now() }
    const pipe: Pipe = { link, connection, remote, reported: false, arrivesAt: 0, cancelTimeout: undefined }
    this.#pipes.set(remote.self, pipe)
    // Not in the turn of whoever dialled: its own side must stand before the first message.
    this.#network.options.timers.after(0, () => {
      if (this.#pipes.get(remote.self) !== pipe) return
      pipe.reported = true
      this.#events?.linked(link)
    })
  }

  #lose(peer: NodeId, why: LinkLoss): void {
    const pipe = this.#pipes.get(peer)
    if (pipe === undefined) return
    pipe.cancelTimeout?.()
    this.#pipes.delete(peer)
    if (pipe.reported) this.#events?.unlinked(peer, why)
  }

  #end(): void {
    this.#state = 'gone'
    this.#cancelDiscovery?.()
    this.#network.leave(this)
  }

  #discover(): void {
    const { timers, random, discoveredLinks, discoveryEveryMs } = this.#network.options
    if (this.#pipes.size < discoveredLinks) {
      const others = this.#network.nodes()
      for (let attempt = 0; attempt < discoveredLinks - this.#pipes.size; attempt++) {
        const other = others[Math.floor(random() * others.length)]
        if (other !== undefined && other !== this && !this.#pipes.has(other.self)) void this.dial(other.self)
      }
    }
    this.#cancelDiscovery = timers.after(discoveryEveryMs * (0.5 + random()), () => this.#discover())
  }
}

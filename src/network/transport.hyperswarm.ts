import HyperDHT from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import {
  type Clock,
  type CredentialFault,
  fromHex,
  isDialable,
  type NodeId,
  type NodeRole,
  type Timers,
  toHex,
} from '../events/index.ts'
import { type DhtNode, openDhtNode } from './dht-node.hyperswarm.ts'
import { type KnownEndpoint, KnownEndpoints } from './known-endpoints.hyperswarm.ts'
import { DEFAULT_LIMITS, type TransportLimits } from './limits.hyperswarm.ts'
import { HyperswarmLink, type LinkEvents } from './link.hyperswarm.ts'
import { type Room, type RoomLink, roomFor } from './link-room.ts'
import { NetworkError } from './network-error.ts'
import { HyperStreams } from './peer-streams.hyperswarm.ts'
import type { PeerStreams } from './peer-streams.ts'
import { Penalties } from './penalties.ts'
import { Rendezvous, within } from './rendezvous.hyperswarm.ts'
import {
  type Doorkeeper,
  type Endpoint,
  type Link,
  type LinkLoss,
  OPEN_DOOR,
  type Transport,
  type TransportEvents,
} from './transport.ts'

export type HyperswarmTransportOptions = {
  /** 32 bytes. The same ed25519 key as `signerFromSeed` makes of it: it is the node's identity on every link. */
  seed: Uint8Array
  role: NodeRole
  /** An IPv4 address or a name of one to listen on; 0.0.0.0 for all. */
  host: string
  /** UDP; 0 lets the system choose. */
  port: number
  /** The address others reach us at, where it is not `host`. */
  advertise?: string
  bootstrap: readonly Endpoint[]
  /** 32 bytes that name the network. Left out, the transport looks for nobody by itself and can only be dialled. */
  topic?: Uint8Array
  /** Left out, whoever proves its key is let in. */
  door?: Doorkeeper
  clock: Clock
  timers: Timers
  /** 0 <= random() < 1 */
  random?: () => number
  limits?: Partial<TransportLimits>
  /** Of an earlier run: see `knownEndpoints()`. */
  knownEndpoints?: readonly KnownEndpoint[]
  /** Of an earlier run: see `dhtNodes()`. */
  dhtNodes?: readonly Endpoint[]
  /** A sentence for the operator's log. */
  onNotice?: (text: string) => void
}

/** A transport with what is worth keeping for the next start. */
export interface HyperswarmTransport extends Transport {
  /** Where peers were last reached, the latest first. */
  knownEndpoints(): readonly KnownEndpoint[]
  /** Nodes of the DHT that answered. */
  dhtNodes(): readonly Endpoint[]
  /** Ways for torrents through routers, the caller's to close; undefined where none are needed, and before the start. */
  openPeerStreams(): PeerStreams | undefined
}

/** Two connections of one pair this close together are a race of two dials; later, the first one is a dead peer's ghost. */
const RACE_MS = 5_000

/** A dial that the peer closed may have lost such a race: its own connection is then under way. */
const RACE_GRACE_MS = 500

/** Below this, the network is looked for more often. */
const LINKS_ENOUGH = 4

/** Known servers dialled at once when nothing else answers. */
const FALLBACK_DIALS = 4

const DHT_NODES_MAX = 64

/** Sockets that do not close within this are left to the end of the process. */
const DESTROY_MS_MAX = 1_000

/** @throws RangeError if the seed or the topic has not 32 bytes */
export function createHyperswarmTransport(options: HyperswarmTransportOptions): HyperswarmTransport {
  if (options.seed.length !== 32) throw new RangeError(`a key seed has 32 bytes, not ${options.seed.length}`)
  if (options.topic !== undefined && options.topic.length !== 32) throw new RangeError('a topic has 32 bytes')
  return new Hyperlinks(options)
}

class Hyperlinks implements HyperswarmTransport, LinkEvents {
  readonly self: NodeId
  readonly #options: HyperswarmTransportOptions
  readonly #limits: TransportLimits
  readonly #keyPair: HyperDHT.KeyPair
  readonly #links = new Map<NodeId, HyperswarmLink>()
  readonly #banned = new Set<NodeId>()
  readonly #penalties: Penalties
  readonly #dials = new Map<NodeId, { promise: Promise<boolean>; settle: (linked: boolean) => void }>()
  readonly #known: KnownEndpoints
  /** Peers whose link was asked for with `dial`. */
  readonly #asked = new Set<NodeId>()
  #events: TransportEvents | undefined
  #node: DhtNode | undefined
  #swarm: Hyperswarm | undefined
  #rendezvous: Rendezvous | undefined
  #disposed: Promise<void> | undefined

  constructor(options: HyperswarmTransportOptions) {
    this.#options = options
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#keyPair = HyperDHT.keyPair(Buffer.from(options.seed))
    this.self = toHex(this.#keyPair.publicKey) as NodeId
    this.#known = new KnownEndpoints(options.knownEndpoints ?? [])
    const { clock, timers } = options
    const onDialAgain = (peer: NodeId) => this.#dialAgain(peer)
    this.#penalties = new Penalties({ clock, timers, forMs: this.#limits.penaltyMs, onDialAgain })
  }

  get endpoint(): Endpoint | undefined {
    return this.#disposed === undefined ? this.#node?.endpoint : undefined
  }

  listen(events: TransportEvents): void {
    this.#events = events
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#disposed !== undefined || this.#node !== undefined) throw new NetworkError('CLOSED', 'a transport starts once')
    const { role, host, port, advertise, bootstrap, topic, timers, dhtNodes, onNotice } = this.#options
    const { keepAliveMs, linksSought } = this.#limits
    const given = advertise === undefined ? {} : { advertise }
    const node = await openDhtNode({ keyPair: this.#keyPair, role, host, port, keepAliveMs, ...given })
    const { dht, endpoint } = node
    if (signal.aborted || this.#disposed !== undefined) {
      await dht.destroy({ force: true })
      signal.throwIfAborted()
      throw new NetworkError('CLOSED', 'the transport was disposed of while it started')
    }
    this.#node = node
    // Hyperswarm bans for good whom its firewall refuses: it is asked about bans only, never about a full house.
    const firewall = (key: Buffer) => this.#banned.has(toHex(key) as NodeId)
    this.#swarm = new Hyperswarm({ dht, keyPair: this.#keyPair, maxPeers: linksSought, maxParallel: linksSought, firewall })
    this.#swarm.on('connection', (stream: HyperDHT.SecretStream) => this.#adopt(stream))
    this.#rendezvous = new Rendezvous({
      dht,
      swarm: this.#swarm,
      timers,
      topic,
      bootstrap: bootstrap.filter((entry) => entry.host !== endpoint.host || entry.port !== endpoint.port),
      own: role === 'bootstrap' ? endpoint : undefined,
      persistedNodes: (dhtNodes ?? []).filter(isDialable).slice(0, DHT_NODES_MAX),
      onAlone: () => this.#dialKnown(),
      hasLinks: () => this.links().length > 0,
      isShort: () => this.links().length < Math.min(LINKS_ENOUGH, linksSought),
      onNotice: onNotice ?? (() => {}),
    })
    await this.#whileNotAborted(this.#rendezvous.start(), signal)
  }

  links(): readonly Link[] {
    return [...this.#links.values()].filter(({ state }) => state === 'open').map(({ link }) => link)
  }

  send(to: NodeId, message: Uint8Array, urgent = false): boolean {
    return this.#links.get(to)?.send(message, urgent) ?? false
  }

  dial(peer: NodeId, endpoint?: Endpoint): Promise<boolean> {
    if (this.#links.get(peer)?.state === 'open') return Promise.resolve(true)
    const running = this.#dials.get(peer)
    if (running !== undefined) return running.promise
    const full = this.#dials.size >= this.#limits.dialsMax || this.#links.size >= this.#limits.linksMax
    if (full || peer === this.self || this.#isRefused(peer)) return Promise.resolve(false)
    if (this.#node === undefined || this.#disposed !== undefined) return Promise.resolve(false)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const cancel = this.#options.timers.after(this.#limits.dialTimeoutMs, () => settle(false))
    const settle = (linked: boolean): void => {
      cancel()
      this.#dials.delete(peer)
      resolve(linked)
    }
    this.#dials.set(peer, { promise, settle })
    // A connection of theirs may be opening already; if it fails, the dial below is what is left.
    this.#connect(peer, endpoint ?? this.#known.get(peer))
    return promise
  }

  drop(peer: NodeId, why: LinkLoss): void {
    this.#links.get(peer)?.close(why)
  }

  ban(peer: NodeId): void {
    this.#banned.add(peer)
    this.drop(peer, 'banned')
    this.#dials.get(peer)?.settle(false)
  }

  unban(peer: NodeId): void {
    this.#banned.delete(peer)
    this.#swarm?.peers.get(peer)?.ban(false)
  }

  knownEndpoints(): readonly KnownEndpoint[] {
    return this.#known.list()
  }

  dhtNodes(): readonly Endpoint[] {
    return this.#node?.dht.toArray({ limit: DHT_NODES_MAX }) ?? []
  }

  openPeerStreams(): PeerStreams | undefined {
    const dht = this.#node?.dht
    return dht?.firewalled === true && this.#disposed === undefined ? new HyperStreams(dht, this.#options.timers) : undefined
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  hasRoom(link: HyperswarmLink): boolean {
    return this.#roomFor(this.#roomLink(link.link, true)).room
  }

  opened(link: HyperswarmLink): void {
    // Others may have taken the room meanwhile.
    if (!this.#makeRoom(this.#roomLink(link.link, true))) {
      link.close('full')
      return
    }
    link.isTold = true
    if (this.#dials.has(link.peer)) this.#asked.add(link.peer)
    this.#known.add(link.peer, link.link)
    this.#events?.linked(link.link)
    this.#dials.get(link.peer)?.settle(true)
  }

  message(link: HyperswarmLink, bytes: Uint8Array): void {
    this.#events?.message(link.peer, bytes)
  }

  refused(link: HyperswarmLink, why: CredentialFault, by: 'us' | 'peer'): void {
    this.#events?.refused(link.peer, why, by)
    // It will not think otherwise so soon: neither we nor Hyperswarm dial it again for a while.
    if (by === 'peer') this.#leaveAlone(link.peer)
  }

  closed(link: HyperswarmLink, why: LinkLoss): void {
    if (this.#links.get(link.peer) === link) {
      this.#links.delete(link.peer)
      this.#asked.delete(link.peer)
    }
    if (link.misbehaved) this.#penalties.refuse(link.peer)
    if (why === 'full') this.#leaveAlone(link.peer)
    if (!link.isTold) return
    this.#events?.unlinked(link.peer, why)
    this.#rendezvous?.hurry()
  }

  #connect(peer: NodeId, endpoint: Endpoint | undefined): void {
    const dht = this.#node?.dht
    if (dht === undefined) return
    // Whoever is said to be where nobody can be is looked for by key.
    const relays = endpoint !== undefined && isDialable(endpoint) ? { relayAddresses: [endpoint] } : {}
    const stream = dht.connect(Buffer.from(fromHex(peer)), { ...relays, keyPair: this.#keyPair })
    let adopted = false
    stream.on('error', () => {})
    stream.on('open', () => {
      adopted = true
      this.#adopt(stream)
    })
    const giveUp = () => {
      if (this.#links.get(peer)?.state !== 'opening') this.#dials.get(peer)?.settle(false)
    }
    stream.on('close', () => {
      const dial = this.#dials.get(peer)
      if (dial === undefined) return
      const cancel = this.#options.timers.after(adopted ? RACE_GRACE_MS : 0, giveUp)
      void dial.promise.then(cancel)
    })
    void this.#dials.get(peer)?.promise.then((linked) => {
      if (!linked && !adopted) stream.destroy()
    })
  }

  /** A connection stands, of either side's making: it becomes the link of its peer, or ends here. */
  #adopt(stream: HyperDHT.SecretStream): void {
    const peer = toHex(stream.remotePublicKey) as NodeId
    const previous = this.#links.get(peer)
    const host = stream.rawStream?.remoteHost ?? ''
    const coming = this.#roomLink({ peer, host, initiator: stream.isInitiator }, false)
    const refuse =
      this.#disposed !== undefined ||
      peer === this.self ||
      this.#isRefused(peer) ||
      (previous === undefined ? !this.#makeRoom(coming) : !this.#replaces(stream, previous))
    if (refuse) {
      stream.on('error', () => {})
      stream.destroy()
      return
    }
    if (previous !== undefined) previous.close('remote')
    const { door = OPEN_DOOR, clock, timers } = this.#options
    const link = new HyperswarmLink(stream, { limits: this.#limits, door, clock, timers, events: this })
    if (link.state !== 'closed') this.#links.set(peer, link)
  }

  /** Both sides decide alike: of a race, the connection that the greater key opened stays; of two later ones, the new. */
  #replaces(stream: HyperDHT.SecretStream, previous: HyperswarmLink): boolean {
    const isRace = this.#options.clock.now() - previous.since < RACE_MS
    if (!isRace || stream.isInitiator === previous.initiator) return !stream.isInitiator
    return stream.isInitiator === this.self > previous.peer
  }

  #roomFor(more: RoomLink): Room {
    const others = [...this.#links.values()].filter(({ peer }) => peer !== more.peer)
    const links = others.map(({ link, state }) => this.#roomLink(link, state === 'open'))
    return roomFor(links, more, this.#limits)
  }

  /** @returns false if there is no room for it; else a link that has to go for it is gone */
  #makeRoom(more: RoomLink): boolean {
    const found = this.#roomFor(more)
    if (!found.room) return false
    const instead = found.instead && this.#links.get(found.instead.peer)
    instead?.close('full')
    return true
  }

  #roomLink({ peer, host, initiator }: Pick<Link, 'peer' | 'host' | 'initiator'>, isOpen: boolean): RoomLink {
    const { door = OPEN_DOOR } = this.#options
    const isMember = door.isMember?.(peer) ?? true
    const party = isMember ? peer : (door.partyOf?.(peer) ?? peer)
    const asked = this.#dials.has(peer) || this.#asked.has(peer)
    return { peer, host, initiator, isOpen, isMember, asked, party }
  }

  #isRefused(peer: NodeId): boolean {
    return this.#banned.has(peer) || this.#penalties.isRefused(peer)
  }

  #leaveAlone(peer: NodeId): void {
    this.#penalties.leaveAlone(peer)
    this.#swarm?.peers.get(peer)?.ban(true)
  }

  #dialAgain(peer: NodeId): void {
    if (!this.#banned.has(peer)) this.#swarm?.peers.get(peer)?.ban(false)
  }

  /** Nothing answers: some servers of earlier days, at random so that not every node dials the same ones. */
  #dialKnown(): void {
    const random = this.#options.random ?? Math.random
    const candidates = this.#known.list().filter(({ key }) => !this.#links.has(key) && key !== this.self)
    for (let dials = 0; dials < FALLBACK_DIALS && candidates.length > 0; dials++) {
      const [chosen] = candidates.splice(Math.floor(random() * candidates.length), 1)
      if (chosen !== undefined) void this.dial(chosen.key, { host: chosen.host, port: chosen.port })
    }
  }

  async #whileNotAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>()
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await Promise.race([work, aborted])
    signal.removeEventListener('abort', onAbort)
    if (!signal.aborted) return
    await this[Symbol.asyncDispose]()
    signal.throwIfAborted()
  }

  /** Closes the links first, so that the peers know at once, and gives up on goodbyes to a DHT that does not answer. */
  async #dispose(): Promise<void> {
    this.#rendezvous?.stop()
    this.#penalties.stop()
    for (const { settle } of [...this.#dials.values()]) settle(false)
    for (const link of [...this.#links.values()]) link.close('stopped')
    const { timers } = this.#options
    const swarm = this.#swarm
    const dht = this.#node?.dht
    if (dht === undefined) return
    const left = swarm?.destroy().catch(() => {}) ?? Promise.resolve()
    await within(left, this.#limits.leaveMsMax, timers)
    await within(Promise.all([dht.destroy({ force: true }), left]), DESTROY_MS_MAX, timers)
  }
}

import { randomBytes } from 'node:crypto'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { BoundedMap, type Clock, type InfoHash, type Timers } from '../../events/index.ts'
import { endpointOf, isBelieved, reachOf } from '../endpoint.ts'
import { held } from '../held-callback.ts'
import { Allowance } from './allowance.ts'
import { decodeLsd, encodeLsd, LSD_GROUPS, LSD_PORT, LSD_TORRENTS_MAX } from './lsd-message.ts'
import type { SharedPart, SharedSource, SharedStatus } from './shared-source.ts'
import { TurnSchedule } from './turn-schedule.ts'

// Local service discovery (BEP 14): says to all of the local network which torrents are here, and hears who else has them.

/** BEP 14: a torrent once in five minutes, a datagram a minute. Five at once, so that who adds a torrent need not wait. */
const SCHEDULE = { intervalMs: 300_000, turnsMax: 5, turnsPerMinute: 1, perTurnMax: LSD_TORRENTS_MAX }
const LOOK_MS = 1_000
/** Datagrams that are read, at once and a second: of one host, so that none of them drowns out the others, and of all. */
const HEARD = { most: 50, perSecond: 5 }
const HEARD_OF_ALL = { most: 500, perSecond: 100 }
/** Hosts that are told apart; the oldest are forgotten. */
const HOSTS_MAX = 256
/** Endpoints that one torrent is told of, over all the time that it takes part; the list of whom to dial has bounds of its own. */
const COUNTED_MAX = 1_000
/** Interfaces that a datagram leaves by. */
const INTERFACES_MAX = 8

type Family = 4 | 6

export type LocalDiscoveryOptions = {
  /** That the client listens on; where it is not all addresses, nothing is said elsewhere. */
  host: string
  /** TCP, 0 while nobody can connect. */
  port(): number
  /** Left out: that of BEP 14. */
  udpPort?: number
  /** Peers can connect over IPv6 too. */
  hasV6(): boolean
  clock: Clock
  timers: Timers
  /** Monotonic, ms. */
  now(): number
}

/** `joined`: interfaces that it hears on. */
type Listener = { socket: Socket; isBound: boolean; joined: Set<string> }
type Part = { found: (endpoints: readonly string[]) => void; peers: Set<string>; announcedAt: number | undefined }

export class LocalDiscovery implements SharedSource {
  readonly #options: LocalDiscoveryOptions
  readonly #cookie = randomBytes(8).toString('hex')
  readonly #schedule = new TurnSchedule<InfoHash>(SCHEDULE)
  readonly #heard = new Allowance(HEARD_OF_ALL.most, HEARD_OF_ALL.perSecond)
  readonly #heardOf = new BoundedMap<string, Allowance>(HOSTS_MAX)
  readonly #parts = new Map<InfoHash, Part>()
  readonly #listeners = new Map<Family, Listener>()
  #cancelLook: (() => void) | undefined
  /** Why nothing is said, and why nobody is heard. */
  #mute: string | undefined
  #deaf: string | undefined

  constructor(options: LocalDiscoveryOptions) {
    this.#options = options
  }

  join(infoHash: InfoHash, found: (endpoints: readonly string[]) => void): SharedPart {
    const part: Part = { found, peers: new Set(), announcedAt: undefined }
    const status = (): SharedStatus => this.#statusOf(part)
    this.#parts.set(infoHash, part)
    this.#schedule.add(infoHash)
    this.#cancelLook ??= this.#options.timers.after(0, this.#look)
    return {
      get status() {
        return status()
      },
      close: () => {
        if (this.#parts.get(infoHash) !== part) return
        this.#parts.delete(infoHash)
        this.#schedule.remove(infoHash)
        if (this.#parts.size === 0) this.#stop()
      },
    }
  }

  async close(): Promise<void> {
    this.#parts.clear()
    this.#stop()
  }

  get #udpPort(): number {
    return this.#options.udpPort ?? LSD_PORT
  }

  #statusOf({ peers, announcedAt }: Part): SharedStatus {
    const problem = this.#mute ?? this.#deaf
    const state = problem !== undefined ? 'fails' : announcedAt === undefined ? 'waiting' : 'works'
    return { state, problem, peers: peers.size, announcedAt, nodes: undefined }
  }

  #stop(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
    const listeners = [...this.#listeners.values()]
    this.#listeners.clear()
    for (const { socket } of listeners) socket.close()
  }

  /** What it throws, as where the system does not tell of its interfaces, is a problem that is told. */
  readonly #look = held(
    () => this.#onLook(),
    (reason) => {
      this.#mute = reason
    },
  )

  #onLook(): Promise<void> | undefined {
    this.#cancelLook = this.#options.timers.after(LOOK_MS, this.#look)
    const { port, now } = this.#options
    this.#listen()
    if (port() === 0) return undefined
    const infoHashes = this.#schedule.take(now())
    return infoHashes.length > 0 ? this.#announce(infoHashes) : undefined
  }

  async #announce(infoHashes: readonly InfoHash[]): Promise<void> {
    const { clock, port } = this.#options
    const message = { port: port(), infoHashes, cookie: this.#cookie }
    const problems = await Promise.all(this.#ways().map(([family, at]) => this.#send(family, at, encodeLsd(message, family))))
    const isSent = problems.includes(undefined)
    this.#mute = isSent ? undefined : (problems[0] ?? 'there is no local network')
    if (!isSent) return
    for (const infoHash of infoHashes) {
      const part = this.#parts.get(infoHash)
      if (part !== undefined) part.announcedAt = clock.now()
    }
  }

  /** By which interfaces a datagram goes: an address of IPv4, a name for IPv6. */
  #ways(): [Family, string][] {
    const { host, hasV6 } = this.#options
    if (host !== '0.0.0.0') return [[4, host]]
    const ways: [Family, string][] = []
    for (const [name, addresses] of Object.entries(networkInterfaces())) {
      const outside = (addresses ?? []).filter(({ internal }) => !internal)
      const v4 = outside.find(({ family }) => family === 'IPv4')
      if (v4 !== undefined) ways.push([4, v4.address])
      if (hasV6() && outside.some(({ family }) => family === 'IPv6')) ways.push([6, name])
    }
    // Without a network there are still others on this machine.
    return ways.length === 0 ? [[4, '127.0.0.1']] : ways.slice(0, INTERFACES_MAX)
  }

  /** @returns what is wrong; a socket for each, since an interface may be gone the next time */
  #send(family: Family, at: string, message: Uint8Array): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket({ type: `udp${family}`, ...(family === 6 && { ipv6Only: true }) })
      let isOver = false
      const end = (error?: Error | null) => {
        if (isOver) return
        isOver = true
        socket.close()
        resolve(error == null ? undefined : `nothing leaves by ${at}: ${error.message}`)
      }
      socket.on('error', end)
      socket.bind({ address: family === 4 ? at : '::', port: 0 }, () => {
        try {
          socket.setMulticastInterface(family === 4 ? at : `::%${at}`)
          // BEP 14 wants it on the local network.
          socket.setMulticastTTL(1)
          socket.send(message, this.#udpPort, LSD_GROUPS[family], end)
        } catch (error) {
          end(error as Error)
        }
      })
    })
  }

  /** Opens what is not open, and hears on interfaces that are new. */
  #listen(): void {
    for (const [family, at] of this.#ways()) {
      const listener = this.#listeners.get(family) ?? this.#open(family)
      if (listener.isBound && !listener.joined.has(at)) this.#joinGroup(listener, family, at)
    }
  }

  #open(family: Family): Listener {
    const socket = createSocket({ type: `udp${family}`, reuseAddr: true, ...(family === 6 && { ipv6Only: true }) })
    const listener: Listener = { socket, isBound: false, joined: new Set() }
    this.#listeners.set(family, listener)
    socket.on('error', (error) => {
      // Over IPv4 most networks have it, and what is heard there is enough.
      if (family === 4) this.#deaf = `port ${this.#udpPort} (UDP) cannot be listened on: ${error.message}`
      if (this.#listeners.get(family) !== listener) return
      this.#listeners.delete(family)
      socket.close()
    })
    socket.on('message', this.#received)
    const listening = () => {
      listener.isBound = true
      if (this.#listeners.get(family) === listener) this.#listen()
    }
    socket.once(
      'listening',
      held(listening, (reason) => {
        this.#deaf = reason
      }),
    )
    // Bound to the group, it hears nothing that was sent to this machine alone; Windows knows no such binding.
    const group = process.platform === 'win32' ? {} : { address: LSD_GROUPS[family] }
    socket.bind({ ...group, port: this.#udpPort })
    return listener
  }

  #joinGroup({ socket, joined }: Listener, family: Family, at: string): void {
    joined.add(at)
    try {
      socket.addMembership(LSD_GROUPS[family], family === 4 ? at : `::%${at}`)
      if (family === 4) this.#deaf = undefined
    } catch (error) {
      if (family === 4) this.#deaf = `${at} hears no others: ${(error as Error).message}`
    }
  }

  /** A fault of ours that a datagram finds ends with it. */
  readonly #received = held(
    (datagram: Uint8Array, from: RemoteInfo) => this.#onReceived(datagram, from),
    () => {},
  )

  #onReceived(datagram: Uint8Array, from: RemoteInfo): void {
    if (!this.#mayHear(from.address)) return
    const said = decodeLsd(datagram)
    if (said === undefined || said.cookie === this.#cookie) return
    const endpoint = endpointOf(from.address, said.port)
    // A link-local address is nobody's without the interface, and a connection does not tell that.
    if (endpoint.includes('%') || !isBelieved(endpoint, reachOf(from.address))) return
    for (const infoHash of said.infoHashes) {
      const part = this.#parts.get(infoHash)
      if (part === undefined) continue
      if (part.peers.size < COUNTED_MAX) part.peers.add(endpoint)
      part.found([endpoint])
    }
  }

  #mayHear(host: string): boolean {
    const now = this.#options.now()
    const known = this.#heardOf.get(host)
    const ofHost = known ?? new Allowance(HEARD.most, HEARD.perSecond)
    if (known === undefined) this.#heardOf.set(host, ofHost)
    return ofHost.take(now) && this.#heard.take(now)
  }
}

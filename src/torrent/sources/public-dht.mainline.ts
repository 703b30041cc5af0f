import { createSocket, type RemoteInfo } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { EventEmitter } from 'node:events'
import DHT, { type DatagramSocket } from 'bittorrent-dht'
import { boundAnnouncedPeers, type Clock, type InfoHash, type Timers, toHex } from '../../events/index.ts'
import { guardDatagrams } from '../dht-guard.mainline.ts'
import { endpointOf, isBelieved, type Reach, reachOf } from '../endpoint.ts'
import { held } from '../held-callback.ts'
import { Allowance } from './allowance.ts'
import type { SharedPart, SharedSource, SharedStatus } from './shared-source.ts'
import { TurnSchedule } from './turn-schedule.ts'

// Our node in the public Mainline DHT (BEP 5), for public torrents alone. It has nothing to do with the one of the private network:
// other socket, other id, other nodes. It runs while a torrent takes part.

/** A torrent is looked up and announced once in a quarter of an hour; all of them together, 30 a minute. */
const SCHEDULE = { intervalMs: 900_000, turnsMax: 4, turnsPerMinute: 30, perTurnMax: 1 }
const LOOK_MS = 500
/** A look-up ends here: others may name nodes that are ever nearer, without an end. */
const LOOKUP_MS = 20_000
const LOOKUPS_MAX = 4
/** That one look-up may name. */
const PEERS_PER_LOOKUP_MAX = 200
/** Between tries to get in, doubled each time in a row, and before a torrent goes again that nobody took an announcement of. */
const RETRY_MS = { first: 2_000, most: 60_000 }
/** Peers that announced to us are remembered this long. */
const PEER_AGE_MS = 30 * 60_000
const TABLES_MAX = 1_000
/** Datagrams that are read, and those that leave, whoever asks for them: at once, and a second. */
const RECEIVED = { most: 1_000, perSecond: 500 }
const SENT = { most: 500, perSecond: 250 }

export type PublicDhtOptions = {
  host: string
  /** That peers connect to, TCP. */
  port(): number
  /** By which it gets in: addresses or names. */
  bootstrap: readonly { host: string; port: number }[]
  clock: Clock
  timers: Timers
  /** Monotonic, ms. */
  now(): number
  /** A datagram was refused. */
  rejected(): void
}

type Part = {
  found: (endpoints: readonly string[]) => void
  peers: Set<string>
  announcedAt: number | undefined
  isLookedUp: boolean
}

export class PublicDht implements SharedSource {
  readonly #options: PublicDhtOptions
  readonly #schedule = new TurnSchedule<InfoHash>(SCHEDULE)
  readonly #parts = new Map<InfoHash, Part>()
  #running: Running | undefined

  constructor(options: PublicDhtOptions) {
    this.#options = options
  }

  join(infoHash: InfoHash, found: (endpoints: readonly string[]) => void): SharedPart {
    const part: Part = { found, peers: new Set(), announcedAt: undefined, isLookedUp: false }
    const status = (): SharedStatus => this.#statusOf(part)
    this.#parts.set(infoHash, part)
    this.#schedule.add(infoHash)
    this.#running ??= new Running(this.#options, this.#schedule, this.#parts)
    return {
      get status() {
        return status()
      },
      close: () => {
        if (this.#parts.get(infoHash) !== part) return
        this.#parts.delete(infoHash)
        this.#schedule.remove(infoHash)
        if (this.#parts.size === 0) void this.#stop()
      },
    }
  }

  /** Of its socket; undefined while it does not run. */
  get address(): { port: number } | undefined {
    return this.#running?.address
  }

  async close(): Promise<void> {
    this.#parts.clear()
    await this.#stop()
  }

  async #stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.close()
  }

  #statusOf({ peers, announcedAt, isLookedUp }: Part): SharedStatus {
    const nodes = this.#running?.nodes ?? 0
    const problem = nodes > 0 ? undefined : this.#running?.problem
    const state = problem !== undefined ? 'fails' : isLookedUp ? 'announcing' : announcedAt === undefined ? 'waiting' : 'works'
    return { state, problem, peers: peers.size, announcedAt, nodes }
  }
}

/** The node while it runs. */
class Running {
  readonly #options: PublicDhtOptions
  readonly #schedule: TurnSchedule<InfoHash>
  readonly #parts: ReadonlyMap<InfoHash, Part>
  readonly #dht: DHT
  readonly #closed: Promise<void>
  /** Endpoints that a look-up which is under way has named. */
  readonly #lookups = new Map<InfoHash, Set<string>>()
  readonly #timers = new Set<() => void>()
  /** The least far of those that it is entered by: a ring of one's own may be on one machine. */
  #from: Reach = 'world'
  #isListening = false
  #isOver = false
  #problem: string | undefined

  constructor(options: PublicDhtOptions, schedule: TurnSchedule<InfoHash>, parts: ReadonlyMap<InfoHash, Part>) {
    this.#options = options
    this.#schedule = schedule
    this.#parts = parts
    const { now, rejected, bootstrap, host } = options
    const socket = new PublicSocket({ now, rejected, mayReach: (host, port) => this.#mayReach(host, port) })
    this.#dht = new DHT({ bootstrap: [], maxAge: PEER_AGE_MS, maxTables: TABLES_MAX, socket })
    boundAnnouncedPeers(this.#dht, { maxAgeMs: PEER_AGE_MS, now, random: Math.random })
    this.#dht.setMaxListeners(0)
    this.#dht.on('error', (error: Error) => {
      this.#problem = `its port cannot be opened: ${error.message}`
    })
    this.#dht.on(
      'peer',
      held(
        (peer: { host: string; port: number }, infoHash: Uint8Array) => this.#named(toHex(infoHash) as InfoHash, peer),
        () => {},
      ),
    )
    this.#closed = new Promise((resolve) => this.#dht.once('close', resolve))
    if (bootstrap.length === 0) this.#problem = 'no node is known to enter it by: start the client with --public-dht HOST:PORT'
    this.#dht.listen(0, host, () => {
      if (this.#isOver) return
      this.#isListening = true
      this.#after(0, () => this.#enter(RETRY_MS.first))
      this.#look()
    })
  }

  get nodes(): number {
    return this.#isOver ? 0 : this.#dht.nodes.count()
  }

  get address(): { port: number } | undefined {
    return this.#isListening && !this.#isOver ? this.#dht.address() : undefined
  }

  get problem(): string | undefined {
    return this.#problem
  }

  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    for (const cancel of [...this.#timers]) cancel()
    this.#dht.destroy(() => {})
    await this.#closed
  }

  #mayReach(host: string, port: number): boolean {
    const endpoint = endpointOf(host, port)
    return isBelieved(endpoint, this.#from) && (this.#from !== 'world' || reachOf(host) === 'world')
  }

  #after(waitMs: number, run: () => unknown): () => void {
    const due = held(
      () => {
        this.#timers.delete(end)
        if (!this.#isOver) return run()
      },
      (reason) => {
        this.#problem = reason
      },
    )
    const cancel = this.#options.timers.after(waitMs, due)
    const end = () => {
      this.#timers.delete(end)
      cancel()
    }
    this.#timers.add(end)
    return end
  }

  /** Until somebody answers, and again when nobody is left. */
  async #enter(waitMs: number): Promise<void> {
    if (this.nodes === 0) {
      const addresses = await Promise.all(this.#options.bootstrap.map((node) => addressOf(node)))
      if (this.#isOver) return
      const known = addresses.filter((address) => address !== undefined)
      for (const { host } of known) this.#from = nearer(this.#from, reachOf(host))
      if (known.length > 0) this.#problem = 'none of the nodes that it is entered by has answered'
      else if (addresses.length > 0) this.#problem = 'none of the names of nodes that it is entered by has an address'
      for (const node of known) this.#dht.addNode(node)
      this.#after(waitMs, () => this.#enter(Math.min(RETRY_MS.most, waitMs * 2)))
      return
    }
    // Those near our own id are what others find us by.
    this.#lookUp(this.#dht.nodeId, () => {})
    this.#after(RETRY_MS.most, () => this.#enter(RETRY_MS.first))
  }

  #look(): void {
    this.#after(LOOK_MS, () => this.#look())
    // A turn that finds nobody would be lost.
    if (this.nodes === 0 || this.#lookups.size >= LOOKUPS_MAX) return
    for (const infoHash of this.#schedule.take(this.#options.now())) this.#announce(infoHash)
  }

  #announce(infoHash: InfoHash): void {
    const part = this.#parts.get(infoHash)
    if (part === undefined || this.#lookups.has(infoHash)) return
    this.#lookups.set(infoHash, new Set())
    part.isLookedUp = true
    this.#lookUp(infoHash, () => {
      this.#lookups.delete(infoHash)
      part.isLookedUp = false
      const port = this.#options.port()
      if (this.#isOver || this.#parts.get(infoHash) !== part || port === 0) return
      this.#dht.announce(infoHash, port, (error) => {
        if (error == null) part.announcedAt = this.#options.clock.now()
        else this.#schedule.again(infoHash, this.#options.now() + RETRY_MS.most)
      })
    })
  }

  #lookUp(target: InfoHash | Uint8Array, done: () => void): void {
    let abort = () => {}
    const cancel = this.#after(LOOKUP_MS, () => abort())
    abort = this.#dht.lookup(target, () => {
      cancel()
      done()
    })
  }

  #named(infoHash: InfoHash, { host, port }: { host: string; port: number }): void {
    const part = this.#parts.get(infoHash)
    const named = this.#lookups.get(infoHash)
    if (part === undefined || named === undefined || named.size >= PEERS_PER_LOOKUP_MAX) return
    const endpoint = endpointOf(host, port)
    if (named.has(endpoint) || !isBelieved(endpoint, this.#from)) return
    named.add(endpoint)
    if (part.peers.size < PEERS_PER_LOOKUP_MAX) part.peers.add(endpoint)
    part.found([endpoint])
  }
}

const REACHES: readonly Reach[] = ['machine', 'site', 'world']
const nearer = (one: Reach, other: Reach): Reach =>
  REACHES.indexOf(other) >= 0 && REACHES.indexOf(other) < REACHES.indexOf(one) ? other : one

async function addressOf({ host, port }: { host: string; port: number }): Promise<{ host: string; port: number } | undefined> {
  try {
    const { address } = await lookup(host, { family: 4 })
    return { host: address, port }
  } catch {
    return undefined
  }
}

type SocketOptions = { now(): number; rejected(): void; mayReach(host: string, port: number): boolean }

/**
 * What the node speaks through. Others name the nodes that it asks and ask it what they like: so it sends to nobody that a public node
 * cannot be, and what comes and goes has a rate.
 */
class PublicSocket extends EventEmitter implements DatagramSocket {
  readonly #options: SocketOptions
  readonly #socket = createSocket({ type: 'udp4' })
  readonly #received = new Allowance(RECEIVED.most, RECEIVED.perSecond)
  readonly #sent = new Allowance(SENT.most, SENT.perSecond)

  constructor(options: SocketOptions) {
    super()
    this.#options = options
    this.#socket.on('message', (datagram: Uint8Array, from: RemoteInfo) => this.emit('message', datagram, from))
    guardDatagrams(this.#socket, 'public', options.rejected, ({ address, port }) => {
      return options.mayReach(address, port) && this.#received.take(options.now())
    })
    this.#socket.on('error', (error) => this.emit('error', error))
    this.#socket.on('listening', () => this.emit('listening'))
    this.#socket.on('close', () => this.emit('close'))
  }

  bind(port: number, host: string, onListening?: () => void): void {
    this.#socket.bind(port, host, onListening)
  }

  address(): { address: string; port: number } {
    return this.#socket.address()
  }

  send(
    bytes: Uint8Array,
    offset: number,
    length: number,
    port: number,
    host: string,
    onSent?: (error: Error | null) => void,
  ): void {
    const { mayReach, now } = this.#options
    if (!mayReach(host, port) || !this.#sent.take(now())) {
      onSent?.(new Error(`nothing is sent to ${host}:${port} now`))
      return
    }
    try {
      this.#socket.send(bytes, offset, length, port, host, (error) => onSent?.(error))
    } catch (error) {
      onSent?.(error as Error)
    }
  }

  close(): void {
    this.#socket.close()
  }
}

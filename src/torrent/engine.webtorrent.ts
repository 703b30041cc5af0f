import type { Socket } from 'node:net'
import WebTorrent from 'webtorrent'
import type { Wire } from 'webtorrent/lib/wire'
import { boundAnnouncedPeers, type InfoHash } from '../events/index.ts'
import { Acceptor } from './acceptor.webtorrent.ts'
import { guardDatagrams } from './dht-guard.mainline.ts'
import { DhtPresence } from './dht-presence.mainline.ts'
import { createEngine, type EngineParts } from './engine.fs.ts'
import type { EngineLimits, MadeConnection, TorrentEngine } from './engine.ts'
import { TorrentError } from './engine.ts'
import type { OpenSwarm, Swarm, SwarmHost } from './swarm.ts'
import { WebtorrentSwarm } from './swarm.webtorrent.ts'
import { WireGuard } from './wire-guard.webtorrent.ts'

/** Connections of one torrent that we opened. */
const OUTBOUND_MAX = 55
/** Peers that announced are remembered by our DHT node this long. */
const DHT_PEER_AGE_MS = 20 * 60_000

/** The engine on webtorrent. Importing this file loads all of webtorrent, which takes a second: import it late. */
export const createWebtorrentEngine = (options: EngineParts): TorrentEngine =>
  createEngine((onStopped) => new WebtorrentHost(options, onStopped), options)

type Running = { client: WebTorrent; acceptor: Acceptor; dht: DhtPresence }

class WebtorrentHost implements SwarmHost {
  readonly #options: EngineParts
  readonly #onStopped: (reason: string) => void
  readonly #swarms = new Map<InfoHash, WebtorrentSwarm>()
  readonly #guards = new WeakMap<Wire, WireGuard>()
  #running: Running | undefined
  #rejectedMessages = 0
  #limits = { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0, connectionsMax: 0 }

  constructor(options: EngineParts, onStopped: (reason: string) => void) {
    this.#options = options
    this.#onStopped = onStopped
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { host, port, dhtBootstrap, timers } = this.#options
    const client = new WebTorrent({
      torrentPort: { host, port },
      dhtPort: { address: host, port: 0 },
      dht: { bootstrap: [], maxAge: DHT_PEER_AGE_MS, maxTables: 1_000 },
      tracker: false,
      lsd: false,
      // A peer of a public swarm would fill the table of addresses; the private DHT and gossip find ours.
      utPex: false,
      natUpnp: false,
      natPmp: false,
      webSeeds: false,
      utp: false,
      secure: 0,
      maxConns: this.#limits.connectionsMax || OUTBOUND_MAX,
      downloadLimit: this.#limits.downloadBytesPerSecond || -1,
      uploadLimit: this.#limits.uploadBytesPerSecond || -1,
    })
    const acceptor = new Acceptor(client, {
      torrentOf: (infoHash) => this.#torrentOf(infoHash),
      guard: (wire) => this.#guardOf(wire),
    })
    boundAnnouncedPeers(client.dht, { maxAgeMs: DHT_PEER_AGE_MS, now: () => performance.now(), random: Math.random })
    guardDatagrams(client.dht._rpc.socket.socket, 'private', () => this.#rejectedMessages++)
    await listening(client, host, port)
    client.on('error', (error: Error) => this.#onStopped(error.message))
    const dht = new DhtPresence(client.dht, dhtBootstrap, client.torrentPort, timers)
    this.#running = { client, acceptor, dht }
  }

  get port(): number {
    return this.#running?.client.torrentPort ?? 0
  }

  get dht(): { readonly port: number; readonly nodeCount: number } {
    const node = this.#running?.client.dht
    return node === undefined || node.destroyed
      ? { port: 0, nodeCount: 0 }
      : { port: node.address().port, nodeCount: node.nodes.count() }
  }

  get rejectedMessages(): number {
    return this.#rejectedMessages
  }

  configure({ downloadBytesPerSecond, uploadBytesPerSecond, connectionsMax }: EngineLimits): void {
    this.#limits = { downloadBytesPerSecond, uploadBytesPerSecond, connectionsMax }
    const client = this.#running?.client
    if (client === undefined) return
    client.throttleDownload(downloadBytesPerSecond || -1)
    client.throttleUpload(uploadBytesPerSecond || -1)
    client.maxConns = connectionsMax || OUTBOUND_MAX
  }

  open(options: OpenSwarm): Swarm {
    const running = this.#running
    if (running === undefined) throw new Error('the host does not run')
    const { infoHash, peers } = options
    const { identity, admits, clock, timers } = this.#options
    const swarm = new WebtorrentSwarm({
      ...options,
      ...{ client: running.client, identity, admits: admits ?? (() => true), clock, timers },
      guardOf: (wire) => this.#guardOf(wire),
      closed: () => {
        if (this.#swarms.get(infoHash) === swarm) this.#swarms.delete(infoHash)
        running.dht.withdraw(infoHash)
      },
    })
    this.#swarms.set(infoHash, swarm)
    swarm.torrent.once('infoHash', () => {
      running.dht.announce(infoHash, () => !swarm.status.isDone)
      for (const endpoint of peers) swarm.connect(endpoint)
    })
    return swarm
  }

  /** An open torrent that nobody asks for costs little more here. */
  rest(): undefined {
    return undefined
  }

  urge(infoHash: InfoHash): void {
    this.#running?.dht.urge(infoHash)
  }

  accept(connection: MadeConnection): void {
    // Its maker gave it what webtorrent wants of a socket; the two know of one another only here.
    if (this.#running === undefined) connection.destroy()
    else this.#running.acceptor.accept(connection as unknown as Socket)
  }

  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    return this.#running?.dht.lookup(infoHash, signal) ?? Promise.resolve([])
  }

  async close(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running === undefined) return
    running.dht.close()
    running.acceptor.close()
    if (!running.client.destroyed) await new Promise<void>((resolve) => running.client.destroy(() => resolve()))
  }

  #torrentOf(infoHash: string) {
    const torrent = this.#swarms.get(infoHash as InfoHash)?.torrent
    return torrent?.infoHash === infoHash && !torrent.destroyed ? torrent : undefined
  }

  #guardOf(wire: Wire): WireGuard {
    let guard = this.#guards.get(wire)
    if (guard === undefined) {
      guard = new WireGuard(wire, () => this.#rejectedMessages++)
      this.#guards.set(wire, guard)
    }
    return guard
  }
}

function listening(client: WebTorrent, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let waiting = 2
    const ready = () => {
      if (--waiting === 0) resolve()
    }
    client.once('listening', ready)
    client.dht.once('listening', ready)
    client.once('error', (cause: Error & { code?: string }) => {
      if (waiting === 0) return
      const taken = cause.code === 'EADDRINUSE'
      reject(
        new TorrentError(
          'PORT_IN_USE',
          taken
            ? `port ${port} of ${host} is in use: choose another with --port, or stop what uses it`
            : `port ${port} of ${host} cannot be opened: ${cause.message}`,
          { cause },
        ),
      )
    })
  })
}

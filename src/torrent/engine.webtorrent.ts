import type { Socket } from 'node:net'
import WebTorrent from 'webtorrent'
import type { Wire } from 'webtorrent/lib/wire'
import type { Clock, InfoHash, PeerId, Timers } from '../events/index.ts'
import { Acceptor } from './acceptor.webtorrent.ts'
import { BanList } from './ban-list.ts'
import type { CreateOptions } from './create.webtorrent.ts'
import { createFrom } from './create.webtorrent.ts'
import { guardDatagrams } from './dht-guard.webtorrent.ts'
import { DhtPresence } from './dht-presence.webtorrent.ts'
import { diskProblem } from './disk-problem.ts'
import type {
  AddOptions,
  EngineOptions,
  MadeConnection,
  TorrentEngine,
  TorrentEngineEvents,
  TorrentSource,
  TorrentStatus,
} from './engine.ts'
import { TorrentError } from './engine.ts'
import { KnownEndpoints } from './known-endpoints.ts'
import { parseMagnet } from './magnet.ts'
import { checkTorrentFile } from './metainfo.ts'
import { endpointOf } from './peer-session.webtorrent.ts'
import { PieceStore } from './piece-store.fs.ts'
import { statusOf } from './status.webtorrent.ts'
import { Swarm, sha1 } from './swarm.webtorrent.ts'
import { TorrentEntry } from './torrent-entry.ts'
import { WireGuard } from './wire-guard.webtorrent.ts'

/** Connections of one torrent that we opened. */
const OUTBOUND_MAX = 55
/** Peers that announced are remembered by our DHT node this long. */
const DHT_PEER_AGE_MS = 20 * 60_000

/** The engine on webtorrent. Importing this file loads all of webtorrent, which takes a second: import it late. */
export function createWebtorrentEngine(options: EngineOptions & { clock: Clock; timers: Timers }): TorrentEngine {
  return new WebtorrentEngine(options)
}

type Running = { client: WebTorrent; acceptor: Acceptor; dht: DhtPresence }

class WebtorrentEngine implements TorrentEngine {
  readonly #options: EngineOptions & { clock: Clock; timers: Timers }
  readonly #entries = new Map<InfoHash, TorrentEntry>()
  readonly #swarms = new Map<InfoHash, Swarm>()
  readonly #bans = new BanList()
  readonly #onThinIce = new Set<PeerId>()
  readonly #endpoints = new KnownEndpoints()
  readonly #guards = new WeakMap<Wire, WireGuard>()
  #events: TorrentEngineEvents | undefined
  #running: Running | undefined
  #disposed: Promise<void> | undefined
  #rejectedMessages = 0

  constructor(options: EngineOptions & { clock: Clock; timers: Timers }) {
    this.#options = options
  }

  listen(events: TorrentEngineEvents): void {
    this.#events = events
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { host, port, dhtBootstrap, timers } = this.#options
    const client = new WebTorrent({
      torrentPort: { host, port },
      dhtPort: { address: host, port: 0 },
      dht: { bootstrap: [], maxAge: DHT_PEER_AGE_MS, maxTables: 1_000, maxPeers: 10_000 },
      tracker: false,
      lsd: false,
      // A peer of a public swarm would fill the table of addresses; the private DHT and gossip find ours.
      utPex: false,
      natUpnp: false,
      natPmp: false,
      webSeeds: false,
      utp: false,
      secure: 0,
      maxConns: OUTBOUND_MAX,
      downloadLimit: this.#options.downloadBytesPerSecondMax ?? -1,
      uploadLimit: this.#options.uploadBytesPerSecondMax ?? -1,
    })
    const acceptor = new Acceptor(client, {
      torrentOf: (infoHash) => this.#torrentOf(infoHash),
      guard: (wire) => this.#guardOf(wire),
    })
    guardDatagrams(client.dht._rpc.socket.socket, () => this.#rejectedMessages++)
    await listening(client, host, port)
    client.on('error', (error: Error) => this.#onClientError(error))
    const dht = new DhtPresence(client.dht, dhtBootstrap, client.torrentPort, timers)
    this.#running = { client, acceptor, dht }
    for (const entry of this.#entries.values()) if (!entry.paused) this.#open(entry)
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

  async add(source: TorrentSource, options: AddOptions): Promise<InfoHash> {
    const entry = entryOf(source, options)
    const { infoHash } = entry
    if (this.#entries.has(infoHash)) throw new TorrentError('DUPLICATE', `the torrent ${infoHash} is here already`)
    this.#entries.set(infoHash, entry)
    if (entry.metainfo !== undefined) this.#events?.described(entry.metainfo)
    if (!entry.paused) this.#open(entry)
    return infoHash
  }

  create(paths: readonly string[], options: CreateOptions) {
    return createFrom(paths, options)
  }

  async remove(infoHash: InfoHash, { deleteFiles }: { deleteFiles: boolean }): Promise<void> {
    const entry = this.#entryOf(infoHash)
    this.#entries.delete(infoHash)
    await this.#close(entry)
    if (!deleteFiles || entry.metainfo === undefined) return
    try {
      await new PieceStore(entry.metainfo, entry.directory).deleteFiles()
    } catch (cause) {
      throw new TorrentError('DISK', `its files could not all be deleted: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      })
    }
  }

  async pause(infoHash: InfoHash): Promise<void> {
    const entry = this.#entryOf(infoHash)
    entry.paused = true
    await this.#close(entry)
  }

  async resume(infoHash: InfoHash): Promise<void> {
    const entry = this.#entryOf(infoHash)
    entry.paused = false
    entry.problem = undefined
    if (!this.#swarms.has(infoHash)) this.#open(entry)
  }

  status(infoHash: InfoHash): TorrentStatus | undefined {
    const entry = this.#entries.get(infoHash)
    return entry === undefined ? undefined : statusOf(entry, this.#swarms.get(infoHash))
  }

  list(): readonly TorrentStatus[] {
    return [...this.#entries.values()].map((entry) => statusOf(entry, this.#swarms.get(entry.infoHash)))
  }

  thinIce(peer: PeerId, isOnIt: boolean): void {
    if (isOnIt) this.#onThinIce.add(peer)
    else this.#onThinIce.delete(peer)
  }

  ban(peer: PeerId): void {
    this.#bans.ban(peer)
    for (const swarm of this.#swarms.values()) swarm.enforceBans()
  }

  unban(peer: PeerId): void {
    this.#bans.unban(peer)
  }

  corrupt(infoHash: InfoHash, percent: number): void {
    const entry = this.#entryOf(infoHash)
    entry.corruptPercent = Math.min(100, Math.max(0, percent))
    const swarm = this.#swarms.get(infoHash)
    if (swarm !== undefined) swarm.corruptPercent = entry.corruptPercent
  }

  connect(infoHash: InfoHash, host: string, port: number): void {
    this.#entryOf(infoHash)
    this.#swarms.get(infoHash)?.connect(endpointOf(host, port))
  }

  adopt(connection: MadeConnection, infoHash?: InfoHash): void {
    // Its maker gave it what webtorrent wants of a socket; the two know of one another only here.
    const socket = connection as unknown as Socket
    const swarm = infoHash === undefined ? undefined : this.#swarms.get(infoHash)
    if (infoHash === undefined && this.#running !== undefined) this.#running.acceptor.accept(socket)
    else if (swarm !== undefined) swarm.adopt(socket)
    else connection.destroy()
  }

  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    return this.#running?.dht.lookup(infoHash, signal) ?? Promise.resolve([])
  }

  get rejectedMessages(): number {
    return this.#rejectedMessages
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running === undefined) return
    running.dht.close()
    await Promise.all([...this.#swarms.values()].map((swarm) => swarm.close()))
    this.#swarms.clear()
    running.acceptor.close()
    if (!running.client.destroyed) await new Promise<void>((resolve) => running.client.destroy(() => resolve()))
  }

  #open(entry: TorrentEntry): void {
    const running = this.#running
    if (running === undefined) return
    const { infoHash } = entry
    const swarm = new Swarm({
      client: running.client,
      infoHash,
      name: entry.name,
      directory: entry.directory,
      metainfo: entry.metainfo,
      verified: entry.verified,
      corruptPercent: entry.corruptPercent,
      identity: this.#options.identity,
      bans: this.#bans,
      onThinIce: this.#onThinIce,
      endpoints: this.#endpoints,
      guardOf: (wire) => this.#guardOf(wire),
      clock: this.#options.clock,
      timers: this.#options.timers,
      events: {
        described: (metainfo) => {
          entry.describe(metainfo)
          this.#events?.described(metainfo)
        },
        checked: (bitfield) => entry.checked(bitfield),
        verified: (pieces) => {
          const fresh = entry.addVerified(pieces)
          if (fresh.length > 0) this.#events?.verified(infoHash, fresh)
        },
        judged: (...verdict) => this.#events?.judged(...verdict),
        suspected: (...suspicion) => this.#events?.suspected(...suspicion),
        peer: (...change) => this.#events?.peer(...change),
        completed: () => {
          if (entry.completed) return
          entry.completed = true
          this.#events?.completed(infoHash)
        },
        failed: (error) => this.#onFailed(entry, error),
      },
    })
    this.#swarms.set(infoHash, swarm)
    swarm.torrent.once('infoHash', () => {
      running.dht.announce(infoHash)
      for (const { host, port } of entry.peers) swarm.connect(endpointOf(host, port))
    })
  }

  async #close(entry: TorrentEntry): Promise<void> {
    const swarm = this.#swarms.get(entry.infoHash)
    if (swarm === undefined) return
    this.#swarms.delete(entry.infoHash)
    this.#running?.dht.withdraw(entry.infoHash)
    entry.downloadedBytes += swarm.torrent.received
    entry.uploadedBytes += swarm.torrent.uploaded
    await swarm.close()
  }

  #onFailed(entry: TorrentEntry, error: Error): void {
    if (this.#entries.get(entry.infoHash) !== entry || entry.problem !== undefined) return
    entry.problem = diskProblem(error, entry.directory)
    this.#close(entry).catch(() => {})
    this.#events?.failed(entry.infoHash, entry.problem)
  }

  /** The client is gone: its UDP or TCP socket failed. Torrents say so; the process lives on. */
  #onClientError(error: Error): void {
    if (this.#running === undefined) return
    for (const entry of this.#entries.values()) this.#onFailed(entry, new Error(`the torrent engine stopped: ${error.message}`))
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

  #entryOf(infoHash: InfoHash): TorrentEntry {
    const entry = this.#entries.get(infoHash)
    if (entry === undefined) throw new TorrentError('UNKNOWN_INFO_HASH', `there is no torrent ${infoHash} here`)
    return entry
  }
}

function entryOf(source: TorrentSource, options: AddOptions): TorrentEntry {
  const { directory, verified, paused = false } = options
  if (source.kind === 'torrent-file') {
    const metainfo = checkTorrentFile(source.bytes, sha1)
    return new TorrentEntry({ infoHash: metainfo.infoHash, metainfo, directory, paused, verified })
  }
  const { infoHash, name, peers } = parseMagnet(source.uri)
  return new TorrentEntry({ infoHash, name, peers, directory, paused, verified })
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

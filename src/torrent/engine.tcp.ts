import { randomBytes, randomInt } from 'node:crypto'
import { createServer, type Server, Socket } from 'node:net'
import DHT from 'bittorrent-dht'
import { BoundedMap, boundAnnouncedPeers, fromHex, type InfoHash, type TorrentSources, toHex } from '../events/index.ts'
import { Connection, type Opening } from './connection.tcp.ts'
import { guardDatagrams } from './dht-guard.mainline.ts'
import { DhtPresence } from './dht-presence.mainline.ts'
import { systemDhKeys } from './encryption/dh.system.ts'
import { hashOfSkey } from './encryption/index.ts'
import { canonicalHost, endpointOf, hostOf, isBelieved, networkOf, portOf, type Reach, reachOf } from './endpoint.ts'
import { createEngine, type EngineParts } from './engine.fs.ts'
import type { Encryption, EngineLimits, MadeConnection, TorrentEngine } from './engine.ts'
import { TorrentError } from './engine.ts'
import { FileWatch } from './file-watch.fs.ts'
import { FilesChanged } from './files-changed.ts'
import { HashThread } from './hash-thread.system.ts'
import { inSteps } from './in-steps.system.ts'
import { infoSteps, type Metainfo } from './metainfo.ts'
import type { PeerStream } from './peer-link.tcp.ts'
import { PieceStore } from './piece-store.fs.ts'
import { sha1 } from './sha1.system.ts'
import { LocalDiscovery } from './sources/lsd.system.ts'
import { PublicDht } from './sources/public-dht.mainline.ts'
import { PublicSources } from './sources/public-sources.ts'
import { isOwnMachine, protocolOf } from './sources/tracker-address.ts'
import { announceHttp } from './sources/tracker-http.system.ts'
import { announceUdp } from './sources/tracker-udp.system.ts'
import { WebSeedStream } from './sources/web-seed.system.ts'
import { serverOf } from './sources/web-server.system.ts'
import { PeerSwarm, type PieceFiles } from './swarm/peer-swarm.ts'
import { SendBuffers } from './swarm/send-buffers.ts'
import { type TransferFlow, TransferTurns } from './swarm/transfer-turns.ts'
import type { OpenSwarm, Swarm, SwarmHost } from './swarm.ts'
import { WakeLimit } from './wake-limit.ts'
import { WriteThread } from './write-thread.system.ts'

/** Connections over all torrents, and how many of them others may have made. */
const CONNECTIONS_MAX = 500
const INBOUND_SHARE = 0.6
/** Peers of a torrent that are served at a time. */
const UPLOAD_SLOTS = 16
/** From one address, or one network (/64) of IPv6; several nodes may share it. */
const INBOUND_PER_HOST_MAX = 64
/** Where there is no room, an inbound connection that gave and took no block for so long gives way. */
const IDLE_MS = 20_000
const DIAL_MS = 10_000
/** Peers that announced are remembered by our DHT node this long. */
const DHT_PEER_AGE_MS = 20 * 60_000
const DHT_TABLES_MAX = 1_000
/** Connections that wait for a seed at rest to be opened. */
const WAITING_MAX = 64
/** Seeds at rest that connections open in a second, and those from one address; several nodes may share it. */
const WAKES_PER_SECOND_MAX = 40
const WAKES_PER_HOST_MAX = 20
/** Read at once, by all connections that we made: what is read is through before the next read. */
const READ_BYTES = 256 * 1024
/** Endpoints that are known to hang up on whoever does not encrypt; the oldest are forgotten. */
const ENCRYPTED_MAX = 4_096
/** Where peers of IPv6 come to, for an address that those of IPv4 come to. */
const V6_BESIDE: Readonly<Record<string, string>> = { '0.0.0.0': '::', '127.0.0.1': '::1' }
/** Azureus style (BEP 20). */
const PEER_ID_PREFIX = '-P20001-'

/** Our own engine, over TCP. */
export const createTcpEngine = (options: EngineParts): TorrentEngine =>
  createEngine((onStopped) => new TcpHost(options, onStopped), options)

/** `servers`: over IPv4, and over IPv6 where there is any. */
type Running = { servers: readonly Server[]; dht: DHT; presence: DhtPresence }

class TcpHost implements SwarmHost {
  readonly #options: EngineParts
  readonly #onStopped: (reason: string) => void
  readonly #encryption: Encryption
  readonly #swarms = new Map<InfoHash, PeerSwarm>()
  /** Seeds that nobody has open, and how to open each. */
  readonly #resting = new Map<InfoHash, () => Promise<unknown>>()
  /** Those that are being opened for a peer, which others may wait for as well. */
  readonly #opening = new Map<InfoHash, Promise<unknown>>()
  readonly #wakes = new WakeLimit({
    waitingMax: WAITING_MAX,
    perSecondMax: WAKES_PER_SECOND_MAX,
    perHostMax: WAKES_PER_HOST_MAX,
  })
  /** Torrents that are open or at rest, by what an encrypted handshake says of them. */
  readonly #byKey = new Map<string, InfoHash>()
  /** Whom to dial with encryption the next time. */
  readonly #encrypted = new BoundedMap<string, true>(ENCRYPTED_MAX)
  readonly #keys = systemDhKeys()
  readonly #streams = new Set<PeerStream>()
  /** Of those that were made by others, and the host that counts them. */
  readonly #inbound = new Map<PeerStream, { readonly host: string; readonly connection: Connection }>()
  readonly #peerId = Buffer.concat([Buffer.from(PEER_ID_PREFIX), randomBytes(20 - PEER_ID_PREFIX.length)])
  /** No Buffer: the `slice` of one is no copy, and what is read next would stand in it. */
  readonly #readBuffer = new Uint8Array(READ_BYTES)
  readonly #hashes = new HashThread()
  readonly #writes = new WriteThread()
  readonly #downloads: TransferTurns
  readonly #uploads: TransferTurns
  /** What comes over connections that have named no torrent yet. */
  readonly #unnamed: TransferFlow
  readonly #sendBuffers = new SendBuffers()
  #connectionsMax = CONNECTIONS_MAX
  #uploadSlots = UPLOAD_SLOTS
  #running: Running | undefined
  #rejectedMessages = 0
  readonly #trackerKey = randomInt(2 ** 32)
  readonly #publicDht: PublicDht
  readonly #local: LocalDiscovery

  constructor(options: EngineParts, onStopped: (reason: string) => void) {
    this.#options = options
    this.#onStopped = onStopped
    this.#encryption = options.encryption ?? 'allow'
    const { host, clock, timers } = options
    this.#downloads = new TransferTurns({ timers, now: () => clock.now() })
    this.#uploads = new TransferTurns({ timers, now: () => clock.now() })
    this.#unnamed = this.#downloads.flow()
    const common = { host, clock, timers, port: () => this.port, now: () => performance.now() }
    this.#publicDht = new PublicDht({
      ...common,
      bootstrap: options.publicDhtBootstrap ?? [],
      rejected: () => this.#rejectedMessages++,
    })
    this.#local = new LocalDiscovery({ ...common, hasV6: () => (this.#running?.servers.length ?? 0) > 1 })
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { host, port, dhtBootstrap, timers } = this.#options
    const servers = await this.#listen(host, port)
    const dht = new DHT({ bootstrap: [], maxAge: DHT_PEER_AGE_MS, maxTables: DHT_TABLES_MAX })
    boundAnnouncedPeers(dht, { maxAgeMs: DHT_PEER_AGE_MS, now: () => performance.now(), random: Math.random })
    guardDatagrams(dht._rpc.socket.socket, 'private', () => this.#rejectedMessages++)
    dht.setMaxListeners(0)
    dht.on('error', (error: Error) => this.#onStopped(error.message))
    await new Promise<void>((resolve) => dht.listen(0, host, resolve))
    dht.on('peer', (peer: { host: string; port: number }, infoHash: Uint8Array) => {
      this.#swarms.get(toHex(infoHash) as InfoHash)?.found(endpointOf(peer.host, peer.port))
    })
    const presence = new DhtPresence(dht, dhtBootstrap, portOfServer(servers[0]), timers)
    this.#running = { servers, dht, presence }
  }

  async #listen(host: string, port: number): Promise<Server[]> {
    const server = createServer((socket) => this.#accept(socket, this.#encryption))
    await listening(server, { host, port })
    server.on('error', (error) => this.#onStopped(error.message))
    const hostV6 = V6_BESIDE[host]
    if (hostV6 === undefined) return [server]
    const serverV6 = createServer((socket) => this.#accept(socket, this.#encryption))
    try {
      await listening(serverV6, { host: hostV6, port: portOfServer(server), ipv6Only: true })
    } catch {
      // Many machines have no IPv6, and on some the port is another's: peers come over IPv4 then.
      return [server]
    }
    serverV6.on('error', () => {})
    return [server, serverV6]
  }

  get port(): number {
    return portOfServer(this.#running?.servers[0])
  }

  get dht(): { readonly port: number; readonly nodeCount: number } {
    const node = this.#running?.dht
    return node === undefined || node.destroyed
      ? { port: 0, nodeCount: 0 }
      : { port: node.address().port, nodeCount: node.nodes.count() }
  }

  get rejectedMessages(): number {
    return this.#rejectedMessages
  }

  configure({ connectionsMax, uploadSlots, ...rates }: EngineLimits): void {
    this.#downloads.all.set(rates.downloadBytesPerSecond)
    this.#downloads.classes.local.set(rates.localDownloadBytesPerSecond)
    this.#downloads.classes.remote.set(rates.remoteDownloadBytesPerSecond)
    this.#uploads.all.set(rates.uploadBytesPerSecond)
    this.#uploads.classes.local.set(rates.localUploadBytesPerSecond)
    this.#uploads.classes.remote.set(rates.remoteUploadBytesPerSecond)
    this.#connectionsMax = connectionsMax || CONNECTIONS_MAX
    this.#uploadSlots = uploadSlots || UPLOAD_SLOTS
    for (const stream of [...this.#streams].slice(this.#connectionsMax)) stream.destroy()
  }

  open(options: OpenSwarm): Swarm {
    const running = this.#running
    if (running === undefined) throw new Error('the host does not run')
    const { infoHash } = options
    const { identity, admits, clock, timers } = this.#options
    const swarm: PeerSwarm = new PeerSwarm({
      ...options,
      ...{ identity, admits: admits ?? (() => true), clock, timers, sha1, random: Math.random },
      hash: (piece) => this.#hashes.hash(piece),
      checkInfo: (info) => inSteps(infoSteps(info, sha1)),
      ourPeerId: toHex(this.#peerId),
      ...{ downloads: this.#downloads, uploads: this.#uploads },
      sendBuffers: this.#sendBuffers,
      uploadSlots: () => this.#uploadSlots,
      hasRoom: () => this.#streams.size < this.#connectionsMax,
      openFiles: (metainfo, signal, onChanged) => this.#openFiles(options, metainfo, signal, onChanged),
      dial: (endpoint) => this.#dial(endpoint, swarm),
      // It came through a hole in a router, encrypted by who made the hole.
      adopt: (connection) =>
        this.#run(connection as unknown as PeerStream, { outbound: true, swarm, encrypts: false, encryption: 'allow' }),
      ourPort: () => this.port,
      openSources: (sources, of) => this.#openSources(sources, of),
      onRejected: () => this.#rejectedMessages++,
      onClosed: () => {
        if (this.#swarms.get(infoHash) === swarm) this.#swarms.delete(infoHash)
        this.#leave(infoHash)
      },
    })
    this.#swarms.set(infoHash, swarm)
    this.#byKey.set(keyOf(infoHash), infoHash)
    running.presence.announce(infoHash, () => swarm.leftBytes > 0 || options.isNew())
    return swarm
  }

  rest(infoHash: InfoHash, wake: () => Promise<unknown>): (() => void) | undefined {
    this.#resting.set(infoHash, wake)
    this.#byKey.set(keyOf(infoHash), infoHash)
    this.#running?.presence.announce(infoHash, () => false)
    return () => {
      if (this.#resting.get(infoHash) === wake) this.#resting.delete(infoHash)
      this.#leave(infoHash)
    }
  }

  urge(infoHash: InfoHash): void {
    this.#running?.presence.urge(infoHash)
  }

  /** It is announced no more, unless it is open or at rest. */
  #leave(infoHash: InfoHash): void {
    if (this.#swarms.has(infoHash) || this.#resting.has(infoHash)) return
    this.#byKey.delete(keyOf(infoHash))
    this.#running?.presence.withdraw(infoHash)
  }

  accept(connection: MadeConnection): void {
    // Its maker gave it what a socket has, and has encrypted it.
    this.#accept(connection as unknown as PeerStream, 'allow')
  }

  async #openFiles(
    { directory, stamps, events }: OpenSwarm,
    metainfo: Parameters<OpenSwarm['events']['described']>[0],
    signal: AbortSignal,
    onChanged: (error: Error) => void,
  ): Promise<{ files: PieceFiles; found: Uint8Array | undefined }> {
    const watch = new FileWatch(metainfo, directory, stamps, (change) => onChanged(new FilesChanged(change)))
    const store = new PieceStore(metainfo, directory, watch, this.#writes)
    const files = filesOf(store)
    try {
      return { files, found: await events.openDisk(metainfo, store, watch, signal) }
    } catch (error) {
      // What was opened to look at them must not wait for the collector.
      await files.close()
      throw error
    }
  }

  #openSources(sources: TorrentSources, swarm: PeerSwarm): PublicSources {
    const { timers } = this.#options
    return new PublicSources(swarm.infoHash, sources, {
      timers,
      shared: { dht: this.#publicDht, local: this.#local },
      told: (endpoints) => swarm.told(endpoints),
      progress: () => ({
        ...{ infoHash: fromHex(swarm.infoHash), peerId: this.#peerId, port: this.port, key: this.#trackerKey },
        uploadedBytes: swarm.status.uploadedBytes,
        downloadedBytes: swarm.status.downloadedBytes,
        leftBytes: swarm.leftBytes,
      }),
      announce: async (tracker, announcement, signal) => {
        const answer =
          protocolOf(tracker) === 'udp'
            ? await announceUdp(tracker, announcement, { signal, timers })
            : await announceHttp(tracker, announcement, signal)
        return { ...answer, peers: answer.peers.filter((endpoint) => isBelieved(endpoint, reachOfTracker(tracker))) }
      },
      found: (endpoint) => swarm.found(endpoint),
      isWanting: () => swarm.leftBytes > 0,
      openWebSeed: (url, metainfo, ended) => this.#openWebSeed(swarm, url, metainfo, ended),
    })
  }

  /** @returns how to close it */
  #openWebSeed(swarm: PeerSwarm, url: string, metainfo: Metainfo, ended: (problem: string | undefined) => void): () => void {
    const { timers } = this.#options
    let stream: WebSeedStream | undefined
    let isClosed = false
    serverOf(url)
      .then(({ host, port }) => {
        if (isClosed) return
        stream = new WebSeedStream({ url, host, port, metainfo, timers, ended })
        this.#run(stream, { outbound: true, swarm, encrypts: false, encryption: 'allow' })
      })
      .catch((error: Error) => ended(error.message))
    return () => {
      isClosed = true
      stream?.destroy()
    }
  }

  #accept(stream: PeerStream, encryption: Encryption): void {
    stream.on('error', () => {})
    const host = stream.remoteAddress && networkOf(canonicalHost(stream.remoteAddress))
    if (host === undefined || this.#running === undefined || this.#isFull(host)) {
      stream.destroy()
      return
    }
    if (stream instanceof Socket) stream.setNoDelay(true)
    const connection = this.#run(stream, { outbound: false, swarm: undefined, encrypts: false, encryption })
    this.#inbound.set(stream, { host, connection })
    stream.once('close', () => this.#inbound.delete(stream))
  }

  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    return this.#running?.presence.lookup(infoHash, signal) ?? Promise.resolve([])
  }

  async close(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    if (running === undefined) return
    const { servers, dht, presence } = running
    presence.close()
    for (const stream of this.#streams) stream.destroy()
    await Promise.all([
      ...servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      this.#publicDht.close(),
      this.#local.close(),
      new Promise<void>((resolve) => dht.destroy(resolve)),
      this.#hashes[Symbol.asyncDispose](),
      this.#writes[Symbol.asyncDispose](),
    ])
  }

  #isFull(host: string): boolean {
    let sameHost = 0
    for (const other of this.#inbound.values()) if (other.host === host) sameHost++
    if (sameHost >= INBOUND_PER_HOST_MAX) return true
    const hasRoom = this.#streams.size < this.#connectionsMax
    return !(hasRoom && this.#inbound.size < Math.ceil(this.#connectionsMax * INBOUND_SHARE)) && !this.#makeRoom()
  }

  /** Whoever only stays shuts out who comes: the one that gave and took nothing for longest goes, strangers first. */
  #makeRoom(): boolean {
    const now = this.#options.clock.now()
    let idlest: { stream: PeerStream; connection: Connection } | undefined
    for (const [stream, { connection }] of this.#inbound) {
      if (now - connection.usedAt >= IDLE_MS && (idlest === undefined || isIdler(connection, idlest.connection)))
        idlest = { stream, connection }
    }
    if (idlest === undefined) return false
    this.#inbound.delete(idlest.stream)
    this.#streams.delete(idlest.stream)
    idlest.stream.destroy()
    return true
  }

  #dial(endpoint: string, swarm: PeerSwarm): void {
    const { timers } = this.#options
    const host = hostOf(endpoint)
    let connection: Connection | undefined
    let isOver = false
    const encryption = this.#encryption
    const encrypts = encryption === 'require' || (encryption === 'allow' && this.#encrypted.get(endpoint) === true)
    const ended = () => {
      if (isOver) return
      isOver = true
      cancel()
      // It hung up on what it heard: it hears the other now, and the next time.
      if (connection !== undefined && !connection.wasAnswered && encryption === 'allow') {
        if (encrypts) this.#encrypted.delete(endpoint)
        else this.#encrypted.set(endpoint, true)
        if (!encrypts && swarm.takesPeers && this.#running !== undefined) {
          this.#dial(endpoint, swarm)
          return
        }
      }
      swarm.dialEnded(endpoint, connection?.hasJoined === true)
    }
    const onread = {
      buffer: this.#readBuffer,
      callback: (bytes: number, buffer: Uint8Array) => connection?.received(buffer.subarray(0, bytes)) ?? true,
    }
    const socket = new Socket({ onread } as ConstructorParameters<typeof Socket>[0])
    const cancel = timers.after(DIAL_MS, () => {
      if (connection === undefined) socket.destroy()
    })
    socket.on('error', () => {})
    socket.once('close', ended)
    socket.once('connect', () => {
      socket.setNoDelay(true)
      connection = this.#run(socket, { outbound: true, swarm, encrypts, encryption, onJoined: ended })
    })
    this.#streams.add(socket)
    socket.once('close', () => this.#streams.delete(socket))
    try {
      socket.connect({ host, port: portOf(endpoint) })
    } catch {
      // No such port.
      socket.destroy()
    }
  }

  /** A peer has named a seed at rest. Undefined if it is none, or too many are being opened. */
  #wake(infoHash: InfoHash, host: string): Promise<void> | undefined {
    const wake = this.#resting.get(infoHash)
    let opening = this.#opening.get(infoHash)
    if ((wake === undefined && opening === undefined) || !this.#wakes.take(host, performance.now())) return undefined
    if (opening === undefined) {
      opening = (wake?.() ?? Promise.resolve()).catch(() => {}).finally(() => this.#opening.delete(infoHash))
      this.#opening.set(infoHash, opening)
    }
    return opening.then(() => this.#wakes.ended())
  }

  #run(stream: PeerStream, options: Opening): Connection {
    const { clock, timers } = this.#options
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    return new Connection(stream, {
      ...options,
      peerId: this.#peerId,
      keys: this.#keys,
      swarmOf: (infoHash) => this.#swarms.get(infoHash),
      wake: (infoHash) => this.#wake(infoHash, stream.remoteAddress ?? ''),
      infoHashOf: (key) => this.#byKey.get(toHex(key)),
      downloads: this.#unnamed,
      now: () => clock.now(),
      after: (waitMs, run) => timers.after(waitMs, run),
      onRejected: () => this.#rejectedMessages++,
    })
  }
}

const reachOfTracker = (tracker: string): Reach => {
  const { hostname } = new URL(tracker)
  return isOwnMachine(hostname) ? 'machine' : reachOf(hostname.replace(/^\[|\]$/g, ''))
}

const isIdler = (one: Connection, other: Connection): boolean =>
  one.isProven === other.isProven ? one.usedAt < other.usedAt : other.isProven

const keyOf = (infoHash: InfoHash): string => toHex(hashOfSkey(sha1, fromHex(infoHash)))

const filesOf = (store: PieceStore): PieceFiles => ({
  read: (index, offset, parts) => store.read(index, offset, parts),
  write: (index, piece) =>
    new Promise((resolve, reject) => store.put(index, piece, (error) => (error === null ? resolve() : reject(error)))),
  createEmptyFiles: (isWanted) => store.createEmptyFiles(isWanted),
  settle: (files) => store.settle(files),
  close: () => new Promise((resolve) => store.close(() => resolve())),
})

const portOfServer = (server: Server | undefined): number => {
  const address = server?.address() ?? null
  return typeof address === 'object' && address !== null ? address.port : 0
}

function listening(server: Server, options: { host: string; port: number; ipv6Only?: boolean }): Promise<void> {
  const { host, port } = options
  return new Promise((resolve, reject) => {
    const failed = (cause: Error & { code?: string }) => {
      const taken = cause.code === 'EADDRINUSE'
      const problem = taken
        ? `port ${port} of ${host} is in use: choose another with --port, or stop what uses it`
        : `port ${port} of ${host} cannot be opened: ${cause.message}`
      reject(new TorrentError('PORT_IN_USE', problem, { cause }))
    }
    server.once('error', failed)
    server.listen(options, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

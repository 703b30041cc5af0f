import type { Clock, FileSelection, InfoHash, PeerId, PieceRange, Rates, Timers, TorrentSources } from '../events/index.ts'
import { createFrom, type DhtNodes } from './create.fs.ts'
import { hashDisk } from './disk-check.fs.ts'
import { DiskTurns } from './disk-turns.fs.ts'
import { endpointOf } from './endpoint.ts'
import type {
  AddOptions,
  CreateOptions,
  DiskState,
  EngineLimits,
  EngineOptions,
  Inspected,
  MadeConnection,
  PlaceOptions,
  StandingOptions,
  TorrentEngine,
  TorrentEngineEvents,
  TorrentFile,
  TorrentSource,
  TorrentStatus,
} from './engine.ts'
import { TorrentError } from './engine.ts'
import { EngineContext } from './engine-context.ts'
import { moveEntry, placeAfter, tidyElsewhere } from './entry-moves.fs.ts'
import { layoutOf } from './file-layout.ts'
import { piecePriorities, priorityOfFile, wantedPieces } from './file-selection.ts'
import { FilesChanged } from './files-changed.ts'
import { inSteps } from './in-steps.system.ts'
import { parseMagnet } from './magnet.ts'
import { torrentFileSteps } from './metainfo.ts'
import { OpenTorrents, wantedOf } from './open-torrents.fs.ts'
import { PathClaims } from './path-claims.fs.ts'
import { rangesOfBitfield } from './piece-ranges.ts'
import { PieceStore } from './piece-store.fs.ts'
import { PrivatePlaces } from './private-places.fs.ts'
import { entryOf, loaded } from './read-entry.fs.ts'
import { sha1 } from './sha1.system.ts'
import type { SourceStatus } from './sources/public-sources.ts'
import { standingFiles } from './standing-files.fs.ts'
import type { SwarmHost } from './swarm.ts'
import type { TorrentEntry } from './torrent-entry.ts'
import { statusOf } from './torrent-status.ts'

// The engine over any host of swarms: which torrents there are, open or not, which files are whose, and what was verified.

/** A look at what must not be published holds for so long, ms. */
const PRIVATE_MS = 1_000
/** Addresses kept of those that magnet links named. */
const NAMED_PEERS_MAX = 16

export type EngineParts = EngineOptions & { clock: Clock; timers: Timers }

/**
 * @param newHost its `onStopped` is for a socket that failed: torrents say so, the process lives on
 * @param parts its bootstraps are what torrents that are made here name, for others to find the DHT by
 */
export function createEngine(newHost: (onStopped: (reason: string) => void) => SwarmHost, parts: EngineParts): TorrentEngine {
  return new FileEngine(newHost, parts)
}

class FileEngine implements TorrentEngine {
  readonly #engine: EngineContext
  readonly #claims: PathClaims
  readonly #disk: DiskTurns
  readonly #open: OpenTorrents
  readonly #nodes: DhtNodes
  #private: { of: string | undefined; at: number; places: Promise<PrivatePlaces> } | undefined
  #disposed: Promise<void> | undefined

  constructor(newHost: (onStopped: (reason: string) => void) => SwarmHost, parts: EngineParts) {
    this.#nodes = parts.dhtBootstrap
    this.#engine = new EngineContext(
      newHost((reason) => this.#onStopped(reason)),
      parts,
    )
    this.#claims = new PathClaims(this.#engine)
    this.#disk = new DiskTurns(this.#engine, this.#claims)
    this.#open = new OpenTorrents(this.#engine, this.#disk, parts.restAfterMs)
  }

  listen(events: TorrentEngineEvents): void {
    this.#engine.events = events
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#engine.host.start(signal)
    this.#engine.isRunning = true
    for (const entry of this.#engine.entries.values()) if (!entry.paused && entry.changed === undefined) this.#open.start(entry)
  }

  get port(): number {
    return this.#engine.host.port
  }

  get dht(): { readonly port: number; readonly nodeCount: number } {
    return this.#engine.host.dht
  }

  async add(source: TorrentSource, options: AddOptions): Promise<InfoHash> {
    const entry = await entryOf(source, options)
    const { infoHash } = entry
    const duplicate = () => new TorrentError('DUPLICATE', `the torrent ${infoHash} is here already`)
    if (this.#engine.entries.has(infoHash)) throw duplicate()
    const { metainfo } = entry
    await tidyElsewhere(entry, metainfo, options.elsewhere)
    if (metainfo !== undefined) {
      if (entry.ownsFiles) this.#claims.places.add(entry)
      else await this.#claims.claim(entry)
      // Somebody may have added it while the paths were looked up.
      if (this.#engine.entries.has(infoHash)) throw duplicate()
    }
    this.#engine.entries.set(infoHash, entry)
    if (options.isNew === true) this.#open.isNew(entry)
    if (options.isHashed === true) entry.sampledAt = this.#engine.clock.now()
    if (metainfo !== undefined) this.#engine.events?.described(metainfo)
    if (!entry.paused && entry.changed === undefined) this.#open.start(entry, entry.metainfo, options.isHashed)
    if (!this.#open.swarms.has(infoHash)) entry.letGo()
    return infoHash
  }

  async inspect(source: TorrentSource): Promise<Inspected> {
    if (source.kind === 'magnet') {
      const { infoHash, trackers, webSeeds, selected } = parseMagnet(source.uri)
      return { infoHash, trackers: [...trackers], webSeeds: [...webSeeds], wanted: selected, paths: undefined }
    }
    const { infoHash, files, trackers, webSeeds } = await inSteps(torrentFileSteps(source.bytes, sha1))
    const paths = files.map(({ path, padding }) => (padding ? '' : path.join('/')))
    return { infoHash, trackers: trackers.flat(), webSeeds: [...webSeeds], wanted: undefined, paths }
  }

  async supply(source: TorrentSource): Promise<InfoHash | undefined> {
    // A torrent file tells nothing new where none waits for its metainfo.
    if (source.kind === 'torrent-file' && [...this.#engine.entries.values()].every((entry) => entry.hasMetainfo))
      return undefined
    const offered = await entryOf(source, { directory: '' })
    const entry = this.#engine.entries.get(offered.infoHash)
    if (entry === undefined) return undefined
    const { infoHash } = entry
    if (offered.metainfo !== undefined && !entry.hasMetainfo) {
      await this.#open.close(entry)
      entry.describe(offered.metainfo)
      this.#engine.events?.described(offered.metainfo)
      if (!entry.paused && this.#engine.entries.get(infoHash) === entry) this.#open.start(entry)
      return infoHash
    }
    if (offered.peers.length === 0) return undefined
    const known = new Set(offered.peers.map(({ host, port }) => endpointOf(host, port)))
    const others = entry.peers.filter(({ host, port }) => !known.has(endpointOf(host, port)))
    entry.peers = [...offered.peers, ...others].slice(0, NAMED_PEERS_MAX)
    for (const { host, port } of offered.peers) this.#open.openedFor(entry, (swarm) => swarm.connect(endpointOf(host, port)))
    return infoHash
  }

  async create(paths: readonly string[], options: CreateOptions) {
    const places = await this.#privatePlaces(options.dataDirectory)
    return createFrom(paths, { ...options, places, nodes: this.#nodes }, sha1)
  }

  async standing(torrentFile: Uint8Array, options: StandingOptions) {
    return standingFiles(torrentFile, { ...options, places: await this.#privatePlaces(options.dataDirectory) })
  }

  /** Hundreds of publications a second share one look at what is private. */
  #privatePlaces(dataDirectory: string | undefined): Promise<PrivatePlaces> {
    const now = this.#engine.clock.now()
    const known = this.#private
    if (known !== undefined && known.of === dataDirectory && now - known.at < PRIVATE_MS) return known.places
    const places = PrivatePlaces.of(dataDirectory)
    this.#private = { of: dataDirectory, at: now, places }
    places.catch(() => {
      this.#private = undefined
    })
    return places
  }

  configure(limits: EngineLimits): void {
    this.#engine.host.configure(limits)
  }

  limit(infoHash: InfoHash, rates: Rates): void {
    this.#entryOf(infoHash).rates = rates
    this.#open.swarms.get(infoHash)?.limit(rates)
  }

  async setSources(infoHash: InfoHash, sources: TorrentSources): Promise<void> {
    const entry = this.#entryOf(infoHash)
    entry.sources = sources
    this.#open.swarms.get(infoHash)?.setSources(sources)
    // What is looked for elsewhere stays open.
    if (entry.atRest !== undefined && !this.#open.mayRest(entry)) await this.#open.wake(entry)
  }

  sources(infoHash: InfoHash): readonly SourceStatus[] {
    this.#entryOf(infoHash)
    return this.#open.swarms.get(infoHash)?.sources() ?? []
  }

  async remove(infoHash: InfoHash, { deleteFiles }: { deleteFiles: boolean }): Promise<void> {
    const entry = this.#entryOf(infoHash)
    const removed = new TorrentError('UNKNOWN_INFO_HASH', 'the torrent was removed')
    entry.recheck?.abort(removed)
    entry.move?.stop.abort(removed)
    await entry.move?.ended
    this.#engine.entries.delete(infoHash)
    await this.#open.close(entry)
    this.#claims.places.remove(infoHash)
    // What was never found to be this torrent's own stays: it is another torrent's, or a person's.
    const metainfo = deleteFiles && entry.ownsFiles ? await entry.load() : undefined
    if (metainfo === undefined) return
    try {
      const shared = await this.#claims.places.shared(entry)
      await new PieceStore(metainfo, entry.directory).deleteFiles(shared)
    } catch (cause) {
      throw new TorrentError('DISK', `its files could not all be deleted: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      })
    }
  }

  async pause(infoHash: InfoHash): Promise<void> {
    const entry = this.#entryOf(infoHash)
    entry.paused = true
    entry.recheck?.abort(new TorrentError('CHECKING', 'the torrent was paused while it was checked'))
    await this.#open.close(entry)
  }

  async resume(infoHash: InfoHash): Promise<void> {
    const entry = this.#entryOf(infoHash)
    if (entry.changed !== undefined) throw new FilesChanged(entry.changed)
    this.#refuseWhileChecking(entry)
    // A complete torrent writes nothing; what lacks pieces must not download them over another's files.
    if (entry.ownsFiles && entry.hasMetainfo && !entry.complete) {
      const taken = await this.#claims.places.conflict(entry, this.#claims.stampedBy(entry))
      if (taken !== undefined) throw this.#claims.pathTaken(entry, taken)
    }
    await this.#open.closed(infoHash)
    const metainfo = await entry.load()
    if (this.#engine.entries.get(infoHash) !== entry) return
    entry.paused = false
    entry.problem = undefined
    if (!this.#open.swarms.has(infoHash) && entry.atRest === undefined) this.#open.start(entry, metainfo)
    this.#engine.host.urge(infoHash)
  }

  async recheck(
    infoHash: InfoHash,
    options: { signal?: AbortSignal; onProgress?: (doneBytes: number, totalBytes: number) => void },
  ): Promise<DiskState> {
    const entry = this.#entryOf(infoHash)
    const { directory } = entry
    this.#refuseWhileChecking(entry)
    entry.recheck = new AbortController()
    const signal = AbortSignal.any([entry.recheck.signal, ...(options.signal === undefined ? [] : [options.signal])])
    const wasOpen = this.#open.swarms.has(infoHash) || entry.atRest !== undefined
    let isOver = false
    try {
      const metainfo = await loaded(entry)
      await this.#open.close(entry)
      const found = await hashDisk(metainfo, directory, { signal, onProgress: options.onProgress })
      isOver = true
      this.#disk.found(entry, found)
      return { pieces: rangesOfBitfield(found.bitfield, metainfo.pieceCount), stamps: found.stamps }
    } finally {
      entry.recheck = undefined
      const isHere = this.#engine.entries.get(infoHash) === entry
      if (!isOver && wasOpen && isHere && !entry.paused && this.#engine.isRunning) this.#open.start(entry)
    }
  }

  async place(infoHash: InfoHash, options: PlaceOptions): Promise<void> {
    const entry = this.#entryOf(infoHash)
    this.#refuseWhileChecking(entry)
    const metainfo = await entry.load()
    // Something else may have begun while it was read.
    this.#refuseWhileChecking(entry)
    const to = placeAfter(entry, metainfo, options)
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, ...(options.signal === undefined ? [] : [options.signal])])
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    entry.move = { stop, ended }
    const wasOpen = this.#open.swarms.has(infoHash) || entry.atRest !== undefined
    try {
      await this.#open.close(entry)
      if (options.elsewhere !== undefined) {
        await tidyElsewhere(entry, metainfo, options.elsewhere)
        await options.cleared()
      }
      await moveEntry(this.#claims, entry, metainfo, to, { ...options, signal })
    } finally {
      entry.move = undefined
      if (wasOpen && this.#engine.entries.get(infoHash) === entry && !entry.paused)
        this.#open.start(entry, entry.metainfo ?? metainfo)
      end()
    }
  }

  async select(infoHash: InfoHash, selection: FileSelection | undefined): Promise<readonly PieceRange[] | undefined> {
    const entry = this.#entryOf(infoHash)
    const metainfo = await entry.load()
    entry.select(selection, metainfo)
    if (!entry.complete) entry.completed = false
    if (entry.atRest !== undefined && !this.#open.mayRest(entry)) void this.#open.wake(entry)
    else this.#open.swarms.get(infoHash)?.want(wantedOf(entry))
    if (!entry.completed) this.#engine.host.urge(infoHash)
    return metainfo && wantedPieces(piecePriorities(metainfo, selection))
  }

  async files(infoHash: InfoHash): Promise<readonly TorrentFile[]> {
    const entry = this.#entryOf(infoHash)
    const layout = layoutOf(await loaded(entry))
    const { selection } = entry
    return layout.files
      .filter(({ padding }) => !padding)
      .map((file) => ({
        file: file.index,
        path: file.path.join('/'),
        lengthBytes: file.length,
        verifiedBytes: layout.bytesIn(file, (index) => entry.hasPiece(index)),
        priority: priorityOfFile(selection, file.index),
      }))
  }

  status(infoHash: InfoHash): TorrentStatus | undefined {
    const entry = this.#engine.entries.get(infoHash)
    return entry === undefined ? undefined : statusOf(entry, this.#open.swarms.get(infoHash))
  }

  list(): readonly TorrentStatus[] {
    return [...this.#engine.entries.values()].map((entry) => statusOf(entry, this.#open.swarms.get(entry.infoHash)))
  }

  get openCount(): number {
    return this.#open.swarms.size
  }

  thinIce(peer: PeerId, isOnIt: boolean): void {
    if (isOnIt) this.#engine.onThinIce.add(peer)
    else this.#engine.onThinIce.delete(peer)
  }

  ban(peer: PeerId): void {
    this.#engine.bans.ban(peer)
    for (const swarm of this.#open.swarms.values()) swarm.enforceBans()
  }

  enforceAdmission(): void {
    for (const swarm of this.#open.swarms.values()) swarm.enforceAdmission()
  }

  unban(peer: PeerId): void {
    this.#engine.bans.unban(peer)
  }

  corrupt(infoHash: InfoHash, percent: number): void {
    const entry = this.#entryOf(infoHash)
    entry.corruptPercent = Math.min(100, Math.max(0, percent))
    const swarm = this.#open.swarms.get(infoHash)
    if (swarm !== undefined) swarm.corruptPercent = entry.corruptPercent
  }

  connect(infoHash: InfoHash, host: string, port: number): void {
    this.#open.openedFor(this.#entryOf(infoHash), (swarm) => swarm.connect(endpointOf(host, port)))
  }

  adopt(connection: MadeConnection, infoHash?: InfoHash): void {
    const entry = infoHash === undefined ? undefined : this.#engine.entries.get(infoHash)
    if (infoHash === undefined && this.#engine.isRunning) this.#engine.host.accept(connection)
    else if (entry === undefined) connection.destroy()
    else
      this.#open.openedFor(
        entry,
        (swarm) => swarm.adopt(connection),
        () => connection.destroy(),
      )
  }

  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    return this.#engine.isRunning ? this.#engine.host.lookup(infoHash, signal) : Promise.resolve([])
  }

  get rejectedMessages(): number {
    return this.#engine.host.rejectedMessages
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    if (!this.#engine.isRunning) return
    this.#engine.isRunning = false
    const stops = new Error('the node stops')
    for (const { recheck, move, atRest } of this.#engine.entries.values()) {
      recheck?.abort(stops)
      move?.stop.abort(stops)
      atRest?.end()
    }
    await Promise.all([...this.#engine.entries.values()].map(({ move }) => move?.ended))
    await this.#open.dispose()
    await this.#engine.host.close()
  }

  #refuseWhileChecking(entry: TorrentEntry): void {
    if (entry.recheck !== undefined)
      throw new TorrentError('CHECKING', `"${entry.name}" is being checked: wait for that to end`)
    if (entry.move !== undefined) throw new TorrentError('MOVING', `"${entry.name}" is being moved: wait for that to end`)
  }

  /** The host is gone: its UDP or TCP socket failed. Torrents say so; the process lives on. */
  #onStopped(reason: string): void {
    if (!this.#engine.isRunning) return
    for (const entry of this.#engine.entries.values())
      this.#open.failed(entry, new Error(`the torrent engine stopped: ${reason}`))
  }

  #entryOf(infoHash: InfoHash): TorrentEntry {
    const entry = this.#engine.entries.get(infoHash)
    if (entry === undefined) throw new TorrentError('UNKNOWN_INFO_HASH', `there is no torrent ${infoHash} here`)
    return entry
  }
}

import type {
  Clock,
  FileSelection,
  FileStampAt,
  InfoHash,
  PeerId,
  PieceRange,
  Rates,
  Timers,
  TorrentSources,
} from '../events/index.ts'
import { BanList } from './ban-list.ts'
import { createFrom, type DhtNodes } from './create.fs.ts'
import { hashDisk, somethingStands, spotCheck } from './disk-check.fs.ts'
import { diskProblem } from './disk-problem.ts'
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
import { layoutOf } from './file-layout.ts'
import { FilePlaces, type Taken } from './file-places.fs.ts'
import { piecePriorities, priorityOfFile, wantedPieces } from './file-selection.ts'
import { looksOf } from './file-stamp.ts'
import { FileWatch } from './file-watch.fs.ts'
import { FilesChanged } from './files-changed.ts'
import { inSteps } from './in-steps.system.ts'
import { KnownEndpoints } from './known-endpoints.ts'
import { parseMagnet } from './magnet.ts'
import type { Metainfo } from './metainfo.ts'
import { torrentFileSteps } from './metainfo.ts'
import { moveTorrent } from './move-torrent.fs.ts'
import { bitfieldOf, rangesOfBitfield } from './piece-ranges.ts'
import { PieceStore } from './piece-store.fs.ts'
import { changedNames, checkName, checkPaths, fileOfName, type NamesOnDisk, placed } from './placement.ts'
import { PrivatePlaces } from './private-places.fs.ts'
import { tidy } from './relocation.fs.ts'
import { sha1 } from './sha1.system.ts'
import type { SourceStatus } from './sources/public-sources.ts'
import { standingFiles } from './standing-files.fs.ts'
import type { Swarm, SwarmHost, WantedPieces } from './swarm.ts'
import { TorrentEntry } from './torrent-entry.ts'
import { statusOf } from './torrent-status.ts'
import { Turns } from './turns.ts'

// The engine over any host of swarms: which torrents there are, open or not, which files are whose, and what was verified.

/** Torrents that are looked at at a time as they are opened again: thousands of them must leave the disk to others. */
const SPOT_CHECKS_AT_A_TIME = 4
/** Torrents that are hashed as a whole at a time; that may take hours, and those that are opened again do not wait for it. */
const FULL_CHECKS_AT_A_TIME = 2
/** Of torrents that a peer waits for, which do not queue behind those that are opened again. */
const WOKEN_CHECKS_AT_A_TIME = 4
/** A torrent that is opened again and again is not hashed each time: its files are looked at. */
const SAMPLE_AGAIN_MS = 600_000
/** A seed without a peer is closed so long after the last one. */
const REST_AFTER_MS = 60_000
/** How long a torrent that was just published stays open, and how many of them do: those who want it may see little of the DHT. */
const NEW_MS = 300_000
const NEW_OPEN_MAX = 64
/** Looks at open torrents in that time. */
const IDLE_LOOKS = 6
/** Seeds without a peer that are open at a time: whoever names thousands opens no more. */
const IDLE_OPEN_MAX = 64
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
  readonly #host: SwarmHost
  readonly #nodes: DhtNodes
  readonly #entries = new Map<InfoHash, TorrentEntry>()
  readonly #swarms = new Map<InfoHash, Swarm>()
  /** Swarms that write their last: until they are through, nobody else touches their files. */
  readonly #closing = new Map<InfoHash, Promise<void>>()
  readonly #bans = new BanList()
  readonly #onThinIce = new Set<PeerId>()
  readonly #endpoints = new KnownEndpoints()
  readonly #places = new FilePlaces()
  #private: { of: string | undefined; at: number; places: Promise<PrivatePlaces> } | undefined
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #restAfterMs: number
  /** Of open seeds that have no peer, since when; the one that has been idle for longest first. */
  readonly #idle = new Map<TorrentEntry, number>()
  /** Those that were published last. */
  readonly #new: TorrentEntry[] = []
  /** Those that are being opened for a peer. */
  readonly #woken = new Map<InfoHash, { ready: Promise<void>; isReady(): void }>()
  readonly #spotChecks = new Turns(SPOT_CHECKS_AT_A_TIME)
  readonly #wokenChecks = new Turns(WOKEN_CHECKS_AT_A_TIME)
  readonly #fullChecks = new Turns(FULL_CHECKS_AT_A_TIME)
  #events: TorrentEngineEvents | undefined
  #cancelIdleLook: (() => void) | undefined
  #isRunning = false
  #disposed: Promise<void> | undefined

  constructor(newHost: (onStopped: (reason: string) => void) => SwarmHost, parts: EngineParts) {
    this.#nodes = parts.dhtBootstrap
    this.#clock = parts.clock
    this.#timers = parts.timers
    this.#restAfterMs = parts.restAfterMs ?? REST_AFTER_MS
    this.#host = newHost((reason) => this.#onStopped(reason))
  }

  listen(events: TorrentEngineEvents): void {
    this.#events = events
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#host.start(signal)
    this.#isRunning = true
    for (const entry of this.#entries.values()) if (!entry.paused && entry.changed === undefined) this.#start(entry)
  }

  get port(): number {
    return this.#host.port
  }

  get dht(): { readonly port: number; readonly nodeCount: number } {
    return this.#host.dht
  }

  async add(source: TorrentSource, options: AddOptions): Promise<InfoHash> {
    const entry = await entryOf(source, options)
    const { infoHash } = entry
    const duplicate = () => new TorrentError('DUPLICATE', `the torrent ${infoHash} is here already`)
    if (this.#entries.has(infoHash)) throw duplicate()
    const { metainfo } = entry
    await tidyElsewhere(entry, metainfo, options.elsewhere)
    if (metainfo !== undefined) {
      if (entry.ownsFiles) this.#places.add(entry)
      else await this.#claim(entry)
      // Somebody may have added it while the paths were looked up.
      if (this.#entries.has(infoHash)) throw duplicate()
    }
    this.#entries.set(infoHash, entry)
    if (options.isNew === true) this.#isNew(entry)
    if (options.isHashed === true) entry.sampledAt = this.#clock.now()
    if (metainfo !== undefined) this.#events?.described(metainfo)
    if (!entry.paused && entry.changed === undefined) this.#start(entry, entry.metainfo, options.isHashed)
    if (!this.#swarms.has(infoHash)) entry.letGo()
    return infoHash
  }

  #isNew(entry: TorrentEntry): void {
    entry.newUntil = this.#clock.now() + NEW_MS
    this.#new.push(entry)
    if (this.#new.length <= NEW_OPEN_MAX) return
    const oldest = this.#new.shift()
    if (oldest !== undefined) oldest.newUntil = Number.NEGATIVE_INFINITY
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
    if (source.kind === 'torrent-file' && [...this.#entries.values()].every((entry) => entry.hasMetainfo)) return undefined
    const offered = await entryOf(source, { directory: '' })
    const entry = this.#entries.get(offered.infoHash)
    if (entry === undefined) return undefined
    const { infoHash } = entry
    if (offered.metainfo !== undefined && !entry.hasMetainfo) {
      await this.#close(entry)
      entry.describe(offered.metainfo)
      this.#events?.described(offered.metainfo)
      if (!entry.paused && this.#entries.get(infoHash) === entry) this.#start(entry)
      return infoHash
    }
    if (offered.peers.length === 0) return undefined
    const known = new Set(offered.peers.map(({ host, port }) => endpointOf(host, port)))
    const others = entry.peers.filter(({ host, port }) => !known.has(endpointOf(host, port)))
    entry.peers = [...offered.peers, ...others].slice(0, NAMED_PEERS_MAX)
    for (const { host, port } of offered.peers) this.#openedFor(entry, (swarm) => swarm.connect(endpointOf(host, port)))
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
    const now = this.#clock.now()
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
    this.#host.configure(limits)
  }

  limit(infoHash: InfoHash, rates: Rates): void {
    this.#entryOf(infoHash).rates = rates
    this.#swarms.get(infoHash)?.limit(rates)
  }

  async setSources(infoHash: InfoHash, sources: TorrentSources): Promise<void> {
    const entry = this.#entryOf(infoHash)
    entry.sources = sources
    this.#swarms.get(infoHash)?.setSources(sources)
    // What is looked for elsewhere stays open.
    if (entry.atRest !== undefined && !this.#mayRest(entry)) await this.#wake(entry)
  }

  sources(infoHash: InfoHash): readonly SourceStatus[] {
    this.#entryOf(infoHash)
    return this.#swarms.get(infoHash)?.sources() ?? []
  }

  async remove(infoHash: InfoHash, { deleteFiles }: { deleteFiles: boolean }): Promise<void> {
    const entry = this.#entryOf(infoHash)
    const removed = new TorrentError('UNKNOWN_INFO_HASH', 'the torrent was removed')
    entry.recheck?.abort(removed)
    entry.move?.stop.abort(removed)
    await entry.move?.ended
    this.#entries.delete(infoHash)
    await this.#close(entry)
    this.#places.remove(infoHash)
    // What was never found to be this torrent's own stays: it is another torrent's, or a person's.
    const metainfo = deleteFiles && entry.ownsFiles ? await entry.load() : undefined
    if (metainfo === undefined) return
    try {
      const shared = await this.#places.shared(entry)
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
    await this.#close(entry)
  }

  async resume(infoHash: InfoHash): Promise<void> {
    const entry = this.#entryOf(infoHash)
    if (entry.changed !== undefined) throw new FilesChanged(entry.changed)
    this.#refuseWhileChecking(entry)
    // A complete torrent writes nothing; what lacks pieces must not download them over another's files.
    if (entry.ownsFiles && entry.hasMetainfo && !entry.complete) {
      const taken = await this.#places.conflict(entry, this.#stampedBy(entry))
      if (taken !== undefined) throw this.#pathTaken(entry, taken)
    }
    await this.#closing.get(infoHash)
    const metainfo = await entry.load()
    if (this.#entries.get(infoHash) !== entry) return
    entry.paused = false
    entry.problem = undefined
    if (!this.#swarms.has(infoHash) && entry.atRest === undefined) this.#start(entry, metainfo)
    this.#host.urge(infoHash)
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
    const wasOpen = this.#swarms.has(infoHash) || entry.atRest !== undefined
    let isOver = false
    try {
      const metainfo = await loaded(entry)
      await this.#close(entry)
      const found = await hashDisk(metainfo, directory, { signal, onProgress: options.onProgress })
      isOver = true
      this.#found(entry, found)
      return { pieces: rangesOfBitfield(found.bitfield, metainfo.pieceCount), stamps: found.stamps }
    } finally {
      entry.recheck = undefined
      const isHere = this.#entries.get(infoHash) === entry
      if (!isOver && wasOpen && isHere && !entry.paused && this.#isRunning) this.#start(entry)
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
    const wasOpen = this.#swarms.has(infoHash) || entry.atRest !== undefined
    try {
      await this.#close(entry)
      if (options.elsewhere !== undefined) {
        await tidyElsewhere(entry, metainfo, options.elsewhere)
        await options.cleared()
      }
      await this.#move(entry, metainfo, to, { ...options, signal })
    } finally {
      entry.move = undefined
      if (wasOpen && this.#entries.get(infoHash) === entry && !entry.paused) this.#start(entry, entry.metainfo ?? metainfo)
      end()
    }
  }

  async #move(
    entry: TorrentEntry,
    metainfo: Metainfo | undefined,
    to: Place,
    options: PlaceOptions & { signal: AbortSignal },
  ): Promise<void> {
    const { infoHash, directory, ownsFiles } = entry
    const commit = () => entry.goTo(to)
    const taken = (by: Taken | undefined) => {
      if (by !== undefined) throw this.#pathTaken(entry, by, 'choose another folder or name')
    }
    if (metainfo === undefined || to.metainfo === undefined || !ownsFiles) {
      // Nothing on the disk is known to be its own.
      if (to.metainfo !== undefined)
        taken(await this.#places.claim(standingAt(infoHash, to.directory, to.metainfo), this.#stampedBy(entry)))
      await options.begun()
      await options.staged([])
      commit()
      return options.cleared()
    }
    const from = { directory, metainfo }
    const standing = { directory: to.directory, metainfo: to.metainfo }
    const [shared] = await this.#places.shared(standingAt(infoHash, directory, metainfo))
    if (shared !== undefined) {
      const path = metainfo.files[shared]?.path.join('/')
      throw new TorrentError('PATH_TAKEN', `${path} in ${directory} is another torrent's as well, which would lose it`)
    }
    taken(await this.#places.claim({ ...standingAt(infoHash, to.directory, to.metainfo), also: from }, this.#stampedBy(entry)))
    try {
      await moveTorrent(entry, metainfo, { standing, commit }, options)
    } finally {
      this.#places.add(entry)
    }
  }

  async select(infoHash: InfoHash, selection: FileSelection | undefined): Promise<readonly PieceRange[] | undefined> {
    const entry = this.#entryOf(infoHash)
    const metainfo = await entry.load()
    entry.select(selection, metainfo)
    if (!entry.complete) entry.completed = false
    if (entry.atRest !== undefined && !this.#mayRest(entry)) void this.#wake(entry)
    else this.#swarms.get(infoHash)?.want(wantedOf(entry))
    if (!entry.completed) this.#host.urge(infoHash)
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
    const entry = this.#entries.get(infoHash)
    return entry === undefined ? undefined : statusOf(entry, this.#swarms.get(infoHash))
  }

  list(): readonly TorrentStatus[] {
    return [...this.#entries.values()].map((entry) => statusOf(entry, this.#swarms.get(entry.infoHash)))
  }

  get openCount(): number {
    return this.#swarms.size
  }

  thinIce(peer: PeerId, isOnIt: boolean): void {
    if (isOnIt) this.#onThinIce.add(peer)
    else this.#onThinIce.delete(peer)
  }

  ban(peer: PeerId): void {
    this.#bans.ban(peer)
    for (const swarm of this.#swarms.values()) swarm.enforceBans()
  }

  enforceAdmission(): void {
    for (const swarm of this.#swarms.values()) swarm.enforceAdmission()
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
    this.#openedFor(this.#entryOf(infoHash), (swarm) => swarm.connect(endpointOf(host, port)))
  }

  adopt(connection: MadeConnection, infoHash?: InfoHash): void {
    const entry = infoHash === undefined ? undefined : this.#entries.get(infoHash)
    if (infoHash === undefined && this.#isRunning) this.#host.accept(connection)
    else if (entry === undefined) connection.destroy()
    else
      this.#openedFor(
        entry,
        (swarm) => swarm.adopt(connection),
        () => connection.destroy(),
      )
  }

  lookup(infoHash: InfoHash, signal?: AbortSignal): Promise<readonly { host: string; port: number }[]> {
    return this.#isRunning ? this.#host.lookup(infoHash, signal) : Promise.resolve([])
  }

  get rejectedMessages(): number {
    return this.#host.rejectedMessages
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose()
    return this.#disposed
  }

  async #dispose(): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#cancelIdleLook?.()
    const stops = new Error('the node stops')
    for (const { recheck, move, atRest } of this.#entries.values()) {
      recheck?.abort(stops)
      move?.stop.abort(stops)
      atRest?.end()
    }
    await Promise.all([...this.#entries.values()].map(({ move }) => move?.ended))
    await Promise.all([...this.#swarms.values()].map((swarm) => swarm.close()))
    this.#swarms.clear()
    await this.#host.close()
  }

  /** Opens it, or lets it rest where nobody needs it open. */
  #start(entry: TorrentEntry, metainfo = entry.metainfo, isHashed = false): void {
    if (!this.#mayRest(entry) || !this.#rest(entry, isHashed)) this.#open(entry, metainfo)
  }

  /** Pieces of it were hashed not long ago. */
  #isSampled({ sampledAt }: TorrentEntry): boolean {
    return sampledAt !== undefined && this.#clock.now() - sampledAt < SAMPLE_AGAIN_MS
  }

  /** A seed that finds its peers here alone: all that it does is to answer who comes. */
  #mayRest(entry: TorrentEntry): boolean {
    const { complete, completed, ownsFiles, problem, paused, recheck, move, sources, isPrivate, newUntil } = entry
    if (this.#clock.now() < newUntil) return false
    const isPublic = (sources.public || sources.dht || sources.local) && !isPrivate
    return (
      complete &&
      completed &&
      ownsFiles &&
      problem === undefined &&
      !paused &&
      recheck === undefined &&
      move === undefined &&
      !isPublic
    )
  }

  /** @param isChecked its files were looked at since the start @returns false if the host cannot */
  #rest(entry: TorrentEntry, isChecked: boolean): boolean {
    if (!this.#isRunning) return false
    const ending = new AbortController()
    const withdraw = this.#host.rest(entry.infoHash, () => this.#wake(entry))
    if (withdraw === undefined) return false
    const end = () => {
      ending.abort(new Error('the torrent does not rest any more'))
      if (entry.atRest === atRest) entry.atRest = undefined
      withdraw()
    }
    const atRest = { isChecked, end }
    entry.atRest = atRest
    if (!isChecked) {
      this.#lookAtFiles(entry, ending.signal).then(
        () => {
          atRest.isChecked = true
        },
        (error: Error) => {
          if (!ending.signal.aborted) this.#onFailed(entry, error)
        },
      )
    }
    return true
  }

  /** What opening it would do, and nothing stays open. @throws FilesChanged */
  async #lookAtFiles(entry: TorrentEntry, signal: AbortSignal): Promise<void> {
    await this.#spotChecks.run(async () => {
      signal.throwIfAborted()
      const { directory, stampList } = entry
      const metainfo = await loaded(entry)
      const watch = new FileWatch(metainfo, directory, stampList, () => {})
      const store = new PieceStore(metainfo, directory, watch)
      try {
        await this.#sample(entry, metainfo, store, watch, signal)
      } finally {
        store.close(() => {})
      }
    })
    entry.letGo()
  }

  /** Opens one that rests. Resolves when peers can join it, or when it could not be opened. */
  async #wake(entry: TorrentEntry): Promise<void> {
    const { infoHash } = entry
    await this.#closing.get(infoHash)
    if (entry.atRest !== undefined && this.#isRunning && !this.#woken.has(infoHash)) {
      let isReady = () => {}
      const ready = new Promise<void>((resolve) => {
        isReady = resolve
      })
      this.#woken.set(infoHash, { ready, isReady })
      await this.#openAtRest(entry)
    }
    await this.#woken.get(infoHash)?.ready
  }

  async #openAtRest(entry: TorrentEntry): Promise<void> {
    let metainfo: Metainfo
    try {
      metainfo = await loaded(entry)
    } catch (error) {
      this.#onFailed(entry, error as Error)
      return
    }
    const { atRest } = entry
    // It may have been closed meanwhile.
    if (atRest === undefined || !this.#isRunning) {
      this.#isAwake(entry)
      return
    }
    this.#open(entry, metainfo)
    // Not before: it stays announced.
    atRest.end()
    if (this.#swarms.size > IDLE_OPEN_MAX) this.#lookForIdle()
  }

  #isAwake({ infoHash }: TorrentEntry): void {
    this.#woken.get(infoHash)?.isReady()
    this.#woken.delete(infoHash)
  }

  /** At once where it is open, else once it was opened for it; not where it is to stay closed. */
  #openedFor(entry: TorrentEntry, run: (swarm: Swarm) => void, orElse = () => {}): void {
    const { infoHash } = entry
    const swarm = this.#swarms.get(infoHash)
    if (swarm !== undefined && !this.#woken.has(infoHash)) run(swarm)
    else if (entry.atRest === undefined && swarm === undefined) orElse()
    else {
      void this.#wake(entry).then(() => {
        const opened = this.#swarms.get(infoHash)
        if (opened === undefined) orElse()
        else run(opened)
      })
    }
  }

  /** One look at all open torrents from time to time, while there are any. */
  #lookForIdleLater(): void {
    if (this.#cancelIdleLook !== undefined || !this.#isRunning || this.#swarms.size === 0) return
    this.#cancelIdleLook = this.#timers.after(this.#restAfterMs / IDLE_LOOKS, () => {
      this.#cancelIdleLook = undefined
      this.#lookForIdle()
      this.#lookForIdleLater()
    })
  }

  #lookForIdle(): void {
    const now = this.#clock.now()
    for (const [infoHash, swarm] of this.#swarms) {
      const entry = this.#entries.get(infoHash)
      if (entry === undefined) continue
      if (!this.#mayRest(entry) || !swarm.status.isReady || swarm.peers().length > 0) this.#idle.delete(entry)
      else if (!this.#idle.has(entry)) this.#idle.set(entry, now)
    }
    let idle = this.#idle.size
    for (const [entry, since] of this.#idle) {
      if (now - since < this.#restAfterMs && idle <= IDLE_OPEN_MAX) return
      idle--
      void this.#closeToRest(entry)
    }
  }

  /** Announced all the while. */
  async #closeToRest(entry: TorrentEntry): Promise<void> {
    const isResting = this.#rest(entry, true)
    if (!isResting) {
      this.#idle.delete(entry)
      return
    }
    await this.#closeSwarm(entry)
    entry.letGo()
  }

  /** @param metainfo read again, where it was let go of */
  #open(entry: TorrentEntry, metainfo: Metainfo | undefined): void {
    if (!this.#isRunning || entry.move !== undefined) return
    const { infoHash, directory } = entry
    const swarm = this.#host.open({
      infoHash,
      name: entry.name,
      directory,
      metainfo,
      verified: entry.verified,
      stamps: entry.stampList,
      wanted: wantedOf(entry),
      rates: entry.rates,
      sources: entry.sources,
      peers: entry.peers.map(({ host, port }) => endpointOf(host, port)),
      corruptPercent: entry.corruptPercent,
      isNew: () => this.#clock.now() < entry.newUntil,
      bans: this.#bans,
      onThinIce: this.#onThinIce,
      endpoints: this.#endpoints,
      events: {
        described: (metainfo) => {
          entry.describe(metainfo)
          swarm.want(wantedOf(entry))
          this.#events?.described(metainfo)
        },
        openDisk: (...disk) => this.#openDisk(entry, ...disk),
        checked: (bitfield) => {
          entry.checked(bitfield)
          this.#isAwake(entry)
        },
        verified: (pieces) => {
          const fresh = entry.addVerified(pieces)
          if (fresh.length === 0) return
          this.#events?.verified(infoHash, fresh)
          const settled = entry.settledBy(fresh)
          if (settled.length === 0) return
          void swarm.settle(settled).then((stamps) => {
            // A copy elsewhere looks otherwise; it is looked at when it is opened.
            if (entry.move === undefined && entry.directory === directory) this.#stamped(entry, stamps)
          })
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
    this.#lookForIdleLater()
  }

  /** Before anything of a torrent is served or written. */
  async #openDisk(
    entry: TorrentEntry,
    metainfo: Metainfo,
    store: PieceStore,
    watch: FileWatch,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const { infoHash, verified, directory } = entry
    if (verified !== undefined && entry.ownsFiles) {
      const turns = this.#woken.has(infoHash) ? this.#wokenChecks : this.#spotChecks
      await turns.run(() => this.#sample(entry, metainfo, store, watch, signal))
      return undefined
    }
    // A magnet link's files are known only now.
    await this.#claim(entry)
    // A download into an empty place need not wait for its turn.
    const check = () => hashDisk(metainfo, directory, { signal })
    const found = await ((await somethingStands(metainfo, directory)) ? this.#fullChecks.run(check) : check())
    const [foreign] = found.foreign
    if (foreign !== undefined && !entry.overwrite) throw inTheWay(foreign, found.foreign.length - 1, directory)
    signal.throwIfAborted()
    this.#found(entry, found)
    watch.settled(found.stamps)
    await watch.lookAtAll(found.bitfield, signal)
    this.#events?.checked(infoHash, { pieces: rangesOfBitfield(found.bitfield, metainfo.pieceCount), stamps: found.stamps })
    return found.bitfield
  }

  /** Sees whether its files still stand as they did. @throws FilesChanged */
  async #sample(
    entry: TorrentEntry,
    metainfo: Metainfo,
    store: PieceStore,
    watch: FileWatch,
    signal: AbortSignal,
  ): Promise<void> {
    const verified = bitfieldOf(entry.verified ?? [], metainfo.pieceCount)
    const isKnown = this.#isSampled(entry)
    this.#stamped(entry, await spotCheck(metainfo, { store, watch, verified, signal, pieces: isKnown ? 0 : undefined }))
    if (!isKnown) entry.sampledAt = this.#clock.now()
  }

  /** Everything was hashed: this is what it has. */
  #found(entry: TorrentEntry, { bitfield, stamps }: { bitfield: Uint8Array; stamps: readonly FileStampAt[] }): void {
    entry.ownsFiles = true
    entry.changed = undefined
    entry.problem = undefined
    entry.stamps.clear()
    entry.stamp(stamps)
    entry.checked(bitfield)
  }

  #stamped(entry: TorrentEntry, stamps: readonly FileStampAt[]): void {
    if (stamps.length === 0 || this.#entries.get(entry.infoHash) !== entry) return
    entry.stamp(stamps)
    this.#events?.stamped(entry.infoHash, stamps)
  }

  /** @throws TorrentError `PATH_TAKEN` */
  async #claim(entry: TorrentEntry): Promise<void> {
    const taken = await this.#places.claim(entry, this.#stampedBy(entry))
    if (taken !== undefined) throw this.#pathTaken(entry, taken)
  }

  #pathTaken(entry: TorrentEntry, { path, by }: Taken, advice = 'add it with --to and another folder'): TorrentError {
    const other = this.#entries.get(by)?.name ?? by
    return new TorrentError('PATH_TAKEN', `"${entry.name}" would stand where "${other}" (${by}) stands, at ${path}: ${advice}`)
  }

  /** Who has a settled file that looks like this: the same file under another path. */
  #stampedBy(entry: TorrentEntry): (looks: string) => InfoHash | undefined {
    let all: Map<string, InfoHash> | undefined
    return (looks) => {
      if (all === undefined) {
        all = new Map()
        for (const other of this.#entries.values()) {
          if (other !== entry) for (const each of other.stamps.values()) all.set(looksOf(each), other.infoHash)
        }
      }
      return all.get(looks)
    }
  }

  #refuseWhileChecking(entry: TorrentEntry): void {
    if (entry.recheck !== undefined)
      throw new TorrentError('CHECKING', `"${entry.name}" is being checked: wait for that to end`)
    if (entry.move !== undefined) throw new TorrentError('MOVING', `"${entry.name}" is being moved: wait for that to end`)
  }

  async #close(entry: TorrentEntry): Promise<void> {
    entry.atRest?.end()
    await this.#closeSwarm(entry)
  }

  async #closeSwarm(entry: TorrentEntry): Promise<void> {
    this.#isAwake(entry)
    this.#idle.delete(entry)
    const swarm = this.#swarms.get(entry.infoHash)
    if (swarm === undefined) {
      await this.#closing.get(entry.infoHash)
      return
    }
    this.#swarms.delete(entry.infoHash)
    const { downloadedBytes, uploadedBytes } = swarm.status
    entry.downloadedBytes += downloadedBytes
    entry.uploadedBytes += uploadedBytes
    const closing = swarm.close().finally(() => {
      if (this.#closing.get(entry.infoHash) === closing) this.#closing.delete(entry.infoHash)
    })
    this.#closing.set(entry.infoHash, closing)
    await closing
  }

  #onFailed(entry: TorrentEntry, error: Error): void {
    if (this.#entries.get(entry.infoHash) !== entry || entry.problem !== undefined) return
    entry.problem = diskProblem(error, entry.directory)
    if (error instanceof FilesChanged) entry.changed = error.change
    this.#close(entry).catch(() => {})
    if (error instanceof FilesChanged) this.#events?.changed(entry.infoHash, error.change)
    else this.#events?.failed(entry.infoHash, entry.problem)
  }

  /** The host is gone: its UDP or TCP socket failed. Torrents say so; the process lives on. */
  #onStopped(reason: string): void {
    if (!this.#isRunning) return
    for (const entry of this.#entries.values()) this.#onFailed(entry, new Error(`the torrent engine stopped: ${reason}`))
  }

  #entryOf(infoHash: InfoHash): TorrentEntry {
    const entry = this.#entries.get(infoHash)
    if (entry === undefined) throw new TorrentError('UNKNOWN_INFO_HASH', `there is no torrent ${infoHash} here`)
    return entry
  }
}

const wantedOf = ({ priorities, selection }: TorrentEntry): WantedPieces => ({
  priorities,
  sequential: selection?.sequential ?? false,
  isFileWanted: (file) => priorityOfFile(selection, file) > 0,
})

type Place = { directory: string; names: NamesOnDisk; metainfo: Metainfo | undefined }

/** @throws TorrentError `BAD_NAME`, `NO_METADATA` */
function placeAfter(
  entry: TorrentEntry,
  metainfo: Metainfo | undefined,
  { directory = entry.directory, names: changes = [] }: PlaceOptions,
): Place {
  if (metainfo === undefined) {
    if (changes.length === 0) return { directory, names: entry.names, metainfo }
    throw new TorrentError('NO_METADATA', `nothing is known of what "${entry.name}" holds yet`)
  }
  for (const { file, name } of changes) {
    if (file !== null && metainfo.files[file]?.padding !== false)
      throw new TorrentError('BAD_NAME', `"${entry.name}" has no file ${file + 1}`)
    if (name !== '') checkName(name)
  }
  const own = changes.map(({ file, name }) => ({ file: fileOfName(metainfo, file), name }))
  const names = changedNames(entry.names, own)
  const after = placed(metainfo, names)
  checkPaths(after)
  return { directory, names, metainfo: after }
}

/** A move was cut off: what is left of it where the torrent is not. */
async function tidyElsewhere(
  { directory, names, ownsFiles }: TorrentEntry,
  metainfo: Metainfo | undefined,
  elsewhere: AddOptions['elsewhere'],
): Promise<void> {
  if (elsewhere === undefined || metainfo === undefined || !ownsFiles) return
  const there = placed(metainfo, changedNames(names, elsewhere.names))
  await tidy({ directory, metainfo }, { directory: elsewhere.directory, metainfo: there }, elsewhere.wasMoved)
}

const standingAt = (infoHash: InfoHash, directory: string, metainfo: Metainfo) => ({
  infoHash,
  directory,
  load: async () => metainfo,
})

/** @throws TorrentError `NO_METADATA` */
async function loaded(entry: TorrentEntry): Promise<Metainfo> {
  const metainfo = await entry.load()
  if (metainfo === undefined) throw new TorrentError('NO_METADATA', `nothing is known of what "${entry.name}" holds yet`)
  return metainfo
}

async function entryOf(source: TorrentSource, options: AddOptions): Promise<TorrentEntry> {
  const { directory, verified, stamps, changed, overwrite, selection, rates, sources, names, paused = false } = options
  const { torrentFile } = options
  const readAgain = () => inSteps(torrentFileSteps(torrentFile?.() ?? new Uint8Array(), sha1))
  const isReadable = () => torrentFile?.() !== undefined
  const given = { directory, paused, verified, stamps, changed, overwrite, selection, rates, sources, names }
  const common = { ...given, readAgain, isReadable }
  if (source.kind === 'torrent-file') {
    const metainfo = await inSteps(torrentFileSteps(source.bytes, sha1))
    return new TorrentEntry({ infoHash: metainfo.infoHash, metainfo, ...common })
  }
  const { infoHash, name, peers } = parseMagnet(source.uri)
  return new TorrentEntry({ infoHash, name, peers, ...common })
}

function inTheWay(path: string, more: number, directory: string): TorrentError {
  const others = more === 0 ? 'is' : `and ${more} more are`
  return new TorrentError(
    'FILE_IN_THE_WAY',
    `${path} stands in ${directory} already, ${others} not of this torrent, and would be written over: ` +
      'move it away and resume, or remove the torrent and add it again with --to or --overwrite',
  )
}

import { setImmediate } from 'node:timers/promises'
import {
  type Appender,
  type ClientSettings,
  type Clock,
  type Draft,
  type FileChange,
  type FileSelection,
  type InfoHash,
  NO_SOURCES,
  type PieceRange,
  type Rates,
  type Timers,
  type TorrentSources,
} from '../../events/index.ts'
import { covers, type Download } from '../../projections/downloads/index.ts'
import type {
  CreatedTorrent,
  DiskState,
  Inspected,
  TorrentEngine,
  TorrentFile,
  TorrentMetainfo,
  TorrentSource,
} from '../../torrent/index.ts'
import { withSources } from '../../torrent/index.ts'
import { titleOfMagnet } from '../magnet.ts'
import { liveIterator } from '../node/live-iterator.ts'
import type { NoticeBoard } from '../node/notices.ts'
import { asServiceError } from '../node/service-errors.ts'
import { withProgress } from '../node/with-progress.ts'
import {
  type AddRequest,
  type ClientLimits,
  type MoveProgress,
  type Progressive,
  type RecheckProgress,
  type SelectRequest,
  ServiceError,
  type SourcesRequest,
  type SourcesRow,
  type TorrentFileRow,
  type TorrentLimits,
  type TorrentRow,
} from '../services.ts'
import { changedText } from './changed-files.ts'
import { checkSettings } from './check-settings.ts'
import { chooseFiles, priorityName, wantedByLink } from './choose-files.ts'
import { checked, described, stamped } from './download-events.ts'
import { ratesAt } from './rate-schedule.ts'
import { checkDirectory, elsewhereOf, nameFor, relocate } from './relocation.ts'
import { renamedText } from './renamed-files.ts'
import { TorrentQueue } from './torrent-queue.ts'
import { torrentRow } from './torrent-row.ts'
import { canBeAsked, changedSources, endpointsOf, namedSources, sourcesRow } from './torrent-sources.ts'

/** How often a follower gets a new row, ms. */
const FOLLOW_MS = 500

/** Torrents given to the engine in one turn: some milliseconds. */
const RESTORED_AT_ONCE = 20

const RESTING = 'paused, as the node died twice within a minute: go on with `p2pt client resume`'

export type TorrentsOptions = {
  appender: Appender
  engine: TorrentEngine
  timers: Timers
  clock: Clock
  notices: NoticeBoard
  /** Where downloads go unless the request says otherwise, absolute. */
  directory: string
  allowCorrupt: boolean
  /** What holds of all torrents, whatever was said of each: they are public, those that are take part in these. */
  all: { public: boolean; dht: boolean; local: boolean }
  /** Of this node: no files are moved into it. */
  dataDirectory?: string
  /** Rows of the downloads projection. */
  downloads(): readonly Download[]
  download(infoHash: InfoHash): Download | undefined
  settings(): ClientSettings
  /** How many peers offer this torrent and could not be reached. */
  unreached(infoHash: InfoHash): number
}

/** What the engine's `create` gives: the metainfo, where the files stand, and how they looked. */
export type OwnTorrent = Omit<CreatedTorrent, 'skipped'>
export type OwnAddition = { readonly made: OwnTorrent; readonly title: string }

/** The torrents of a client: what the engine does, recorded, so that a restart goes on with it. */
export class Torrents {
  readonly #options: TorrentsOptions
  /** The engine tells of a torrent as soon as it has it; what it tells is recorded after the addition itself. */
  #adding: Promise<unknown> = Promise.resolve()

  readonly #recording = new Set<Promise<void>>()
  /** Paused by {@link pauseAll}, not by a person. */
  readonly #resting = new Set<InfoHash>()
  /** Why the engine did not take up what the log has. */
  readonly #notTakenUp = new Map<InfoHash, string>()
  /** Of torrents whose files are called otherwise on the disk: the engine tells so at every start. */
  readonly #notes = new Map<InfoHash, string>()

  readonly #queue: TorrentQueue

  constructor(options: TorrentsOptions) {
    this.#options = options
    this.#queue = new TorrentQueue({
      ...options,
      record: (events) => this.#record(events),
      onProblem: (text) => this.#problem(text),
    })
  }

  /** Pauses what the log says is wanted, before the engine has it: the node died with it again and again. */
  async pauseAll(): Promise<void> {
    const active = this.#options.downloads().filter(({ paused }) => !paused)
    if (active.length === 0) return
    await this.#record(active.map(({ infoHash }) => ({ kind: 'download.paused', infoHash })))
    for (const { infoHash } of active) this.#resting.add(infoHash)
    const what = active.length === 1 ? 'its torrent is' : `its ${active.length} torrents are`
    this.#options.notices.post(
      'error',
      'torrents.paused',
      `this node died twice within a minute; ${what} paused, as one may be the cause: go on with \`p2pt client resume INFOHASH\``,
    )
  }

  /** Gives the engine everything that the log says is wanted, with the pieces that are known to be there. */
  async restore(): Promise<void> {
    this.#queue.start()
    for (const [index, download] of this.#options.downloads().entries()) {
      if (index % RESTORED_AT_ONCE === 0) await setImmediate()
      try {
        await this.#options.engine.add(sourceOf(download), {
          directory: download.directory,
          // Until the disk was looked at, what stands there may be another's.
          ...(download.checked ? { verified: download.verified } : {}),
          stamps: [...download.stamps].map(([file, stamp]) => ({ file, stamp })),
          ...(download.changed === null ? {} : { changed: download.changed }),
          paused: download.paused || this.#queue.held(download.infoHash) !== undefined,
          rates: download.limits,
          sources: this.#effective(download.sources),
          overwrite: download.overwrite,
          ...(download.selection && { selection: download.selection }),
          names: download.names,
          ...(download.move && { elsewhere: elsewhereOf(download.move) }),
          torrentFile: this.#torrentFileOf(download.infoHash),
        })
        if (download.move !== null) await this.#record([{ kind: 'download.tidied', infoHash: download.infoHash }])
      } catch (error) {
        this.#notTakenUp.set(download.infoHash, sentence(error))
        this.#problem(`"${download.name}" could not be taken up again: ${sentence(error)}`)
      }
    }
  }

  /** @throws ServiceError */
  add(request: AddRequest): Promise<TorrentRow> {
    return this.#inTurn(() => this.#add(request))
  }

  async #add(request: AddRequest): Promise<TorrentRow> {
    const source = requested(request)
    const { overwrite = false } = request
    const inspected = await this.#engineDoes((engine) => engine.inspect(source))
    const supplied = await this.#engineDoes((engine) => engine.supply(source))
    const isNews = await this.#mergeSources(inspected, request)
    if (supplied !== undefined || isNews) return this.row(inspected.infoHash)
    const directory = request.directory ?? this.#options.directory
    const selection = chooseFiles(null, inspected.paths, whatIsGiven<SelectRequest>(request.select ?? wantedByLink(inspected)))
    const named = namedSources(inspected)
    const { public: isPublic = false, dht = false, local = false } = request
    const sources: TorrentSources = { public: isPublic, ...named, dht, local }
    const infoHash = await this.#engineDoes((engine) =>
      engine.add(source, {
        ...{ directory, overwrite, ...(selection && { selection }), sources: this.#effective(sources) },
        torrentFile: this.#torrentFileOf(inspected.infoHash),
      }),
    )
    const hasSources = isPublic || dht || local || named.trackers.length + named.webSeeds.length > 0
    await this.#recordAddition(infoHash, [
      {
        kind: 'download.added',
        infoHash,
        name: this.#options.engine.status(infoHash)?.name ?? infoHash,
        title: source.kind === 'magnet' ? (titleOfMagnet(source.uri) ?? '') : '',
        directory,
        origin: 'download',
        magnet: source.kind === 'magnet' ? source.uri : '',
        torrentFile: source.kind === 'torrent-file' ? source.bytes : new Uint8Array(),
        overwrite,
      },
      ...(hasSources ? [{ kind: 'download.sourced', infoHash, ...sources } as const] : []),
      ...(selection === null ? [] : [await this.#selected(infoHash, selection)]),
    ])
    await this.#queue.plan()
    return this.row(infoHash)
  }

  /** Trackers and web seeds that a torrent which is here did not have yet. @returns false if there are none, or it is not here */
  async #mergeSources(inspected: Inspected, request: AddRequest): Promise<boolean> {
    const known = this.#options.download(inspected.infoHash)
    if (known === undefined) return false
    const { trackers: named, webSeeds } = namedSources(inspected)
    const trackers = named.filter(canBeAsked)
    const isMore = (before: readonly string[], urls: readonly string[]) => urls.some((url) => !before.includes(url))
    const { sources } = known
    const said = (['public', 'dht', 'local'] as const).filter((each) => request[each] === true && !sources[each])
    if (!isMore(sources.trackers, trackers) && !isMore(sources.webSeeds, webSeeds) && said.length === 0) return false
    await this.changeSources(inspected.infoHash, {
      ...Object.fromEntries(said.map((each) => [each, true])),
      addTrackers: trackers,
      addWebSeeds: webSeeds,
    })
    return true
  }

  /** As {@link add}; one that is here already is found. @throws ServiceError */
  addOrFind(request: AddRequest): Promise<TorrentRow> {
    return this.#inTurn(async () => {
      const { infoHash } = await this.#engineDoes((engine) => engine.inspect(requested(request)))
      return this.#options.download(infoHash) === undefined ? this.#add(request) : this.row(infoHash)
    })
  }

  /** Takes up a torrent made of files that stand here: every piece is there, its hash was just computed. */
  async addOwn(made: OwnTorrent, title: string): Promise<void> {
    const [problem] = await this.#inTurn(() => this.#addOwn([{ made, title }], { isNew: true }))
    if (problem !== undefined) throw problem
  }

  /**
   * The same of several, in one write to the log. They rest at once: hundreds that look for peers would find none sooner.
   * @returns why one was not taken up, in its place
   */
  addManyOwn(all: readonly OwnAddition[]): Promise<(Error | undefined)[]> {
    return this.#inTurn(() => this.#addOwn(all, { isHashed: true }))
  }

  async #addOwn(all: readonly OwnAddition[], as: { isNew: true } | { isHashed: true }): Promise<(Error | undefined)[]> {
    const problems: (Error | undefined)[] = all.map(() => undefined)
    const taken = new Map<InfoHash, number>()
    for (const [place, { made }] of all.entries()) {
      try {
        // The same files may be named twice.
        if (!taken.has(made.infoHash) && (await this.#takeUpOwn(made, as))) taken.set(made.infoHash, place)
      } catch (error) {
        problems[place] = error as Error
      }
    }
    if (taken.size === 0) return problems
    try {
      await this.#record([...taken.values()].flatMap((place) => additionOf(all[place] as OwnAddition)))
    } catch (error) {
      // What the log does not have must not go on in the engine either.
      for (const [infoHash, place] of taken) {
        await this.#options.engine.remove(infoHash, { deleteFiles: false }).catch(() => {})
        problems[place] = error as Error
      }
    }
    await this.#queue.plan()
    return problems
  }

  /** @returns false for one that is here already */
  async #takeUpOwn(made: OwnTorrent, as: { isNew: true } | { isHashed: true }): Promise<boolean> {
    const { infoHash, pieceCount, torrentFile, directory, stamps } = made
    const known = this.#options.download(infoHash)
    if (known !== undefined && !known.completed)
      throw new ServiceError('failed', `"${known.name}" is being downloaded already; publish it when it is complete`)
    const live = this.#options.engine.status(infoHash)
    // Complete by the log but not by the disk: its files are gone from where they were, and stand here now.
    const lost = live === undefined || live.state === 'failed' || live.state === 'downloading'
    if (known !== undefined && !lost) return false
    await this.#engineDoes(async (engine) => {
      if (live !== undefined) await engine.remove(infoHash, { deleteFiles: false })
      this.#queue.forget(infoHash)
      await engine.add(
        { kind: 'torrent-file', bytes: torrentFile },
        {
          ...{ directory, verified: [{ first: 0, count: pieceCount }], stamps },
          ...{ sources: this.#effective(known?.sources ?? NO_SOURCES), torrentFile: this.#torrentFileOf(infoHash), ...as },
        },
      )
    })
    return true
  }

  /** By where its files stand. */
  downloads(): readonly Download[] {
    return this.#options.downloads()
  }

  /** As its log has it; undefined where it is not here, or not all of it is well. */
  seeded(infoHash: InfoHash): Download | undefined {
    const download = this.#options.download(infoHash)
    if (download?.completed !== true || download.changed !== null || download.paused) return undefined
    const state = this.#options.engine.status(infoHash)?.state
    return state === undefined || state === 'failed' ? undefined : download
  }

  rows(): TorrentRow[] {
    return this.#options.downloads().map((download) => this.#rowOf(download))
  }

  /** @throws ServiceError if there is no such torrent */
  row(infoHash: string): TorrentRow {
    return this.#rowOf(this.#known(infoHash))
  }

  /** The row now and again until the torrent is complete, has failed or is gone. */
  follow(infoHash: string): Progressive<TorrentRow, TorrentRow> {
    let last = this.row(infoHash)
    const followed = last.infoHash as InfoHash
    let first = true
    const rows = liveIterator<TorrentRow, TorrentRow>(
      () => {
        const download = this.#options.download(followed)
        if (download === undefined) throw new ServiceError('failed', `${last.name} was removed`)
        last = this.#rowOf(download)
        if (last.state === 'failed') throw new ServiceError('failed', `${last.name}: ${last.problem ?? 'failed'}`)
        const complete = last.pieceCount > 0 && last.piecesWantedVerified === last.piecesWanted && download.completed
        const items = complete && first ? [] : [last]
        first = false
        return complete ? { items, result: { value: last } } : { items, sleep: true }
      },
      (wake) => this.#tick(wake),
    )
    return rows as Progressive<TorrentRow, TorrentRow>
  }

  async pause(infoHash: string): Promise<TorrentRow> {
    const download = this.#known(infoHash)
    await this.#engineDoes((engine) => engine.pause(download.infoHash))
    if (!download.paused) await this.#record([{ kind: 'download.paused', infoHash: download.infoHash }])
    await this.#queue.plan()
    return this.row(infoHash)
  }

  async resume(infoHash: string): Promise<TorrentRow> {
    const download = this.#known(infoHash)
    if (download.changed !== null) throw new ServiceError('failed', changedText(download, download.changed))
    await this.#engineDoes((engine) => engine.resume(download.infoHash))
    if (download.paused) await this.#record([{ kind: 'download.resumed', infoHash: download.infoHash }])
    this.#resting.delete(download.infoHash)
    await this.#queue.plan()
    return this.row(infoHash)
  }

  /** As the log has it, for what the engine does not keep. */
  #torrentFileOf(infoHash: InfoHash): () => Uint8Array | undefined {
    return () => this.#options.download(infoHash)?.torrentFile
  }

  /** The client as a whole may be told of all torrents. */
  #effective(sources: TorrentSources): TorrentSources {
    const { all } = this.#options
    return {
      ...sources,
      public: sources.public || all.public,
      dht: sources.dht || all.dht,
      local: sources.local || all.local,
    }
  }

  /** @throws ServiceError */
  sources(infoHash: string): SourcesRow {
    const download = this.#known(infoHash)
    return sourcesRow(download, this.#effective(download.sources), this.#options.engine)
  }

  /** @throws ServiceError */
  async changeSources(infoHash: string, request: SourcesRequest): Promise<SourcesRow> {
    const { infoHash: hash, sources: before } = this.#known(infoHash)
    const { engine } = this.#options
    const given = whatIsGiven<SourcesRequest>(request)
    const peers = endpointsOf(given.addPeers ?? [])
    const sources = changedSources(before, given)
    if (sources.public && !before.public && engine.status(hash)?.isPrivate === true)
      throw new ServiceError('failed', 'the torrent is private: it stays among peers of this network')
    if (JSON.stringify(sources) !== JSON.stringify(before)) {
      await this.#record([{ kind: 'download.sourced', infoHash: hash, ...sources }])
      await this.#engineDoes(async () => {
        if (engine.status(hash) !== undefined) await engine.setSources(hash, this.#effective(sources))
      })
    }
    for (const { host, port } of peers) await this.#engineDoes(async () => engine.connect(hash, host, port))
    return this.sources(hash)
  }

  /** @throws ServiceError while the metainfo is not known */
  torrentFile(infoHash: string): { name: string; torrentFile: string } {
    const { name, torrentFile, sources } = this.#known(infoHash)
    if (torrentFile === undefined)
      throw new ServiceError('failed', `nothing is known of what "${name}" holds yet: no peer has sent its metainfo`)
    return { name, torrentFile: Buffer.from(withSources(torrentFile, sources)).toString('base64') }
  }

  /** What is limited now. */
  limits(): ClientLimits {
    const settings = this.#options.settings()
    return { settings, now: ratesAt(settings, this.#options.clock.now()) }
  }

  /** Changes settings of the client from now on. @throws ServiceError */
  async configure(change: Partial<ClientSettings>): Promise<ClientLimits> {
    const settings = { ...this.#options.settings(), ...whatIsGiven(change) }
    checkSettings(settings)
    await this.#record([{ kind: 'client.configured', ...settings }])
    await this.#queue.plan()
    return this.limits()
  }

  /** Rates that a start was given: news only where they are others. */
  async configureAtStart(rates: { [K in keyof Rates]: number | undefined }): Promise<void> {
    const before = this.#options.settings()
    const change = whatIsGiven<Rates>(rates)
    const isNews = (Object.keys(change) as (keyof Rates)[]).some((name) => change[name] !== before[name])
    if (isNews) await this.#record([{ kind: 'client.configured', ...before, ...change }])
  }

  /** Changes limits of one torrent from now on. @throws ServiceError */
  async limit(infoHash: string, change: Partial<TorrentLimits>): Promise<TorrentRow> {
    const { infoHash: hash, limits } = this.#known(infoHash)
    const changed = { ...limits, ...whatIsGiven(change) }
    await this.#record([{ kind: 'download.limited', infoHash: hash, ...changed }])
    await this.#engineDoes(async (engine) => {
      if (engine.status(hash) !== undefined) engine.limit(hash, changed)
    })
    await this.#queue.plan()
    return this.row(hash)
  }

  /** Hashes everything again. What is whole is seeded on; where pieces are missing the torrent is left paused. */
  recheck(infoHash: string): Progressive<RecheckProgress, TorrentRow> {
    return withProgress(async (report, signal) => {
      const download = this.#known(infoHash)
      const hash = download.infoHash
      // A person's pause stays. A torrent that is paused and lacked pieces was left so by an earlier check, or wants them.
      const wanted = download.wanted ?? [{ first: 0, count: download.pieceCount }]
      const staysPaused = download.paused && covers(download.verified, wanted)
      const onProgress = (done: number, total: number) => report({ done, total })
      const found = await this.#engineDoes((engine) => engine.recheck(hash, { signal, onProgress }))
      const goesOn = covers(found.pieces, wanted) && !staysPaused
      const kind = goesOn ? 'download.resumed' : 'download.paused'
      const turns = download.paused === goesOn
      await this.#record([...checked(hash, found), ...(turns ? [{ kind, infoHash: hash } as const] : [])])
      await this.#engineDoes((engine) => (goesOn ? engine.resume(hash) : engine.pause(hash)))
      return this.row(hash)
    })
  }

  /** @param directory absolute */
  move(infoHash: string, directory: string): Progressive<MoveProgress, TorrentRow> {
    return withProgress((report, signal) => {
      const to = { directory: checkDirectory(directory) }
      return this.#relocate(infoHash, to, { signal, onProgress: report })
    })
  }

  /** @param file its number from 1, path or name, or the torrent's folder */
  async rename(infoHash: string, file: string, name: string): Promise<TorrentRow> {
    const { infoHash: hash } = this.#known(infoHash)
    const names = [nameFor(file, name, await this.#engineDoes(async (engine) => engine.files(hash)))]
    return this.#relocate(hash, { names }, { signal: new AbortController().signal })
  }

  async #relocate(infoHash: string, to: Parameters<typeof relocate>[1], watch: Parameters<typeof relocate>[3]) {
    const parts = {
      ...{ engine: this.#options.engine, dataDirectory: this.#options.dataDirectory },
      record: (events: readonly Draft['event'][]) => this.#record(events),
      settled: () => this.settled(),
    }
    await this.#engineDoes(() => relocate(this.#known(infoHash), to, parts, watch))
    await this.#queue.plan()
    return this.row(infoHash)
  }

  /** @throws ServiceError */
  async files(infoHash: string): Promise<TorrentFileRow[]> {
    const { infoHash: hash, pieceCount: known } = this.#known(infoHash)
    if (known === 0 || this.#options.engine.status(hash) === undefined) return []
    return (await this.#options.engine.files(hash)).map(({ file, path, lengthBytes, verifiedBytes, priority }) => ({
      number: file + 1,
      path,
      sizeBytes: lengthBytes,
      verifiedBytes,
      priority: priorityName(priority),
    }))
  }

  /** @throws ServiceError */
  async select(infoHash: string, request: SelectRequest): Promise<TorrentRow> {
    const { infoHash: hash, selection: before, pieceCount: known } = this.#known(infoHash)
    const { engine } = this.#options
    const selected = await this.#engineDoes(async () => {
      const paths = known === 0 ? undefined : pathsOf(await engine.files(hash))
      const chosen = chooseFiles(before, paths, whatIsGiven<SelectRequest>(request))
      return this.#selected(hash, chosen)
    })
    await this.#record([selected])
    await this.#queue.plan()
    return this.row(hash)
  }

  async #selected(infoHash: InfoHash, selection: FileSelection | null): Promise<Draft['event']> {
    const pieces = (await this.#options.engine.select(infoHash, selection ?? undefined)) ?? []
    return { kind: 'download.selected', infoHash, pieces: [...pieces], ...(selection ?? ALL_FILES) }
  }

  /** In turn with additions: one that came between the engine and the log would be in the engine alone, and stay there. */
  remove(infoHash: string, deleteFiles: boolean): Promise<Download> {
    return this.#inTurn(() => this.#remove(infoHash, deleteFiles))
  }

  async #remove(infoHash: string, deleteFiles: boolean): Promise<Download> {
    const download = this.#known(infoHash)
    // What was published stays where its owner put it.
    const deleting = deleteFiles && download.origin === 'download'
    if (this.#options.engine.status(download.infoHash) !== undefined) {
      await this.#engineDoes((engine) => engine.remove(download.infoHash, { deleteFiles: deleting }))
    }
    this.#notTakenUp.delete(download.infoHash)
    this.#notes.delete(download.infoHash)
    await this.#record([{ kind: 'download.removed', infoHash: download.infoHash, filesDeleted: deleting }])
    this.#queue.forget(download.infoHash)
    await this.#queue.plan()
    this.#resting.delete(download.infoHash)
    return download
  }

  corrupt(infoHash: string, percent: number): TorrentRow {
    if (!this.#options.allowCorrupt) {
      throw new ServiceError('failed', 'this node was not started with --allow-corrupt: it serves nothing corrupted')
    }
    if (!(percent >= 0 && percent <= 100)) throw new ServiceError('usage', `a percentage is from 0 to 100, not ${percent}`)
    this.#options.engine.corrupt(this.#known(infoHash).infoHash, percent)
    return this.row(infoHash)
  }

  // --- what the engine tells

  described(metainfo: TorrentMetainfo): void {
    // The engine tells so at every start; the log has the metainfo, of up to 5.5 MiB, once.
    const isKnown = () => (this.#options.download(metainfo.infoHash)?.pieceCount ?? 0) > 0
    const note = renamedText(metainfo)
    if (note !== undefined) this.#notes.set(metainfo.infoHash, note)
    this.#recordLater(async () => {
      if (isKnown()) return []
      if (note !== undefined) this.#options.notices.post('info', 'torrent.renamed', note)
      const { selection = null, torrentFile } = this.#options.download(metainfo.infoHash) ?? {}
      const isByLink = torrentFile === undefined
      // Else it is in the addition.
      const description = isByLink ? described(metainfo) : { ...described(metainfo), torrentFile: new Uint8Array() }
      // Of a magnet link: only now it is known which pieces its wanted files are in.
      return [description, ...(selection && isByLink ? [await this.#selected(metainfo.infoHash, selection)] : [])]
    })
  }

  verified(infoHash: InfoHash, pieces: readonly PieceRange[]): void {
    this.#recordLater(() => [{ kind: 'download.verified', infoHash, pieces: [...pieces] }])
  }

  checked(infoHash: InfoHash, found: DiskState): void {
    this.#recordLater(() => checked(infoHash, found))
  }

  stamped(infoHash: InfoHash, stamps: DiskState['stamps']): void {
    this.#recordLater(() => stamped(infoHash, stamps))
  }

  /** Somebody else changed a file under a torrent: its owner is the one who must know. */
  changed(infoHash: InfoHash, change: FileChange): void {
    this.#recordLater(() => [{ kind: 'download.changed', infoHash, ...change }])
    const download = this.#options.download(infoHash)
    if (download !== undefined) this.#problem(`"${download.name}": ${changedText(download, change)}`)
  }

  failed(infoHash: InfoHash, problem: string): void {
    const name = this.#options.download(infoHash)?.name ?? infoHash
    this.#problem(`"${name}": ${problem}`)
  }

  /** @returns false if the log has it as complete already: a restart, not news */
  async completed(infoHash: InfoHash): Promise<boolean> {
    await this.#adding
    const download = this.#options.download(infoHash)
    if (download === undefined || download.completed) return false
    await this.#record([{ kind: 'download.completed', infoHash }])
    void this.#queue.plan()
    this.#options.notices.post('info', 'download.completed', `finished "${this.#options.download(infoHash)?.name ?? infoHash}"`)
    return true
  }

  /** What was moved is told; nothing is planned any more. The engine still has its torrents. */
  stopQueue(): Promise<void> {
    return this.#queue.close()
  }

  /** Resolves when what was planned so far is carried out. */
  planned(): Promise<void> {
    return this.#queue.planned()
  }

  /** Resolves when everything that was told so far is in the log, or was told not to be. */
  async settled(): Promise<void> {
    await this.#adding
    await Promise.all(this.#recording)
  }

  // ---

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#adding.then(run)
    this.#adding = turn.catch(() => {})
    return turn
  }

  #known(infoHash: string): Download {
    const download = this.#options.download(infoHash.toLowerCase() as InfoHash)
    if (download === undefined)
      throw new ServiceError('failed', `no torrent with info hash ${infoHash} here; see \`p2pt client status\``)
    return download
  }

  async #engineDoes<T>(run: (engine: TorrentEngine) => Promise<T>): Promise<T> {
    try {
      return await run(this.#options.engine)
    } catch (error) {
      throw asServiceError(error)
    }
  }

  /** What the log does not have must not go on in the engine either: it could be neither seen nor removed. */
  async #recordAddition(infoHash: InfoHash, events: readonly Draft['event'][]): Promise<void> {
    try {
      await this.#record(events)
    } catch (error) {
      await this.#options.engine.remove(infoHash, { deleteFiles: false }).catch(() => {})
      throw error
    }
  }

  async #record(events: readonly Draft['event'][]): Promise<void> {
    try {
      await this.#options.appender.append(
        events.map((event) => ({ event })),
        { durable: true },
      )
    } catch (cause) {
      throw new ServiceError('failed', sentence(cause), { cause })
    }
  }

  /** @param events what to record, asked for when its turn comes */
  #recordLater(events: () => readonly Draft['event'][] | Promise<readonly Draft['event'][]>): void {
    const recorded = this.#adding
      .then(async () => {
        const drafts = (await events()).map((event): Draft => ({ event }))
        if (drafts.length > 0) await this.#options.appender.append(drafts)
      })
      .catch((error: unknown) => this.#problem(sentence(error)))
      .then(() => {
        this.#recording.delete(recorded)
      })
    this.#recording.add(recorded)
  }

  #problem(text: string): void {
    this.#options.notices.post('error', 'torrent.problem', text)
  }

  #tick(wake: () => void): () => void {
    let cancel = () => {}
    const again = () => {
      cancel = this.#options.timers.after(FOLLOW_MS, () => {
        wake()
        again()
      })
    }
    again()
    return () => cancel()
  }

  #rowOf(download: Download): TorrentRow {
    const { infoHash, changed } = download
    const live = this.#options.engine.status(infoHash)
    const elsewhere = this.#notTakenUp.get(infoHash) ?? (this.#resting.has(infoHash) ? RESTING : null)
    return torrentRow(download, live, {
      problem: changed === null ? (live?.problem ?? elsewhere) : changedText(download, changed),
      note: this.#notes.get(infoHash),
      held: this.#queue.held(infoHash),
      why: this.#queue.why(download),
      moved: this.#queue.moved(download, live),
      unreached: () => this.#options.unreached(infoHash),
    })
  }
}

/** A torrent of our own as the log has it. */
function additionOf({ made, title }: OwnAddition): Draft['event'][] {
  const { infoHash, name, pieceCount, torrentFile, directory, stamps } = made
  return [
    {
      ...{ kind: 'download.added', infoHash, name, title, directory, torrentFile },
      ...{ origin: 'publish', magnet: '', overwrite: false },
    },
    // The torrent file, of up to 5.5 MiB, is in the addition.
    { ...described(made), torrentFile: new Uint8Array() },
    ...checked(infoHash, { pieces: [{ first: 0, count: pieceCount }], stamps }),
    { kind: 'download.completed', infoHash },
  ]
}

const ALL_FILES = { priorities: '', others: 2, sequential: false } as const

/** A caller may say null for what it leaves out. */
const whatIsGiven = <T extends object>(change: { [K in keyof T]?: T[K] | null | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined && value !== null)) as Partial<T>

/** By their places; empty for padding. */
function pathsOf(files: readonly TorrentFile[]): string[] {
  const paths: string[] = Array((files.at(-1)?.file ?? -1) + 1).fill('')
  for (const { file, path } of files) paths[file] = path
  return paths
}

function sourceOf(download: Download): TorrentSource {
  return download.torrentFile === undefined
    ? { kind: 'magnet', uri: download.magnet }
    : { kind: 'torrent-file', bytes: download.torrentFile }
}

function requested({ torrentFile, magnet }: AddRequest): TorrentSource {
  if ((torrentFile === undefined) === (magnet === undefined)) {
    throw new ServiceError('usage', 'give either a torrent file or a magnet link')
  }
  return magnet === undefined
    ? { kind: 'torrent-file', bytes: Buffer.from(torrentFile ?? '', 'base64') }
    : { kind: 'magnet', uri: magnet }
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

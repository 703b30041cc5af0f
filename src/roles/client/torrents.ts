import { setImmediate } from 'node:timers/promises'
import type { Appender, ClientSettings, Clock, Draft, InfoHash, Rates, Timers } from '../../events/index.ts'
import { covers, type Download } from '../../projections/downloads/index.ts'
import type { TorrentEngine, TorrentSource } from '../../torrent/index.ts'
import { withSources } from '../../torrent/index.ts'
import { liveIterator } from '../node/live-iterator.ts'
import type { NoticeBoard } from '../node/notices.ts'
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
import { checked } from './download-events.ts'
import { checkDirectory, elsewhereOf, nameFor, relocate } from './relocation.ts'
import { type OwnAddition, type OwnTorrent, TorrentAdditions } from './torrent-additions.ts'
import { TorrentNews } from './torrent-news.ts'
import { TorrentQueue } from './torrent-queue.ts'
import { sentence, TorrentRecord } from './torrent-record.ts'
import { torrentRow } from './torrent-row.ts'
import { TorrentSettings } from './torrent-settings.ts'

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

/** The torrents of a client: what the engine does, recorded, so that a restart goes on with it. */
export class Torrents {
  /** What the engine is to tell. */
  readonly news: TorrentNews
  readonly #options: TorrentsOptions
  readonly #record: TorrentRecord
  readonly #settings: TorrentSettings
  readonly #additions: TorrentAdditions
  readonly #queue: TorrentQueue
  /** Paused by {@link pauseAll}, not by a person. */
  readonly #resting = new Set<InfoHash>()
  /** Why the engine did not take up what the log has. */
  readonly #notTakenUp = new Map<InfoHash, string>()

  constructor(options: TorrentsOptions) {
    this.#options = options
    this.#record = new TorrentRecord(options)
    this.#queue = new TorrentQueue({
      ...options,
      record: (events) => this.#record.record(events),
      onProblem: (text) => this.#record.problem(text),
    })
    this.#settings = new TorrentSettings(options, this.#record, this.#queue)
    this.#additions = new TorrentAdditions(options, this.#record, this.#queue, this.#settings)
    this.news = new TorrentNews(options, this.#record, this.#queue, this.#settings)
  }

  /** Pauses what the log says is wanted, before the engine has it: the node died with it again and again. */
  async pauseAll(): Promise<void> {
    const active = this.#options.downloads().filter(({ paused }) => !paused)
    if (active.length === 0) return
    await this.#record.record(active.map(({ infoHash }) => ({ kind: 'download.paused', infoHash })))
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
          sources: this.#settings.effective(download.sources),
          overwrite: download.overwrite,
          ...(download.selection && { selection: download.selection }),
          names: download.names,
          ...(download.move && { elsewhere: elsewhereOf(download.move) }),
          torrentFile: this.#additions.torrentFileOf(download.infoHash),
        })
        if (download.move !== null) await this.#record.record([{ kind: 'download.tidied', infoHash: download.infoHash }])
      } catch (error) {
        this.#notTakenUp.set(download.infoHash, sentence(error))
        this.#record.problem(`"${download.name}" could not be taken up again: ${sentence(error)}`)
      }
    }
  }

  /** @throws ServiceError */
  add(request: AddRequest): Promise<TorrentRow> {
    return this.#record.inTurn(async () => this.row(await this.#additions.add(request)))
  }

  /** As {@link add}; one that is here already is found. @throws ServiceError */
  addOrFind(request: AddRequest): Promise<TorrentRow> {
    return this.#record.inTurn(async () => this.row(await this.#additions.addOrFind(request)))
  }

  /** Takes up a torrent made of files that stand here: every piece is there, its hash was just computed. */
  async addOwn(made: OwnTorrent, title: string): Promise<void> {
    const [problem] = await this.#record.inTurn(() => this.#additions.addOwn([{ made, title }], { isNew: true }))
    if (problem !== undefined) throw problem
  }

  /**
   * The same of several, in one write to the log. They rest at once: hundreds that look for peers would find none sooner.
   * @returns why one was not taken up, in its place
   */
  addManyOwn(all: readonly OwnAddition[]): Promise<(Error | undefined)[]> {
    return this.#record.inTurn(() => this.#additions.addOwn(all, { isHashed: true }))
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
    return this.#rowOf(this.#record.known(infoHash))
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
    const download = this.#record.known(infoHash)
    await this.#record.engineDoes((engine) => engine.pause(download.infoHash))
    if (!download.paused) await this.#record.record([{ kind: 'download.paused', infoHash: download.infoHash }])
    await this.#queue.plan()
    return this.row(infoHash)
  }

  async resume(infoHash: string): Promise<TorrentRow> {
    const download = this.#record.known(infoHash)
    if (download.changed !== null) throw new ServiceError('failed', changedText(download, download.changed))
    await this.#record.engineDoes((engine) => engine.resume(download.infoHash))
    if (download.paused) await this.#record.record([{ kind: 'download.resumed', infoHash: download.infoHash }])
    this.#resting.delete(download.infoHash)
    await this.#queue.plan()
    return this.row(infoHash)
  }

  /** @throws ServiceError */
  sources(infoHash: string): SourcesRow {
    return this.#settings.sources(infoHash)
  }

  /** @throws ServiceError */
  changeSources(infoHash: string, request: SourcesRequest): Promise<SourcesRow> {
    return this.#settings.changeSources(infoHash, request)
  }

  /** @throws ServiceError while the metainfo is not known */
  torrentFile(infoHash: string): { name: string; torrentFile: string } {
    const { name, torrentFile, sources } = this.#record.known(infoHash)
    if (torrentFile === undefined)
      throw new ServiceError('failed', `nothing is known of what "${name}" holds yet: no peer has sent its metainfo`)
    return { name, torrentFile: Buffer.from(withSources(torrentFile, sources)).toString('base64') }
  }

  /** What is limited now. */
  limits(): ClientLimits {
    return this.#settings.limits()
  }

  /** Changes settings of the client from now on. @throws ServiceError */
  configure(change: Partial<ClientSettings>): Promise<ClientLimits> {
    return this.#settings.configure(change)
  }

  /** Rates that a start was given: news only where they are others. */
  configureAtStart(rates: { [K in keyof Rates]: number | undefined }): Promise<void> {
    return this.#settings.configureAtStart(rates)
  }

  /** Changes limits of one torrent from now on. @throws ServiceError */
  async limit(infoHash: string, change: Partial<TorrentLimits>): Promise<TorrentRow> {
    await this.#settings.limit(infoHash, change)
    return this.row(infoHash)
  }

  /** Hashes everything again. What is whole is seeded on; where pieces are missing the torrent is left paused. */
  recheck(infoHash: string): Progressive<RecheckProgress, TorrentRow> {
    return withProgress(async (report, signal) => {
      const download = this.#record.known(infoHash)
      const hash = download.infoHash
      // A person's pause stays. A torrent that is paused and lacked pieces was left so by an earlier check, or wants them.
      const wanted = download.wanted ?? [{ first: 0, count: download.pieceCount }]
      const staysPaused = download.paused && covers(download.verified, wanted)
      const onProgress = (done: number, total: number) => report({ done, total })
      const found = await this.#record.engineDoes((engine) => engine.recheck(hash, { signal, onProgress }))
      const goesOn = covers(found.pieces, wanted) && !staysPaused
      const kind = goesOn ? 'download.resumed' : 'download.paused'
      const turns = download.paused === goesOn
      await this.#record.record([...checked(hash, found), ...(turns ? [{ kind, infoHash: hash } as const] : [])])
      await this.#record.engineDoes((engine) => (goesOn ? engine.resume(hash) : engine.pause(hash)))
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
    const { infoHash: hash } = this.#record.known(infoHash)
    const names = [nameFor(file, name, await this.#record.engineDoes(async (engine) => engine.files(hash)))]
    return this.#relocate(hash, { names }, { signal: new AbortController().signal })
  }

  async #relocate(infoHash: string, to: Parameters<typeof relocate>[1], watch: Parameters<typeof relocate>[3]) {
    const parts = {
      ...{ engine: this.#options.engine, dataDirectory: this.#options.dataDirectory },
      record: (events: readonly Draft['event'][]) => this.#record.record(events),
      settled: () => this.settled(),
    }
    await this.#record.engineDoes(() => relocate(this.#record.known(infoHash), to, parts, watch))
    await this.#queue.plan()
    return this.row(infoHash)
  }

  /** @throws ServiceError */
  files(infoHash: string): Promise<TorrentFileRow[]> {
    return this.#settings.files(infoHash)
  }

  /** @throws ServiceError */
  async select(infoHash: string, request: SelectRequest): Promise<TorrentRow> {
    await this.#settings.select(infoHash, request)
    return this.row(infoHash)
  }

  /** In turn with additions: one that came between the engine and the log would be in the engine alone, and stay there. */
  remove(infoHash: string, deleteFiles: boolean): Promise<Download> {
    return this.#record.inTurn(() => this.#remove(infoHash, deleteFiles))
  }

  async #remove(infoHash: string, deleteFiles: boolean): Promise<Download> {
    const download = this.#record.known(infoHash)
    // What was published stays where its owner put it.
    const deleting = deleteFiles && download.origin === 'download'
    if (this.#options.engine.status(download.infoHash) !== undefined) {
      await this.#record.engineDoes((engine) => engine.remove(download.infoHash, { deleteFiles: deleting }))
    }
    this.#notTakenUp.delete(download.infoHash)
    this.news.forget(download.infoHash)
    await this.#record.record([{ kind: 'download.removed', infoHash: download.infoHash, filesDeleted: deleting }])
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
    this.#options.engine.corrupt(this.#record.known(infoHash).infoHash, percent)
    return this.row(infoHash)
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
  settled(): Promise<void> {
    return this.#record.settled()
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
      note: this.news.note(infoHash),
      held: this.#queue.held(infoHash),
      why: this.#queue.why(download),
      moved: this.#queue.moved(download, live),
      unreached: () => this.#options.unreached(infoHash),
    })
  }
}

function sourceOf(download: Download): TorrentSource {
  return download.torrentFile === undefined
    ? { kind: 'magnet', uri: download.magnet }
    : { kind: 'torrent-file', bytes: download.torrentFile }
}

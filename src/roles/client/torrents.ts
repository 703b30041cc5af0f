import type { Appender, Draft, FileChange, InfoHash, PieceRange, Timers } from '../../events/index.ts'
import { PIECES_PER_VERDICT_MAX, STAMPS_MAX } from '../../events/index.ts'
import { type Download, pieceCount } from '../../projections/downloads/index.ts'
import type {
  CreatedTorrent,
  DiskState,
  TorrentEngine,
  TorrentMetainfo,
  TorrentSource,
  TorrentStatus,
} from '../../torrent/index.ts'
import { magnetOf, titleOfMagnet } from '../magnet.ts'
import { liveIterator } from '../node/live-iterator.ts'
import type { NoticeBoard } from '../node/notices.ts'
import { asServiceError } from '../node/service-errors.ts'
import { withProgress } from '../node/with-progress.ts'
import { type AddRequest, type Progressive, type RecheckProgress, ServiceError, type TorrentRow } from '../services.ts'
import { changedText } from './changed-files.ts'
import { renamedText } from './renamed-files.ts'

/** How often a follower gets a new row, ms. */
const FOLLOW_MS = 500

const RESTING = 'paused, as the node died twice within a minute: go on with `p2pt client resume`'

export type TorrentsOptions = {
  appender: Appender
  engine: TorrentEngine
  timers: Timers
  notices: NoticeBoard
  /** Where downloads go unless the request says otherwise, absolute. */
  directory: string
  allowCorrupt: boolean
  /** Rows of the downloads projection. */
  downloads(): readonly Download[]
  download(infoHash: InfoHash): Download | undefined
  /** How many peers offer this torrent and could not be reached. */
  unreached(infoHash: InfoHash): number
}

/** What the engine's `create` gives: the metainfo, where the files stand, and how they looked. */
export type OwnTorrent = Omit<CreatedTorrent, 'skipped'>

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

  constructor(options: TorrentsOptions) {
    this.#options = options
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
    for (const download of this.#options.downloads()) {
      try {
        await this.#options.engine.add(sourceOf(download), {
          directory: download.directory,
          // Until the disk was looked at, what stands there may be another's.
          ...(download.checked ? { verified: download.verified } : {}),
          stamps: [...download.stamps].map(([file, stamp]) => ({ file, stamp })),
          ...(download.changed === null ? {} : { changed: download.changed }),
          paused: download.paused,
          overwrite: download.overwrite,
        })
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
    const supplied = await this.#engineDoes((engine) => engine.supply(source))
    if (supplied !== undefined) return this.row(supplied)
    const directory = request.directory ?? this.#options.directory
    const infoHash = await this.#engineDoes((engine) => engine.add(source, { directory, overwrite }))
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
    ])
    return this.row(infoHash)
  }

  /** Takes up a torrent made of files that stand here: every piece is there, its hash was just computed. */
  addOwn(made: OwnTorrent, title: string): Promise<void> {
    return this.#inTurn(() => this.#addOwn(made, title))
  }

  async #addOwn(made: OwnTorrent, title: string): Promise<void> {
    const { infoHash, name, pieceCount, torrentFile, directory, stamps } = made
    const verified: PieceRange[] = [{ first: 0, count: pieceCount }]
    const known = this.#options.download(infoHash)
    if (known !== undefined && !known.completed)
      throw new ServiceError('failed', `"${known.name}" is being downloaded already; publish it when it is complete`)
    const live = this.#options.engine.status(infoHash)
    // Complete by the log but not by the disk: its files are gone from where they were, and stand here now.
    const lost = live === undefined || live.state === 'failed' || live.state === 'downloading'
    if (known !== undefined && !lost) return
    await this.#engineDoes(async (engine) => {
      if (live !== undefined) await engine.remove(infoHash, { deleteFiles: false })
      await engine.add({ kind: 'torrent-file', bytes: torrentFile }, { directory, verified, stamps })
    })
    await this.#recordAddition(infoHash, [
      {
        kind: 'download.added',
        infoHash,
        name,
        title,
        directory,
        origin: 'publish',
        magnet: '',
        torrentFile,
        overwrite: false,
      },
      described(made),
      ...checked(infoHash, { pieces: verified, stamps }),
      { kind: 'download.completed', infoHash },
    ])
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
        const complete = last.pieceCount > 0 && last.piecesVerified === last.pieceCount && download.completed
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
    return this.row(infoHash)
  }

  async resume(infoHash: string): Promise<TorrentRow> {
    const download = this.#known(infoHash)
    if (download.changed !== null) throw new ServiceError('failed', changedText(download, download.changed))
    await this.#engineDoes((engine) => engine.resume(download.infoHash))
    if (download.paused) await this.#record([{ kind: 'download.resumed', infoHash: download.infoHash }])
    this.#resting.delete(download.infoHash)
    return this.row(infoHash)
  }

  /** Hashes everything again. What is whole is seeded on; where pieces are missing the torrent is left paused. */
  recheck(infoHash: string): Progressive<RecheckProgress, TorrentRow> {
    return withProgress(async (report, signal) => {
      const download = this.#known(infoHash)
      const hash = download.infoHash
      // A person's pause stays. A torrent that is paused and lacked pieces was left so by an earlier check, or wants them.
      const staysPaused = download.paused && pieceCount(download.verified) === download.pieceCount
      const onProgress = (done: number, total: number) => report({ done, total })
      const found = await this.#engineDoes((engine) => engine.recheck(hash, { signal, onProgress }))
      const goesOn = pieceCount(found.pieces) === download.pieceCount && !staysPaused
      const kind = goesOn ? 'download.resumed' : 'download.paused'
      const turns = download.paused === goesOn
      await this.#record([...checked(hash, found), ...(turns ? [{ kind, infoHash: hash } as const] : [])])
      await this.#engineDoes((engine) => (goesOn ? engine.resume(hash) : engine.pause(hash)))
      return this.row(hash)
    })
  }

  async remove(infoHash: string, deleteFiles: boolean): Promise<Download> {
    const download = this.#known(infoHash)
    // What was published stays where its owner put it.
    const deleting = deleteFiles && download.origin === 'download'
    if (this.#options.engine.status(download.infoHash) !== undefined) {
      await this.#engineDoes((engine) => engine.remove(download.infoHash, { deleteFiles: deleting }))
    }
    this.#notTakenUp.delete(download.infoHash)
    this.#notes.delete(download.infoHash)
    await this.#record([{ kind: 'download.removed', infoHash: download.infoHash, filesDeleted: deleting }])
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
    this.#recordLater(() => {
      if (isKnown()) return []
      if (note !== undefined) this.#options.notices.post('info', 'torrent.renamed', note)
      return [described(metainfo)]
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
    this.#options.notices.post('info', 'download.completed', `finished "${this.#options.download(infoHash)?.name ?? infoHash}"`)
    return true
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
  #recordLater(events: () => readonly Draft['event'][]): void {
    const recorded = this.#adding
      .then(async () => {
        const drafts = events().map((event): Draft => ({ event }))
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
    const live = this.#options.engine.status(download.infoHash)
    const note = this.#notes.get(download.infoHash)
    return {
      infoHash: download.infoHash,
      name: download.name,
      state: stateOf(download, live),
      problem:
        download.changed === null
          ? (live?.problem ??
            this.#notTakenUp.get(download.infoHash) ??
            (this.#resting.has(download.infoHash) ? RESTING : null))
          : changedText(download, download.changed),
      origin: download.origin,
      directory: download.directory,
      sizeBytes: download.sizeBytes,
      pieceCount: download.pieceCount,
      piecesVerified: pieceCount(download.verified),
      downloadedBytes: live?.downloadedBytes ?? 0,
      uploadedBytes: live?.uploadedBytes ?? 0,
      downloadBytesPerSecond: live?.downloadBytesPerSecond ?? 0,
      uploadBytesPerSecond: live?.uploadBytesPerSecond ?? 0,
      timeLeftMs: live?.timeLeftMs ?? null,
      peers: live?.peers.length ?? 0,
      unreached: isAlone(live) ? this.#options.unreached(download.infoHash) : 0,
      corruptPercent: live?.corruptPercent ?? 0,
      magnet: download.magnet || magnetOf(download.infoHash, download.title || download.name),
      ...(note === undefined ? {} : { note }),
    }
  }
}

const isAlone = (live: TorrentStatus | undefined): boolean => live?.peers.length === 0 && live.state !== 'seeding'

function stateOf(download: Download, live: TorrentStatus | undefined): TorrentRow['state'] {
  if (download.paused) return 'paused'
  return live?.state ?? 'failed'
}

function sourceOf(download: Download): TorrentSource {
  return download.torrentFile === undefined
    ? { kind: 'magnet', uri: download.magnet }
    : { kind: 'torrent-file', bytes: download.torrentFile }
}

function described(metainfo: TorrentMetainfo): Draft['event'] {
  const { infoHash, name, sizeBytes, pieceCount, pieceLengthBytes, torrentFile } = metainfo
  return { kind: 'download.described', infoHash, name, sizeBytes, pieceCount, pieceLengthBytes, torrentFile }
}

/** A full check as events; a set of pieces or stamps that is too long for one goes on in others. */
function checked(infoHash: InfoHash, { pieces, stamps }: DiskState): Draft['event'][] {
  const [first = [], ...more] = slices(pieces, PIECES_PER_VERDICT_MAX)
  return [
    { kind: 'download.checked', infoHash, pieces: first },
    ...more.map((each): Draft['event'] => ({ kind: 'download.verified', infoHash, pieces: each })),
    ...stamped(infoHash, stamps),
  ]
}

const stamped = (infoHash: InfoHash, stamps: DiskState['stamps']): Draft['event'][] =>
  slices(stamps, STAMPS_MAX).map((each) => ({ kind: 'download.stamped', infoHash, stamps: each }))

function slices<T>(all: readonly T[], length: number): T[][] {
  const parts: T[][] = []
  for (let at = 0; at < all.length; at += length) parts.push(all.slice(at, at + length))
  return parts
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

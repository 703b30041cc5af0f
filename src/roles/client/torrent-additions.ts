import { type Draft, type InfoHash, NO_SOURCES, type TorrentSources } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { CreatedTorrent, Inspected, TorrentEngine, TorrentSource } from '../../torrent/index.ts'
import { titleOfMagnet } from '../magnet.ts'
import { type AddRequest, type SelectRequest, ServiceError } from '../services.ts'
import { chooseFiles, wantedByLink } from './choose-files.ts'
import { checked, described } from './download-events.ts'
import type { TorrentQueue } from './torrent-queue.ts'
import type { TorrentRecord } from './torrent-record.ts'
import { type TorrentSettings, whatIsGiven } from './torrent-settings.ts'
import { canBeAsked, namedSources } from './torrent-sources.ts'

/** What the engine's `create` gives: the metainfo, where the files stand, and how they looked. */
export type OwnTorrent = Omit<CreatedTorrent, 'skipped'>
export type OwnAddition = { readonly made: OwnTorrent; readonly title: string }

export type TorrentAdditionsOptions = {
  engine: TorrentEngine
  /** Where downloads go unless the request says otherwise, absolute. */
  directory: string
  download(infoHash: InfoHash): Download | undefined
}

/** How a torrent comes: from others, or made of files that stand here. Each call is one of a turn. */
export class TorrentAdditions {
  readonly #options: TorrentAdditionsOptions
  readonly #record: TorrentRecord
  readonly #queue: TorrentQueue
  readonly #settings: TorrentSettings

  constructor(options: TorrentAdditionsOptions, record: TorrentRecord, queue: TorrentQueue, settings: TorrentSettings) {
    this.#options = options
    this.#record = record
    this.#queue = queue
    this.#settings = settings
  }

  /** @throws ServiceError */
  async add(request: AddRequest): Promise<InfoHash> {
    const source = requested(request)
    const { overwrite = false } = request
    const inspected = await this.#record.engineDoes((engine) => engine.inspect(source))
    const supplied = await this.#record.engineDoes((engine) => engine.supply(source))
    const isNews = await this.#mergeSources(inspected, request)
    if (supplied !== undefined || isNews) return inspected.infoHash
    const directory = request.directory ?? this.#options.directory
    const selection = chooseFiles(null, inspected.paths, whatIsGiven<SelectRequest>(request.select ?? wantedByLink(inspected)))
    const named = namedSources(inspected)
    const { public: isPublic = false, dht = false, local = false } = request
    const sources: TorrentSources = { public: isPublic, ...named, dht, local }
    const infoHash = await this.#record.engineDoes((engine) =>
      engine.add(source, {
        ...{ directory, overwrite, ...(selection && { selection }), sources: this.#settings.effective(sources) },
        torrentFile: this.torrentFileOf(inspected.infoHash),
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
      ...(selection === null ? [] : [await this.#settings.selected(infoHash, selection)]),
    ])
    await this.#queue.plan()
    return infoHash
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
    await this.#settings.changeSources(inspected.infoHash, {
      ...Object.fromEntries(said.map((each) => [each, true])),
      addTrackers: trackers,
      addWebSeeds: webSeeds,
    })
    return true
  }

  /** As {@link add}; one that is here already is found. @throws ServiceError */
  async addOrFind(request: AddRequest): Promise<InfoHash> {
    const { infoHash } = await this.#record.engineDoes((engine) => engine.inspect(requested(request)))
    return this.#options.download(infoHash) === undefined ? this.add(request) : infoHash
  }

  /**
   * Takes up torrents made of files that stand here, in one write to the log: every piece is there, its hash was just computed.
   * @returns why one was not taken up, in its place
   */
  async addOwn(all: readonly OwnAddition[], as: { isNew: true } | { isHashed: true }): Promise<(Error | undefined)[]> {
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
      await this.#record.record([...taken.values()].flatMap((place) => additionOf(all[place] as OwnAddition)))
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
    await this.#record.engineDoes(async (engine) => {
      if (live !== undefined) await engine.remove(infoHash, { deleteFiles: false })
      this.#queue.forget(infoHash)
      await engine.add(
        { kind: 'torrent-file', bytes: torrentFile },
        {
          ...{ directory, verified: [{ first: 0, count: pieceCount }], stamps },
          ...{
            sources: this.#settings.effective(known?.sources ?? NO_SOURCES),
            torrentFile: this.torrentFileOf(infoHash),
            ...as,
          },
        },
      )
    })
    return true
  }

  /** What the log does not have must not go on in the engine either: it could be neither seen nor removed. */
  async #recordAddition(infoHash: InfoHash, events: readonly Draft['event'][]): Promise<void> {
    try {
      await this.#record.record(events)
    } catch (error) {
      await this.#options.engine.remove(infoHash, { deleteFiles: false }).catch(() => {})
      throw error
    }
  }

  /** As the log has it, for what the engine does not keep. */
  torrentFileOf(infoHash: InfoHash): () => Uint8Array | undefined {
    return () => this.#options.download(infoHash)?.torrentFile
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

function requested({ torrentFile, magnet }: AddRequest): TorrentSource {
  if ((torrentFile === undefined) === (magnet === undefined)) {
    throw new ServiceError('usage', 'give either a torrent file or a magnet link')
  }
  return magnet === undefined
    ? { kind: 'torrent-file', bytes: Buffer.from(torrentFile ?? '', 'base64') }
    : { kind: 'magnet', uri: magnet }
}

import type { ClientSettings, Clock, Draft, FileSelection, InfoHash, Rates, TorrentSources } from '../../events/index.ts'
import type { TorrentEngine, TorrentFile } from '../../torrent/index.ts'
import {
  type ClientLimits,
  type SelectRequest,
  ServiceError,
  type SourcesRequest,
  type SourcesRow,
  type TorrentFileRow,
  type TorrentLimits,
} from '../services.ts'
import { checkSettings } from './check-settings.ts'
import { chooseFiles, priorityName } from './choose-files.ts'
import { ratesAt } from './rate-schedule.ts'
import type { TorrentQueue } from './torrent-queue.ts'
import type { TorrentRecord } from './torrent-record.ts'
import { changedSources, endpointsOf, sourcesRow } from './torrent-sources.ts'

export type TorrentSettingsOptions = {
  engine: TorrentEngine
  clock: Clock
  /** What holds of all torrents, whatever was said of each: they are public, those that are take part in these. */
  all: { public: boolean; dht: boolean; local: boolean }
  settings(): ClientSettings
}

/** What a person sets: sources, limits and wanted files, of the client and of each torrent. Each is an event before it holds. */
export class TorrentSettings {
  readonly #options: TorrentSettingsOptions
  readonly #record: TorrentRecord
  readonly #queue: TorrentQueue

  constructor(options: TorrentSettingsOptions, record: TorrentRecord, queue: TorrentQueue) {
    this.#options = options
    this.#record = record
    this.#queue = queue
  }

  /** The client as a whole may be told of all torrents. */
  effective(sources: TorrentSources): TorrentSources {
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
    const download = this.#record.known(infoHash)
    return sourcesRow(download, this.effective(download.sources), this.#options.engine)
  }

  /** @throws ServiceError */
  async changeSources(infoHash: string, request: SourcesRequest): Promise<SourcesRow> {
    const { infoHash: hash, sources: before } = this.#record.known(infoHash)
    const { engine } = this.#options
    const given = whatIsGiven<SourcesRequest>(request)
    const peers = endpointsOf(given.addPeers ?? [])
    const sources = changedSources(before, given)
    if (sources.public && !before.public && engine.status(hash)?.isPrivate === true)
      throw new ServiceError('failed', 'the torrent is private: it stays among peers of this network')
    if (JSON.stringify(sources) !== JSON.stringify(before)) {
      await this.#record.record([{ kind: 'download.sourced', infoHash: hash, ...sources }])
      await this.#record.engineDoes(async () => {
        if (engine.status(hash) !== undefined) await engine.setSources(hash, this.effective(sources))
      })
    }
    for (const { host, port } of peers) await this.#record.engineDoes(async () => engine.connect(hash, host, port))
    return this.sources(hash)
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
    await this.#record.record([{ kind: 'client.configured', ...settings }])
    await this.#queue.plan()
    return this.limits()
  }

  /** Rates that a start was given: news only where they are others. */
  async configureAtStart(rates: { [K in keyof Rates]: number | undefined }): Promise<void> {
    const before = this.#options.settings()
    const change = whatIsGiven<Rates>(rates)
    const isNews = (Object.keys(change) as (keyof Rates)[]).some((name) => change[name] !== before[name])
    if (isNews) await this.#record.record([{ kind: 'client.configured', ...before, ...change }])
  }

  /** Changes limits of one torrent from now on. @throws ServiceError */
  async limit(infoHash: string, change: Partial<TorrentLimits>): Promise<void> {
    const { infoHash: hash, limits } = this.#record.known(infoHash)
    const changed = { ...limits, ...whatIsGiven(change) }
    await this.#record.record([{ kind: 'download.limited', infoHash: hash, ...changed }])
    await this.#record.engineDoes(async (engine) => {
      if (engine.status(hash) !== undefined) engine.limit(hash, changed)
    })
    await this.#queue.plan()
  }

  /** @throws ServiceError */
  async files(infoHash: string): Promise<TorrentFileRow[]> {
    const { infoHash: hash, pieceCount: known } = this.#record.known(infoHash)
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
  async select(infoHash: string, request: SelectRequest): Promise<void> {
    const { infoHash: hash, selection: before, pieceCount: known } = this.#record.known(infoHash)
    const { engine } = this.#options
    const selected = await this.#record.engineDoes(async () => {
      const paths = known === 0 ? undefined : pathsOf(await engine.files(hash))
      const chosen = chooseFiles(before, paths, whatIsGiven<SelectRequest>(request))
      return this.selected(hash, chosen)
    })
    await this.#record.record([selected])
    await this.#queue.plan()
  }

  async selected(infoHash: InfoHash, selection: FileSelection | null): Promise<Draft['event']> {
    const pieces = (await this.#options.engine.select(infoHash, selection ?? undefined)) ?? []
    return { kind: 'download.selected', infoHash, pieces: [...pieces], ...(selection ?? ALL_FILES) }
  }
}

const ALL_FILES = { priorities: '', others: 2, sequential: false } as const

/** A caller may say null for what it leaves out. */
export const whatIsGiven = <T extends object>(change: { [K in keyof T]?: T[K] | null | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined && value !== null)) as Partial<T>

/** By their places; empty for padding. */
function pathsOf(files: readonly TorrentFile[]): string[] {
  const paths: string[] = Array((files.at(-1)?.file ?? -1) + 1).fill('')
  for (const { file, path } of files) paths[file] = path
  return paths
}

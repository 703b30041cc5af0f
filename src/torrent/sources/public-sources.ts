import type { InfoHash, TorrentSources } from '../../events/index.ts'
import type { Metainfo } from '../metainfo.ts'
import type { SharedPart, SharedSource } from './shared-source.ts'
import { type AnnouncerOptions, TrackerAnnouncer, type TrackerStatus } from './tracker-announcer.ts'

// Where one public torrent finds peers besides its network, while it is open. What each of them says stands in a status, so that
// a person sees who is asked and what came of it.

export type SourceStatus = TrackerStatus & {
  readonly kind: 'tracker' | 'web-seed' | 'dht' | 'local'
  /** When it was announced there last, ms since 1970; undefined where that is not known. */
  readonly announcedAt: number | undefined
  /** Of the public DHT that our node knows. */
  readonly nodes: number | undefined
}

export type PublicSourcesOptions = AnnouncerOptions & {
  /** Opens a web seed as a peer. @param ended why it ended, undefined where nothing is wrong @returns how to close it */
  openWebSeed(url: string, metainfo: Metainfo, ended: (problem: string | undefined) => void): () => void
  /** There is something to be had. */
  isWanting(): boolean
  /** The public DHT and the local network, of all torrents that take part. */
  shared: { readonly [K in SharedKind]: SharedSource }
  /** Of a shared source, on the word of strangers. */
  told(endpoints: readonly string[]): void
}

type SharedKind = 'dht' | 'local'
/** What their rows say instead of an address. */
const SHARED_NAMES = { dht: 'the public DHT', local: 'the local network' }

/** After a failure of a web seed, doubled each time in a row, ms. */
const RETRY_MS = { first: 30_000, most: 1_800_000 }

type WebSeed = {
  url: string
  state: TrackerStatus['state']
  problem: string | undefined
  failures: number
  close: () => void
}

export class PublicSources {
  readonly #options: PublicSourcesOptions
  readonly #trackers: TrackerAnnouncer
  readonly #webSeeds: WebSeed[]
  readonly #shared: { kind: SharedKind; part: SharedPart }[]
  #isClosed = false

  constructor(infoHash: InfoHash, sources: TorrentSources, options: PublicSourcesOptions) {
    this.#options = options
    const { trackers, webSeeds } = sources
    const kinds = (['dht', 'local'] as const).filter((kind) => sources[kind])
    this.#shared = kinds.map((kind) => ({ kind, part: options.shared[kind].join(infoHash, (found) => options.told(found)) }))
    this.#trackers = new TrackerAnnouncer(trackers, options)
    this.#webSeeds = webSeeds.map((url) => ({ url, state: 'waiting', problem: undefined, failures: 0, close: () => {} }))
  }

  status(): SourceStatus[] {
    const NOT_KNOWN = { announcedAt: undefined, nodes: undefined }
    const NOTHING = { seeders: undefined, leechers: undefined, peers: 0, ...NOT_KNOWN }
    return [
      ...this.#shared.map(({ kind, part }) => ({ ...NOTHING, kind, url: SHARED_NAMES[kind], ...part.status })),
      ...this.#trackers.status().map((tracker) => ({ ...NOT_KNOWN, kind: 'tracker' as const, ...tracker })),
      ...this.#webSeeds.map(({ url, state, problem }) => ({ kind: 'web-seed' as const, url, state, problem, ...NOTHING })),
    ]
  }

  /** Its files are known, and looked at. */
  ready(metainfo: Metainfo): void {
    for (const seed of this.#webSeeds) if (seed.state === 'waiting') this.#open(seed, metainfo)
  }

  completed(): void {
    this.#trackers.completed()
    for (const seed of this.#webSeeds) seed.close()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const { part } of this.#shared) part.close()
    for (const seed of this.#webSeeds) seed.close()
    await this.#trackers.close()
  }

  #open(seed: WebSeed, metainfo: Metainfo): void {
    const { timers, openWebSeed, isWanting } = this.#options
    if (this.#isClosed || !isWanting()) return
    seed.state = 'works'
    let hasEnded = false
    const close = openWebSeed(seed.url, metainfo, (problem) => {
      hasEnded = true
      seed.close = () => {}
      if (problem === undefined) {
        seed.state = 'waiting'
        return
      }
      seed.state = 'fails'
      seed.problem = problem
      seed.close = timers.after(Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** seed.failures++), () =>
        this.#open(seed, metainfo),
      )
    })
    if (!hasEnded) seed.close = close
  }
}

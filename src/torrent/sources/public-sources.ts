import type { TorrentSources } from '../../events/index.ts'
import type { Metainfo } from '../metainfo.ts'
import { type AnnouncerOptions, TrackerAnnouncer, type TrackerStatus } from './tracker-announcer.ts'

// Where one public torrent finds peers besides its network, while it is open. What each of them says stands in a status, so that
// a person sees who is asked and what came of it.

export type SourceStatus = TrackerStatus & { readonly kind: 'tracker' | 'web-seed' }

export type PublicSourcesOptions = AnnouncerOptions & {
  /** Opens a web seed as a peer. @param ended why it ended, undefined where nothing is wrong @returns how to close it */
  openWebSeed(url: string, metainfo: Metainfo, ended: (problem: string | undefined) => void): () => void
  /** There is something to be had. */
  isWanting(): boolean
}

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
  #isClosed = false

  constructor({ trackers, webSeeds }: TorrentSources, options: PublicSourcesOptions) {
    this.#options = options
    this.#trackers = new TrackerAnnouncer(trackers, options)
    this.#webSeeds = webSeeds.map((url) => ({ url, state: 'waiting', problem: undefined, failures: 0, close: () => {} }))
  }

  status(): SourceStatus[] {
    const NOTHING = { seeders: undefined, leechers: undefined, peers: 0 }
    return [
      ...this.#trackers.status().map((tracker) => ({ kind: 'tracker' as const, ...tracker })),
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

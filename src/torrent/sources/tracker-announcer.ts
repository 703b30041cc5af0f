import type { Timers } from '../../events/index.ts'
import type { Announcement, TrackerAnswer, TrackerEvent } from './tracker-messages.ts'

// When a torrent is announced to each of its trackers, and what came of it. All of them are asked: a torrent has few.

/** After a failure, doubled each time in a row, ms. */
const RETRY_MS = { first: 60_000, most: 3_600_000 }
/** Peers that are asked for while it downloads, and while it seeds, where a few are enough to say that it is there. */
const WANTED = { downloading: 80, seeding: 20 }
/** Saying goodbye keeps no stop waiting for longer than this, ms. */
const GOODBYE_MS = 2_000
export const TRACKERS_MAX = 128

export type TrackerStatus = {
  readonly url: string
  readonly state: 'waiting' | 'announcing' | 'works' | 'fails'
  /** Why it fails, or what it wants a person to know: a sentence. */
  readonly problem: string | undefined
  readonly seeders: number | undefined
  readonly leechers: number | undefined
  /** That it named the last time. */
  readonly peers: number
}

export type AnnouncerOptions = {
  timers: Timers
  /** What is true of the torrent now. */
  progress(): Pick<Announcement, 'infoHash' | 'peerId' | 'port' | 'uploadedBytes' | 'downloadedBytes' | 'leftBytes' | 'key'>
  announce(tracker: string, announcement: Announcement, signal: AbortSignal): Promise<TrackerAnswer>
  found(endpoint: string): void
}

type Tracker = { -readonly [K in keyof TrackerStatus]: TrackerStatus[K] } & {
  failures: number
  /** It knows of us, and is told when we go. */
  isTold: boolean
  cancel: () => void
}

export class TrackerAnnouncer {
  readonly #options: AnnouncerOptions
  readonly #trackers: Map<string, Tracker>
  readonly #ending = new AbortController()
  #isClosed = false

  constructor(urls: readonly string[], options: AnnouncerOptions) {
    this.#options = options
    this.#trackers = new Map(urls.slice(0, TRACKERS_MAX).map((url) => [url, newTracker(url)]))
    for (const tracker of this.#trackers.values()) void this.#announce(tracker, 'started')
  }

  status(): TrackerStatus[] {
    return [...this.#trackers.values()].map(({ url, state, problem, seeders, leechers, peers }) => ({
      ...{ url, state, problem, seeders, leechers, peers },
    }))
  }

  /** The last wanted piece came while it was open. */
  completed(): void {
    for (const tracker of this.#trackers.values()) if (tracker.isTold) void this.#announce(tracker, 'completed')
  }

  /** Says goodbye to those that know of us, and waits for that a little. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { cancel } of this.#trackers.values()) cancel()
    const goodbyes = [...this.#trackers.values()]
      .filter(({ isTold }) => isTold)
      .map((tracker) => this.#announce(tracker, 'stopped'))
    const cancel = this.#options.timers.after(GOODBYE_MS, () => this.#ending.abort(new Error('the torrent is closed')))
    await Promise.all(goodbyes)
    cancel()
    this.#ending.abort(new Error('the torrent is closed'))
  }

  async #announce(tracker: Tracker, event: TrackerEvent): Promise<void> {
    tracker.cancel()
    const { progress, announce, found } = this.#options
    const now = progress()
    const wanted = now.leftBytes > 0 ? WANTED.downloading : WANTED.seeding
    tracker.state = 'announcing'
    try {
      const answer = await announce(tracker.url, { ...now, event, wanted }, this.#ending.signal)
      if (event === 'stopped') return
      tracker.isTold = true
      tracker.failures = 0
      tracker.state = 'works'
      tracker.problem = answer.warning
      tracker.seeders = answer.seeders
      tracker.leechers = answer.leechers
      tracker.peers = answer.peers.length
      if (this.#isClosed) return
      for (const endpoint of answer.peers) found(endpoint)
      this.#again(tracker, answer.intervalMs)
    } catch (error) {
      tracker.state = 'fails'
      tracker.problem = error instanceof Error ? error.message : String(error)
      if (this.#isClosed) return
      this.#again(tracker, Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** tracker.failures++))
    }
  }

  #again(tracker: Tracker, waitMs: number): void {
    tracker.cancel()
    tracker.cancel = this.#options.timers.after(waitMs, () => {
      void this.#announce(tracker, tracker.isTold ? undefined : 'started')
    })
  }
}

const newTracker = (url: string): Tracker => ({
  ...{ url, state: 'waiting', problem: undefined, seeders: undefined, leechers: undefined, peers: 0 },
  ...{ failures: 0, isTold: false, cancel: () => {} },
})

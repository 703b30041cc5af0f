import type { ClientSettings, Clock, Draft, InfoHash, SeedGoals, Timers } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import { PAUSED, type Place, planQueue, unlimited } from './queue-plan.ts'
import { ratesAt } from './rate-schedule.ts'

/** Interval at which the plan is made anew and the schedule is looked at, ms. */
const PLAN_MS = 10_000
/** Interval at which what was moved goes to the log, ms; it does at the end as well. */
const ROLL_UP_MS = 300_000
/** A download that has received nothing in this time keeps no other waiting, ms. */
const IDLE_MS = 60_000

export type TorrentQueueOptions = {
  engine: TorrentEngine
  clock: Clock
  timers: Timers
  settings(): ClientSettings
  downloads(): readonly Download[]
  record(events: readonly Draft['event'][]): Promise<void>
  onProblem(text: string): void
}

type Moved = { downloadedBytes: number; uploadedBytes: number }
/** It waited, and nothing is limited any more: why it runs follows from what it does. */
const GOES_ON: Place = { runs: true, why: '' }
const NOTHING: Moved = { downloadedBytes: 0, uploadedBytes: 0 }

/** Carries out the plan of the queue, the schedule of rates and the goals of seeds. */
export class TorrentQueue {
  readonly #options: TorrentQueueOptions
  #places: ReadonlyMap<InfoHash, Place> = new Map()
  /** Of this run, what the log has of it. */
  readonly #told = new Map<InfoHash, Moved>()
  /** When something came of a download last, and how much there was then. */
  readonly #progress = new Map<InfoHash, { bytes: number; at: number }>()
  #work: Promise<void> = Promise.resolve()
  #nextRollUpAt = Number.POSITIVE_INFINITY
  #cancel: () => void = () => {}

  constructor(options: TorrentQueueOptions) {
    this.#options = options
  }

  /** Before the engine has any torrent. */
  start(): void {
    this.#nextRollUpAt = this.#options.clock.now() + ROLL_UP_MS
    this.#decide()
    this.#later()
  }

  /** Why it waits; undefined if it does not. */
  held(infoHash: InfoHash): string | undefined {
    const place = this.#places.get(infoHash)
    return place?.runs === false ? place.why : undefined
  }

  why({ infoHash, paused, completed }: Download): string {
    if (paused) return PAUSED
    return this.#places.get(infoHash)?.why || unlimited(completed ? 'seed' : 'download')
  }

  /** Ever, by the log and since. @param live of the engine now */
  moved(download: Download, live: Moved = NOTHING): Moved {
    const told = this.#told.get(download.infoHash) ?? NOTHING
    return {
      downloadedBytes: download.downloadedBytes + live.downloadedBytes - told.downloadedBytes,
      uploadedBytes: download.uploadedBytes + live.uploadedBytes - told.uploadedBytes,
    }
  }

  /** Something has changed. Resolves when it is carried out. */
  plan(): Promise<void> {
    this.#work = this.#work.then(() => this.#plan()).catch((error: unknown) => this.#options.onProblem(String(error)))
    return this.#work
  }

  planned(): Promise<void> {
    return this.#work
  }

  async close(): Promise<void> {
    this.#cancel()
    await this.#work
    await this.#rollUp()
  }

  #later(): void {
    this.#cancel = this.#options.timers.after(PLAN_MS, () => {
      void this.plan()
      this.#later()
    })
  }

  #decide(): void {
    const { settings, downloads, engine, clock } = this.#options
    const now = clock.now()
    const current = settings()
    engine.configure({ ...current, ...ratesAt(current, now) })
    if (isUnlimited(current, downloads())) {
      // Thousands of torrents are not looked at for nothing.
      const held = [...this.#places].filter(([, { runs }]) => !runs)
      this.#places = new Map(held.map(([infoHash]) => [infoHash, GOES_ON]))
      return
    }
    this.#places = planQueue(
      downloads().map((download) => {
        const live = engine.status(download.infoHash)
        const isRunning = live !== undefined && live.state !== 'paused' && live.state !== 'failed'
        const { infoHash, name, limits, paused, completed, addedAt, completedAt, sizeBytes } = download
        return {
          ...{ infoHash, name, isRunning, addedAt, completedAt, sizeBytes, goals: limits },
          ...{ isPaused: paused, isComplete: completed, problem: live?.problem },
          isIdle: isRunning && !completed && this.#isIdle(infoHash, live.downloadedBytes, now),
          uploadedBytes: this.moved(download, live).uploadedBytes,
        }
      }),
      current,
      now,
    )
  }

  #isIdle(infoHash: InfoHash, bytes: number, now: number): boolean {
    const before = this.#progress.get(infoHash)
    if (before === undefined || before.bytes !== bytes) {
      this.#progress.set(infoHash, { bytes, at: now })
      return false
    }
    return now - before.at >= IDLE_MS
  }

  async #plan(): Promise<void> {
    const { engine, downloads, onProblem, clock } = this.#options
    this.#decide()
    // Where nothing is limited none has a place: thousands of torrents are not looked at for nothing.
    for (const { infoHash, name, paused, changed } of this.#places.size === 0 ? [] : downloads()) {
      const runs = this.#places.get(infoHash)?.runs
      if (runs === undefined || paused || changed !== null) continue
      const state = engine.status(infoHash)?.state
      if (state === undefined || state === 'failed') continue
      if (runs === (state !== 'paused')) continue
      try {
        await (runs ? engine.resume(infoHash) : engine.pause(infoHash))
        this.#progress.delete(infoHash)
      } catch (error) {
        onProblem(`"${name}" ${runs ? 'could not go on' : 'could not be made to wait'}: ${(error as Error).message}`)
      }
    }
    if (clock.now() < this.#nextRollUpAt) return
    this.#nextRollUpAt = clock.now() + ROLL_UP_MS
    await this.#rollUp()
  }

  async #rollUp(): Promise<void> {
    const { engine, downloads, record } = this.#options
    const events: Draft['event'][] = []
    const told = new Map<InfoHash, Moved>()
    for (const { infoHash } of downloads()) {
      const live = engine.status(infoHash)
      if (live === undefined) continue
      const before = this.#told.get(infoHash) ?? NOTHING
      const downloadedBytes = live.downloadedBytes - before.downloadedBytes
      const uploadedBytes = live.uploadedBytes - before.uploadedBytes
      if (downloadedBytes + uploadedBytes === 0) continue
      events.push({ kind: 'download.transferred', infoHash, downloadedBytes, uploadedBytes })
      told.set(infoHash, { downloadedBytes: live.downloadedBytes, uploadedBytes: live.uploadedBytes })
    }
    if (events.length === 0) return
    await record(events)
    for (const [infoHash, moved] of told) this.#told.set(infoHash, moved)
  }

  /** It is removed, or added anew. */
  forget(infoHash: InfoHash): void {
    this.#told.delete(infoHash)
    this.#progress.delete(infoHash)
  }
}

const isUnlimited = ({ downloadsMax, seedsMax, ...goals }: ClientSettings, downloads: readonly Download[]): boolean =>
  downloadsMax + seedsMax === 0 && !hasGoal(goals) && !downloads.some(({ limits }) => hasGoal(limits))

const hasGoal = ({ ratioGoalPercent, seedGoalMs }: SeedGoals): boolean => ratioGoalPercent + seedGoalMs > 0

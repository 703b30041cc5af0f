import { setImmediate } from 'node:timers/promises'
import type { Appender, Draft, InfoHash } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import type { NoticeBoard } from '../node/notices.ts'
import { asServiceError } from '../node/service-errors.ts'
import { ServiceError } from '../services.ts'

/** Of one commit: some ten milliseconds. */
export const STAMPS_AT_ONCE = 4096

export type TorrentRecordOptions = {
  appender: Appender
  engine: TorrentEngine
  notices: NoticeBoard
  download(infoHash: InfoHash): Download | undefined
}

/** What was done with torrents and what became of them, on its way into the log, in its order. */
export class TorrentRecord {
  readonly #options: TorrentRecordOptions
  /** The engine tells of a torrent as soon as it has it; what it tells is recorded after the addition itself. */
  #adding: Promise<unknown> = Promise.resolve()
  readonly #recording = new Set<Promise<void>>()

  constructor(options: TorrentRecordOptions) {
    this.#options = options
  }

  /** One after the other. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#adding.then(run)
    this.#adding = turn.catch(() => {})
    return turn
  }

  /** Resolves when those that were begun so far are over. */
  async added(): Promise<void> {
    await this.#adding
  }

  /** Resolves when everything that was told so far is in the log, or was told not to be. */
  async settled(): Promise<void> {
    await this.#adding
    await Promise.all(this.#recording)
  }

  /** @throws ServiceError if there is no such torrent */
  known(infoHash: string): Download {
    const download = this.#options.download(infoHash.toLowerCase() as InfoHash)
    if (download === undefined)
      throw new ServiceError('failed', `no torrent with info hash ${infoHash} here; see \`p2pt client status\``)
    return download
  }

  /** @throws ServiceError for what the engine says no to */
  async engineDoes<T>(run: (engine: TorrentEngine) => Promise<T>): Promise<T> {
    try {
      return await run(this.#options.engine)
    } catch (error) {
      throw asServiceError(error)
    }
  }

  /** Durable when it resolves; of very many stamps all but the first, which follow. @throws ServiceError if the log does not take it */
  async record(events: readonly Draft['event'][]): Promise<void> {
    const [first = [], ...stamps] = commitsOf(events)
    try {
      await this.#options.appender.append(
        first.map((event) => ({ event })),
        { durable: true },
      )
    } catch (cause) {
      throw new ServiceError('failed', sentence(cause), { cause })
    }
    await this.#recordStamps(stamps)
  }

  /** Files whose stamps the log does not take are looked at, and stamped, when their torrent is opened again. */
  async #recordStamps(commits: readonly (readonly Draft['event'][])[]): Promise<void> {
    try {
      for (const events of commits) {
        await setImmediate()
        await this.#options.appender.append(events.map((event) => ({ event })))
      }
    } catch (error) {
      this.problem(sentence(error))
    }
  }

  /** After the additions that were begun. @param events what to record, asked for when its turn comes */
  recordLater(events: () => readonly Draft['event'][] | Promise<readonly Draft['event'][]>): void {
    const recorded = this.#adding
      .then(async () => {
        const [first = [], ...stamps] = commitsOf(await events())
        if (first.length > 0) await this.#options.appender.append(first.map((event): Draft => ({ event })))
        await this.#recordStamps(stamps)
      })
      .catch((error: unknown) => this.problem(sentence(error)))
      .then(() => {
        this.#recording.delete(recorded)
      })
    this.#recording.add(recorded)
  }

  /** For the owner to read. */
  problem(text: string): void {
    this.#options.notices.post('error', 'torrent.problem', text)
  }
}

/**
 * All but stamps are one commit. Each commit is a turn of the event loop, in which its events are signed, read back and folded:
 * of the stamps of 50,000 files that is more than a tenth of a second, in which nobody else is answered.
 */
export function commitsOf(events: readonly Draft['event'][]): Draft['event'][][] {
  // Of files that were moved, the stamps in the log are those of another place until they are here.
  if (events.some(({ kind }) => kind === 'download.moved')) return [[...events]]
  const first: Draft['event'][] = []
  const commits = [first]
  let [last, stamps] = [first, 0]
  for (const event of events) {
    if (event.kind !== 'download.stamped') {
      first.push(event)
      continue
    }
    stamps += event.stamps.length
    if (stamps > STAMPS_AT_ONCE) {
      last = []
      commits.push(last)
      stamps = event.stamps.length
    }
    last.push(event)
  }
  return commits
}

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

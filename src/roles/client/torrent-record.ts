import type { Appender, Draft, InfoHash } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import type { NoticeBoard } from '../node/notices.ts'
import { asServiceError } from '../node/service-errors.ts'
import { ServiceError } from '../services.ts'

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

  /** Durable when it resolves. @throws ServiceError if the log does not take it */
  async record(events: readonly Draft['event'][]): Promise<void> {
    try {
      await this.#options.appender.append(
        events.map((event) => ({ event })),
        { durable: true },
      )
    } catch (cause) {
      throw new ServiceError('failed', sentence(cause), { cause })
    }
  }

  /** After the additions that were begun. @param events what to record, asked for when its turn comes */
  recordLater(events: () => readonly Draft['event'][] | Promise<readonly Draft['event'][]>): void {
    const recorded = this.#adding
      .then(async () => {
        const drafts = (await events()).map((event): Draft => ({ event }))
        if (drafts.length > 0) await this.#options.appender.append(drafts)
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

export const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error))

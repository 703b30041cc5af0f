import {
  type Appender,
  type Draft,
  type Envelope,
  type Event,
  type EventLog,
  LogError,
  type SignedEvent,
  scanBody,
} from '../events/index.ts'
import type { IngestOutcome, OwnEvent } from './gossip/gossip-protocol.ts'
import type { AppendFailure } from './protocol.ts'

/** Events that the log has not stored yet; above it, new ones are left to anti-entropy. */
export const INGEST_PENDING_MAX = 16_384

export type LogBridgeOptions = {
  log: Pick<EventLog, 'ingest' | 'readSignedAt'>
  appender: Appender
  /** Own gossip events with their signed bytes, in log order. */
  onOwn: (events: readonly OwnEvent[]) => void
  /** Own events that were to be appended together, and are not stored. */
  onAppendFailed: (events: readonly Event[], why: AppendFailure) => void
  onIngestDone: (outcome: IngestOutcome) => void
  /** A fault that nobody else tells. Whoever opened the log is told by it that it cannot be written. */
  onNotice: (text: string) => void
}

/** Between the protocols, which do not wait, and the log, which has to be waited for. Nothing here rejects. */
export class LogBridge {
  readonly #options: LogBridgeOptions
  readonly #drafts: Draft[] = []
  #ingestPending = 0
  #appending: Promise<void> = Promise.resolve()
  /** Reads of own events, one after the other. */
  #reading: Promise<void> = Promise.resolve()

  constructor(options: LogBridgeOptions) {
    this.#options = options
  }

  /** Appends an event of ours, together with what else this turn appends. */
  append(event: Event): void {
    this.#drafts.push({ event })
    if (this.#drafts.length > 1) return
    this.#appending = Promise.resolve().then(async () => {
      const drafts = this.#drafts.splice(0)
      try {
        await this.#options.appender.append(drafts)
      } catch (error) {
        const isUnwritable = this.#isUnwritable(`${drafts.length} events could not be stored`, error)
        this.#options.onAppendFailed(
          drafts.map((draft) => draft.event),
          isUnwritable ? 'unwritable' : 'refused',
        )
      }
    })
  }

  /** Stores checked events of others. */
  ingest(events: readonly SignedEvent[]): void {
    const { log, onIngestDone } = this.#options
    if (this.#ingestPending + events.length > INGEST_PENDING_MAX) {
      onIngestDone({ took: false, failed: false, notTaken: idsOf(events) })
      return
    }
    this.#ingestPending += events.length
    void log.ingest(events).then(
      (outcomes) => {
        this.#ingestPending -= events.length
        const notTaken = idsOf(events.filter((_, index) => !isStored(outcomes[index]?.outcome)))
        onIngestDone({ took: outcomes.some(({ outcome }) => outcome === 'appended'), failed: false, notTaken })
      },
      (error) => {
        this.#ingestPending -= events.length
        const failed = this.#isUnwritable(`${events.length} events of others could not be stored`, error)
        onIngestDone({ took: false, failed, notTaken: idsOf(events) })
      },
    )
  }

  /** Reads the signed bytes of own events that were appended just now, for `onOwn`. */
  publish(own: readonly Envelope[]): void {
    this.#reading = this.#reading.then(async () => {
      try {
        const signed = await this.#options.log.readSignedAt(own.map(({ seq }) => seq))
        this.#options.onOwn(
          own.flatMap((header, index) => {
            const event = signed[index]
            return event === undefined ? [] : [{ header, event }]
          }),
        )
      } catch (error) {
        // They are in the log: anti-entropy takes them along.
        this.#options.onNotice(`own events could not be read for gossip: ${String(error)}`)
      }
    })
  }

  /** Resolves when what was appended before stands in the log and was given to `onOwn`. */
  async settled(): Promise<void> {
    await this.#appending
    await this.#reading
  }

  #isUnwritable(what: string, error: unknown): boolean {
    const isUnwritable = error instanceof LogError && error.code === 'LOG_WRITE_FAILED'
    if (!isUnwritable) this.#options.onNotice(`${what}: ${String(error)}`)
    return isUnwritable
  }
}

const isStored = (outcome: string | undefined): boolean => outcome === 'appended' || outcome === 'duplicate'

const idsOf = (events: readonly SignedEvent[]) =>
  events.map(({ body }) => {
    const { author, authorSeq } = scanBody(body)
    return { author, authorSeq }
  })

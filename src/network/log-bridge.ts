import {
  type Draft,
  type Envelope,
  type Event,
  type EventLog,
  LogError,
  type NodeId,
  type SignedEvent,
  scanBody,
} from '../events/index.ts'

/** Events that the log has not stored yet; above it, new ones are left to anti-entropy. */
const INGEST_PENDING_MAX = 16_384

export type OwnEvent = { readonly header: Envelope; readonly event: SignedEvent }

export type LogBridgeOptions = {
  log: EventLog
  /** Own gossip events with their signed bytes, in log order. */
  onOwn: (events: readonly OwnEvent[]) => void
  /** An event that the log did not store. */
  onNotTaken: (author: NodeId, authorSeq: number) => void
  /** The log cannot be written. Whoever opened it is told by it, so there is no notice as well. */
  onFailed: () => void
  /** It has stored events of others. */
  onTook: () => void
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
    const isLocal = event.kind === 'heartbeat.rolled-up' || event.kind === 'event.quarantined'
    this.#drafts.push({ stream: isLocal ? 'local' : 'gossip', event })
    if (this.#drafts.length > 1) return
    this.#appending = Promise.resolve().then(async () => {
      const drafts = this.#drafts.splice(0)
      try {
        await this.#options.log.append(drafts)
      } catch (error) {
        this.#failed(`${drafts.length} events could not be stored`, error)
      }
    })
  }

  /** Stores checked events of others. */
  ingest(events: readonly SignedEvent[]): void {
    if (this.#ingestPending + events.length > INGEST_PENDING_MAX) {
      this.#notTaken(events)
      return
    }
    this.#ingestPending += events.length
    void this.#options.log.ingest(events).then(
      (outcomes) => {
        this.#ingestPending -= events.length
        this.#notTaken(events.filter((_, index) => !isStored(outcomes[index]?.outcome)))
        if (outcomes.some(({ outcome }) => outcome === 'appended')) this.#options.onTook()
      },
      (error) => {
        this.#ingestPending -= events.length
        this.#failed(`${events.length} events of others could not be stored`, error)
        this.#notTaken(events)
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

  #failed(what: string, error: unknown): void {
    if (error instanceof LogError && error.code === 'LOG_WRITE_FAILED') this.#options.onFailed()
    else this.#options.onNotice(`${what}: ${String(error)}`)
  }

  #notTaken(events: readonly SignedEvent[]): void {
    for (const { body } of events) {
      const { author, authorSeq } = scanBody(body)
      this.#options.onNotTaken(author, authorSeq)
    }
  }
}

const isStored = (outcome: string | undefined): boolean => outcome === 'appended' || outcome === 'duplicate'

import { type AppendOptions, type Draft, type Envelope, type EventLog, LogError } from '../../events/index.ts'
import { ServiceError } from '../services.ts'

/** Drafts that wait at most; a node says a few a minute of itself. */
const HELD_MAX = 4_096

type Held = {
  drafts: readonly Draft[]
  options: AppendOptions
  resolve(envelopes: readonly Envelope[]): void
  reject(error: unknown): void
}

/** Asked for by a person, who is better told than kept waiting. */
const isAsked = ({ event: { kind } }: Draft): boolean => kind === 'torrent.published' || kind === 'torrent.withdrawn'

/**
 * A log in front of which own events for others can be held up, or refused, while local ones and those of others pass:
 * for a node that is not sure which of its own numbers it has given out already.
 */
export class OwnEventsGate implements EventLog {
  readonly #log: EventLog
  #state: 'open' | 'held' | { readonly refused: string } = 'open'
  #isLong = false
  #held: Held[] = []
  #heldCount = 0

  constructor(log: EventLog) {
    this.#log = log
  }

  get author() {
    return this.#log.author
  }
  get head() {
    return this.#log.head
  }
  get lamport() {
    return this.#log.lamport
  }
  has: EventLog['has'] = (id) => this.#log.has(id)
  read: EventLog['read'] = (range) => this.#log.read(range)
  readBatches: EventLog['readBatches'] = (range) => this.#log.readBatches(range)
  readSigned: EventLog['readSigned'] = (...range) => this.#log.readSigned(...range)
  readSignedAt: EventLog['readSignedAt'] = (seqs) => this.#log.readSignedAt(seqs)
  held: EventLog['held'] = () => this.#log.held()
  versionVector: EventLog['versionVector'] = () => this.#log.versionVector()
  get arrivals() {
    return this.#log.arrivals ?? []
  }
  pruned: NonNullable<EventLog['pruned']> = (...run) => this.#log.pruned?.(...run) ?? []
  bytesOnDisk = async () => (await this.#log.bytesOnDisk?.()) ?? 0
  snapshot = async (projection: string) => (await this.#log.snapshot?.(projection)) ?? []
  ingest: EventLog['ingest'] = (...events) => this.#log.ingest(...events)
  onAppended: EventLog['onAppended'] = (listener) => this.#log.onAppended(listener)

  append(drafts: readonly Draft[], options: AppendOptions = {}): Promise<readonly Envelope[]> {
    if (this.#state === 'open' || drafts.every(({ stream }) => stream === 'local')) return this.#log.append(drafts, options)
    if (this.#state !== 'held') return Promise.reject(new ServiceError('failed', this.#state.refused))
    if ((this.#isLong && drafts.some(isAsked)) || this.#heldCount + drafts.length > HELD_MAX) {
      const reason = 'this node does not know yet which of its own events its peers hold: try again when it is ready'
      return Promise.reject(new ServiceError('failed', reason))
    }
    return new Promise((resolve, reject) => {
      this.#held.push({ drafts, options, resolve, reject })
      this.#heldCount += drafts.length
    })
  }

  /** Own events for others wait from now on; if it may take long, those that a person asked for are refused. */
  hold(isLong: boolean): void {
    if (this.#state === 'open') this.#state = 'held'
    this.#isLong = isLong
  }

  /** What waited is appended, in its order, and what comes passes. */
  release(): void {
    if (this.#state !== 'held') return
    this.#state = 'open'
    for (const { drafts, options, resolve, reject } of this.#take()) this.#log.append(drafts, options).then(resolve, reject)
  }

  /** Own events for others are refused from now on, those that wait too. */
  refuse(reason: string): void {
    this.#state = { refused: reason }
    for (const { reject } of this.#take()) reject(new ServiceError('failed', reason))
  }

  /** Closes the gate for good, not the log: nobody waits any longer. */
  close(): void {
    if (this.#state === 'held') this.#state = { refused: 'the node is stopping' }
    for (const { reject } of this.#take()) reject(new LogError({ code: 'LOG_CLOSED' }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  #take(): Held[] {
    const held = this.#held
    this.#held = []
    this.#heldCount = 0
    return held
  }
}

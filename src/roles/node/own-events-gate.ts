import { type Appender, type AppendOptions, type Draft, type Envelope, LogError, streamOf } from '../../events/index.ts'
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
 * Stands in front of a log: own events for others can be held up, or refused, while local ones pass, for a node that is not
 * sure which of its own numbers it has given out already.
 */
export class OwnEventsGate implements Appender {
  readonly #log: Appender
  #state: 'open' | 'held' | { readonly refused: string } = 'open'
  #isLong = false
  #held: Held[] = []
  #heldCount = 0

  constructor(log: Appender) {
    this.#log = log
  }

  append(drafts: readonly Draft[], options: AppendOptions = {}): Promise<readonly Envelope[]> {
    if (this.#state === 'open' || drafts.every((draft) => streamOf(draft) === 'local')) return this.#log.append(drafts, options)
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

  #take(): Held[] {
    const held = this.#held
    this.#held = []
    this.#heldCount = 0
    return held
  }
}

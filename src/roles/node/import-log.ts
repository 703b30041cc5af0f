import {
  BodyError,
  type Event,
  type EventLog,
  isStamp,
  type NodeId,
  PayloadError,
  readableEvent,
  type ScannedBody,
  type SignedEvent,
  scanBody,
  TRAVELLING_BODY_BYTES_MAX,
  type Upcast,
  type VerifySignature,
} from '../../events/index.ts'
import { ServiceError } from '../services.ts'

export type ImportRules = {
  readonly verify: VerifySignature
  readonly upcast: Upcast
  /** Highest Lamport stamp that is admitted. */
  readonly lamportMax: number
  /** Leave out private events of other nodes instead of refusing the file. */
  readonly withoutPrivate: boolean
}

/** What the log that takes the events holds already. */
export type Receiver = Pick<EventLog, 'has' | 'readSigned'> & {
  /** Undefined for a node that gets a key of its own. */
  readonly author: NodeId | undefined
}

export type Checked = {
  readonly events: number
  readonly duplicates: number
  readonly privateLeftOut: number
  /** Highest number of the receiver's own events that others may hold, by stream; undefined if none of them is new to it. */
  readonly own: { readonly gossipSeq: number; readonly indexSeq: number } | undefined
  /** The receiver's own, as its events show it last; empty if they show none. */
  readonly credential: Uint8Array
}

/**
 * Looks at every event before the first is stored: one that is forged, unreadable, private to another node or another
 * than the one held under its name refuses the whole file.
 * @throws ServiceError `damaged`, or `usage` for private events of another node
 */
export class ImportCheck {
  readonly #to: Receiver
  readonly #rules: ImportRules
  #events = 0
  #duplicates = 0
  #privateLeftOut = 0
  #own: { gossipSeq: number; indexSeq: number } | undefined
  #credential = new Uint8Array()

  constructor(to: Receiver, rules: ImportRules) {
    this.#to = to
    this.#rules = rules
  }

  get checked(): Checked {
    return {
      events: this.#events,
      duplicates: this.#duplicates,
      privateLeftOut: this.#privateLeftOut,
      own: this.#own,
      credential: this.#credential,
    }
  }

  async take(event: SignedEvent): Promise<void> {
    this.#events += 1
    const header = this.#scanned(event)
    const name = `event ${this.#events} (number ${header.authorSeq} of ${header.author.slice(0, 16)} in its ${header.stream} stream)`
    const refuse = (why: string): never => {
      throw new ServiceError('damaged', `${name} ${why}: nothing was imported`)
    }
    if (!this.#rules.verify('event', event.body, event.signature, header.author))
      refuse('is forged, or of another network: its signature is not its author’s')
    const read = this.#readable(header, refuse)
    if (read.kind === 'network.joined' && header.author === this.#to.author) this.#credential = new Uint8Array(read.credential)
    if (header.stream === 'local' && header.author !== this.#to.author) {
      if (!this.#rules.withoutPrivate)
        throw new ServiceError(
          'usage',
          `${name} is private to another node: import it into that node, or leave such events out with --without-private; nothing was imported`,
        )
      this.#privateLeftOut += 1
      return
    }
    if (header.stream !== 'local' && event.body.length > TRAVELLING_BODY_BYTES_MAX) refuse('is too long')
    if (this.#to.has(header)) {
      if (!(await this.#holds(header, event)))
        refuse('is another than the one that the log holds: its author’s sequence has forked')
      this.#duplicates += 1
      return
    }
    if (!isStamp(header.lamport, this.#rules.lamportMax))
      refuse(`has the Lamport stamp ${header.lamport}, which no clock can have reached`)
    if (header.author === this.#to.author) this.#bringsOwn(header)
  }

  /** The log is an older copy of its node, or a new one: others may hold more of it than the file. */
  #bringsOwn({ stream, authorSeq }: ScannedBody): void {
    if (stream === 'local') return
    this.#own ??= { gossipSeq: 0, indexSeq: 0 }
    const name = stream === 'gossip' ? 'gossipSeq' : 'indexSeq'
    this.#own[name] = Math.max(this.#own[name], authorSeq)
  }

  #scanned({ body }: SignedEvent): ScannedBody {
    try {
      return scanBody(body)
    } catch (cause) {
      if (!(cause instanceof BodyError)) throw cause
      throw new ServiceError('damaged', `event ${this.#events} is no event (${cause.message}): nothing was imported`, { cause })
    }
  }

  #readable(header: ScannedBody, refuse: (why: string) => never): Event {
    try {
      return readableEvent(header, this.#rules.upcast, 'stored')
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error
      return refuse(`cannot be read (${error.message})`)
    }
  }

  async #holds({ author, stream, authorSeq }: ScannedBody, { body }: SignedEvent): Promise<boolean> {
    for await (const held of this.#to.readSigned(author, stream, authorSeq, authorSeq)) {
      return held.body.length === body.length && held.body.every((byte, index) => byte === body[index])
    }
    return true
  }
}

/** False for what `withoutPrivate` leaves out. */
export function isFor(author: NodeId, { body }: SignedEvent): boolean {
  const header = scanBody(body)
  return header.stream !== 'local' || header.author === author
}

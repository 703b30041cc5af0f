import type {
  AppendOptions,
  Draft,
  Envelope,
  EventLog,
  Header,
  Held,
  Ingested,
  NodeId,
  ReadRange,
  SignedEvent,
  Stream,
  VersionVector,
} from '../../src/events/index.ts'

/** A node's log as one run of it sees it: after a crash the dead run hears and stores nothing more. */
export class GatedLog implements EventLog {
  readonly #log: EventLog
  readonly #alive: { readonly value: boolean }

  #isTold: boolean

  /** @param isTold the log has the node's word about this start already */
  constructor(log: EventLog, alive: { readonly value: boolean }, isTold = false) {
    this.#log = log
    this.#alive = alive
    this.#isTold = isTold
  }

  get author(): NodeId {
    return this.#log.author
  }

  get head(): number {
    return this.#log.head
  }

  get lamport(): number {
    return this.#log.lamport
  }

  async append(drafts: readonly Draft[], options?: AppendOptions): Promise<readonly Envelope[]> {
    if (!this.#alive.value) return []
    const isTold = this.#isTold && drafts.some(({ event }) => event.kind === 'member.alive' && event.subject === this.author)
    if (isTold) this.#isTold = false
    return this.#log.append(isTold ? drafts.filter(({ event }) => event.kind !== 'member.alive') : drafts, options)
  }

  async ingest(events: readonly SignedEvent[], options?: AppendOptions): Promise<readonly Ingested[]> {
    return this.#alive.value ? this.#log.ingest(events, options) : []
  }

  has(id: Pick<Header, 'author' | 'stream' | 'authorSeq'>): boolean {
    return this.#log.has(id)
  }

  read(range?: ReadRange): AsyncIterable<Envelope> {
    return this.#log.read(range)
  }

  readBatches(range?: ReadRange): AsyncIterable<readonly Envelope[]> {
    return this.#log.readBatches(range)
  }

  readSigned(author: NodeId, stream: Stream, from: number, to: number): AsyncIterable<SignedEvent> {
    return this.#log.readSigned(author, stream, from, to)
  }

  readSignedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]> {
    return this.#log.readSignedAt(seqs)
  }

  held(): Held {
    return this.#log.held()
  }

  versionVector(): VersionVector {
    return this.#log.versionVector()
  }

  onAppended(listener: (envelopes: readonly Envelope[]) => void): () => void {
    return this.#log.onAppended((envelopes) => {
      if (this.#alive.value) listener(envelopes)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

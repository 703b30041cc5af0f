import {
  type AppendOptions,
  type Clock,
  type Draft,
  type Envelope,
  type Event,
  type EventLog,
  eventOf,
  type Header,
  type Ingested,
  LamportClock,
  type NodeId,
  type ReadRange,
  type SignedEvent,
  type Signer,
  type Stream,
  scanBody,
  signEvent,
  type Upcast,
  type VersionVector,
} from '../../src/events/index.ts'

// Logs for a thousand nodes in one process: what an event says and its bytes are kept once for all nodes, and a node's
// log is the list of those it holds. The rules are those of the real log (stamps, numbers, copies, the clock's bound).

type Shared = { readonly header: Header; readonly event: Event; readonly signed: SignedEvent }
type Id = Pick<Header, 'author' | 'stream' | 'authorSeq'>

/** Every event of a simulation is of this version. */
const asItIs: Upcast = (_kind, _version, payload) => payload

/** All events of a simulation, by their signatures. */
export class SharedEvents {
  readonly #bySignature = new Map<string, Shared>()

  /** @throws BodyError | PayloadError if the bytes are no event */
  of(signed: SignedEvent): Shared {
    const key = Buffer.from(signed.signature.buffer, signed.signature.byteOffset, 64).toString('latin1')
    const known = this.#bySignature.get(key)
    if (known !== undefined && Buffer.compare(known.signed.body, signed.body) === 0) return known
    const kept = { body: signed.body.slice(), signature: signed.signature.slice() }
    const { payload: _, ...header } = scanBody(kept.body)
    const shared = { header, event: eventOf(scanBody(kept.body), asItIs), signed: kept }
    this.#bySignature.set(key, shared)
    return shared
  }
}

const streamOf = (author: NodeId, stream: Stream): string => (stream === 'gossip' ? author : `${author} ${stream}`)

/** What a log holds of one author's stream, by its numbers; number 1 stands at 0. */
type Held = (Shared | undefined)[]

export class SharedLog implements EventLog {
  readonly author: NodeId
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #shared: SharedEvents
  readonly #lamport = new LamportClock()
  readonly #events: Shared[] = []
  readonly #held = new Map<string, Held>()
  /** Of the gossip stream; kept as it goes, since a thousand nodes ask for it all the time. */
  readonly #vector = new Map<NodeId, number>()
  readonly #listeners = new Set<(envelopes: readonly Envelope[]) => void>()

  constructor(signer: Signer, clock: Clock, shared: SharedEvents) {
    this.author = signer.id
    this.#signer = signer
    this.#clock = clock
    this.#shared = shared
  }

  get head(): number {
    return this.#events.length
  }

  get lamport(): number {
    return this.#lamport.now
  }

  has({ author, stream, authorSeq }: Id): boolean {
    if (stream === 'gossip' && authorSeq <= (this.#vector.get(author) ?? 0)) return authorSeq >= 1
    return this.#held.get(streamOf(author, stream))?.[authorSeq - 1] !== undefined
  }

  /** Begins with the events of others, before anybody listens. */
  begin(events: readonly SignedEvent[]): void {
    for (const signed of events) {
      const shared = this.#shared.of(signed)
      if (!this.has(shared.header)) this.#take(shared)
    }
  }

  async append(drafts: readonly Draft[], _options?: AppendOptions): Promise<readonly Envelope[]> {
    const envelopes = drafts.map((draft) => {
      const authorSeq = (this.#held.get(streamOf(this.author, draft.stream))?.length ?? 0) + 1
      const stamp = { lamport: this.#lamport.tick(), authorSeq, at: this.#clock.now() }
      return this.#take(this.#shared.of(signEvent(draft, stamp, this.#signer)))
    })
    this.#tell(envelopes)
    return envelopes
  }

  async ingest(events: readonly SignedEvent[], _options?: AppendOptions): Promise<readonly Ingested[]> {
    const outcomes = events.map((signed): Ingested => {
      let shared: Shared
      try {
        shared = this.#shared.of(signed)
      } catch {
        return { outcome: 'rejected', reason: 'malformed' }
      }
      if (this.has(shared.header)) return { outcome: 'duplicate' }
      if (!this.#lamport.witness(shared.header.lamport)) return { outcome: 'rejected', reason: 'clock-jump' }
      return { outcome: 'appended', envelope: this.#take(shared) }
    })
    this.#tell(outcomes.flatMap((one) => (one.outcome === 'appended' ? [one.envelope] : [])))
    return outcomes
  }

  async *readBatches({ from = 1, to = this.head, kinds }: ReadRange = {}): AsyncGenerator<readonly Envelope[]> {
    const batch: Envelope[] = []
    for (let seq = Math.max(1, from); seq <= Math.min(this.head, to); seq++) {
      const { header, event } = this.#at(seq)
      if (kinds === undefined || kinds.some((kind) => kind === event.kind)) batch.push({ seq, ...header, event })
    }
    if (batch.length > 0) yield batch
  }

  async *read(range?: ReadRange): AsyncGenerator<Envelope> {
    for await (const batch of this.readBatches(range)) yield* batch
  }

  async *readSigned(author: NodeId, stream: Stream, from: number, to: number): AsyncGenerator<SignedEvent> {
    const held = this.#held.get(streamOf(author, stream)) ?? []
    for (const shared of held.slice(from - 1, to)) if (shared !== undefined) yield shared.signed
  }

  async readSignedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]> {
    return seqs.map((seq) => this.#at(seq).signed)
  }

  versionVector(): VersionVector {
    return this.#vector
  }

  onAppended(listener: (envelopes: readonly Envelope[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #at(seq: number): Shared {
    const shared = this.#events[seq - 1]
    if (shared === undefined) throw new RangeError(`the log has events 1 to ${this.head}, not ${seq}`)
    return shared
  }

  #take(shared: Shared): Envelope {
    const { header, event } = shared
    const { author, stream, authorSeq } = header
    this.#lamport.restore(header.lamport)
    this.#events.push(shared)
    const key = streamOf(author, stream)
    const held = this.#held.get(key)
    if (held === undefined) this.#held.set(key, authorSeq === 1 ? [shared] : sparse(authorSeq, shared))
    else held[authorSeq - 1] = shared
    if (stream === 'gossip') {
      let head = this.#vector.get(author) ?? 0
      const all = this.#held.get(key) ?? []
      while (all[head] !== undefined) head++
      if (head > 0) this.#vector.set(author, head)
    }
    return { seq: this.#events.length, ...header, event }
  }

  #tell(envelopes: readonly Envelope[]): void {
    if (envelopes.length > 0) for (const listener of this.#listeners) listener(envelopes)
  }
}

function sparse(authorSeq: number, shared: Shared): Held {
  const held: Held = []
  held[authorSeq - 1] = shared
  return held
}

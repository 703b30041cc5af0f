import {
  type AppendOptions,
  type Clock,
  type Draft,
  type Envelope,
  type Event,
  type EventLog,
  eventOf,
  type Header,
  type Held,
  type Ingested,
  isStamp,
  KINDS,
  LAMPORT_MAX,
  LamportClock,
  type NodeId,
  type ReadRange,
  type SignedEvent,
  type Signer,
  type Stream,
  scanBody,
  signEvent,
  streamOf as streamOfDraft,
  type UnsignedEvent,
  type Upcast,
  type VersionVector,
} from '../../src/events/index.ts'
import type { SnapshotRow } from '../../src/events/pruning/retention.ts'

// Logs for a thousand nodes in one process: what an event says and its bytes are kept once for all nodes, and a node's
// log is the list of those it holds. The rules are those of the real log (stamps, numbers, copies, the clock's bound).

/** `isFirst`: the one that was met first of those with its author, stream and number. Only a liar makes a second one. */
type Shared = { readonly header: Header; readonly event: Event; readonly signed: SignedEvent; readonly isFirst: boolean }
type Id = Pick<Header, 'author' | 'stream' | 'authorSeq'>

/** Every event of a simulation is of this version. */
const asItIs: Upcast = (_kind, _version, payload) => payload

/** All events of a simulation, by their signatures. */
export class SharedEvents {
  readonly #bySignature = new Map<string, Shared>()
  readonly #streams = new Map<string, (Shared | undefined)[]>()

  /** @throws BodyError | PayloadError if the bytes are no event */
  of(signed: SignedEvent): Shared {
    const key = Buffer.from(signed.signature.buffer, signed.signature.byteOffset, 64).toString('latin1')
    const known = this.#bySignature.get(key)
    if (known !== undefined && Buffer.compare(known.signed.body, signed.body) === 0) return known
    const kept = { body: signed.body.slice(), signature: signed.signature.slice() }
    const { payload: _, ...header } = scanBody(kept.body)
    const name = streamOf(header.author, header.stream)
    const stream = this.#streams.get(name) ?? []
    this.#streams.set(name, stream)
    const isFirst = stream[header.authorSeq - 1] === undefined
    const shared = { header, event: eventOf(scanBody(kept.body), asItIs), signed: kept, isFirst }
    if (isFirst) stream[header.authorSeq - 1] = shared
    this.#bySignature.set(key, shared)
    return shared
  }

  /** The first that was met with this number. */
  at(author: NodeId, stream: Stream, authorSeq: number): Shared | undefined {
    return this.#streams.get(streamOf(author, stream))?.[authorSeq - 1]
  }
}

const streamOf = (author: NodeId, stream: Stream): string => (stream === 'gossip' ? author : `${author} ${stream}`)

export class SharedLog implements EventLog {
  readonly author: NodeId
  readonly arrivals = []
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #shared: SharedEvents
  readonly #keepsBeats: boolean
  readonly #lamport = new LamportClock()
  readonly #events: (Shared | undefined)[] = []
  /**
   * Up to which number this log holds a stream, without holes. That of the gossip streams is the version vector, kept as it
   * goes, since a thousand nodes ask for it all the time.
   */
  readonly #vector = new Map<NodeId, number>()
  readonly #otherHeads = new Map<string, number>()
  /** What is held beyond that, and what is held in the place of the event that was met first; by stream and number. */
  readonly #apart = new Map<string, Map<number, Shared>>()
  readonly #listeners = new Set<(envelopes: readonly Envelope[]) => void>()

  /** @param keepsBeats false to let go of roll-ups of beats, see #passOver */
  constructor(signer: Signer, clock: Clock, shared: SharedEvents, keepsBeats = true) {
    this.#keepsBeats = keepsBeats
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
    if (authorSeq <= this.#headOf(author, stream)) return authorSeq >= 1
    return this.#apart.size > 0 && this.#apart.get(streamOf(author, stream))?.has(authorSeq) === true
  }

  /** Begins with the events of others, before anybody listens. */
  begin(events: readonly SignedEvent[]): void {
    for (const signed of events) {
      const shared = this.#shared.of(signed)
      if (!this.has(shared.header)) this.#take(shared)
    }
  }

  append(drafts: readonly Draft[], _options?: AppendOptions): Promise<readonly Envelope[]> {
    return this.put(drafts.map((draft) => ({ stream: streamOfDraft(draft), event: draft.event })))
  }

  /** Appends events in whatever stream: kinds that this version does not know, and those that stand in for others. */
  async put(events: readonly UnsignedEvent[]): Promise<readonly Envelope[]> {
    const envelopes = events.map((event) => {
      const authorSeq = this.#headOf(this.author, event.stream) + 1
      const stamp = { lamport: this.#lamport.tick(LAMPORT_MAX), authorSeq, at: this.#clock.now() }
      if (!this.#keepsBeats && event.event.kind === 'heartbeat.rolled-up') return this.#passOver(event, stamp)
      return this.#take(this.#shared.of(signEvent(event, stamp, this.#signer)))
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
      if (!isStamp(shared.header.lamport, LAMPORT_MAX)) return { outcome: 'rejected', reason: 'clock-jump' }
      this.#lamport.follow(shared.header.lamport)
      return { outcome: 'appended', envelope: this.#take(shared) }
    })
    this.#tell(outcomes.flatMap((one) => (one.outcome === 'appended' ? [one.envelope] : [])))
    return outcomes
  }

  async *readBatches({ from = 1, to = this.head, kinds }: ReadRange = {}): AsyncGenerator<readonly Envelope[]> {
    const batch: Envelope[] = []
    for (let seq = Math.max(1, from); seq <= Math.min(this.head, to); seq++) {
      const shared = this.#events[seq - 1]
      if (shared === undefined || (kinds !== undefined && !kinds.some((kind) => kind === shared.event.kind))) continue
      batch.push({ seq, ...shared.header, payloadBytes: 0, event: shared.event })
    }
    if (batch.length > 0) yield batch
  }

  async *read(range?: ReadRange): AsyncGenerator<Envelope> {
    for await (const batch of this.readBatches(range)) yield* batch
  }

  seqOf({ author, stream, authorSeq }: Pick<Header, 'author' | 'stream' | 'authorSeq'>): number | undefined {
    const apart = this.#apart.get(streamOf(author, stream))
    const isHeld = authorSeq <= this.#headOf(author, stream)
    const shared = apart?.get(authorSeq) ?? (isHeld ? this.#shared.at(author, stream, authorSeq) : undefined)
    return shared === undefined ? undefined : this.#events.indexOf(shared) + 1
  }

  async *readSigned(author: NodeId, stream: Stream, from: number, to: number): AsyncGenerator<SignedEvent> {
    const head = this.#headOf(author, stream)
    const apart = this.#apart.get(streamOf(author, stream))
    const last = Math.min(to, Math.max(head, ...(apart?.keys() ?? [])))
    for (let seq = from; seq <= last; seq++) {
      const shared = apart?.get(seq) ?? (seq <= head ? this.#shared.at(author, stream, seq) : undefined)
      if (shared !== undefined) yield shared.signed
    }
  }

  async readSignedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]> {
    return seqs.map((seq) => this.#at(seq).signed)
  }

  /** Nothing is ever pruned here. */
  async snapshot(): Promise<readonly SnapshotRow[]> {
    return []
  }

  pruned(): [] {
    return []
  }

  async bytesOnDisk(): Promise<number> {
    return 0
  }

  held(): Held {
    const events = this.#events.filter((shared) => shared !== undefined)
    return { events: events.length, authors: new Set(events.map(({ header }) => header.author)).size }
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
    if (shared === undefined) throw new RangeError(`the log has events 1 to ${this.head}, and not ${seq}`)
    return shared
  }

  #headOf(author: NodeId, stream: Stream): number {
    return (stream === 'gossip' ? this.#vector.get(author) : this.#otherHeads.get(streamOf(author, stream))) ?? 0
  }

  /**
   * A roll-up of beats: a thousand nodes write 300 of them each every five minutes, which in an hour are gigabytes; they travel
   * nowhere, and nobody in a large simulation reads them. It takes its number and its place, is told to whoever listens, and
   * is not signed and not kept.
   */
  #passOver({ stream, event }: UnsignedEvent, stamp: Pick<Header, 'lamport' | 'authorSeq' | 'at'>): Envelope {
    this.#events.push(undefined)
    this.#otherHeads.set(streamOf(this.author, stream), stamp.authorSeq)
    const { number: kind, version } = KINDS['heartbeat.rolled-up']
    return { seq: this.#events.length, version, kind, author: this.author, stream, ...stamp, payloadBytes: 0, event }
  }

  #take(shared: Shared): Envelope {
    const { header, event } = shared
    this.#lamport.follow(header.lamport)
    this.#events.push(shared)
    this.#hold(shared)
    return { seq: this.#events.length, ...header, payloadBytes: 0, event }
  }

  #hold(shared: Shared): void {
    const { author, stream, authorSeq } = shared.header
    let head = this.#headOf(author, stream)
    if (authorSeq === head + 1) head++
    const name = streamOf(author, stream)
    let apart = this.#apart.get(name)
    if (authorSeq > head || !shared.isFirst) {
      apart ??= new Map()
      this.#apart.set(name, apart.set(authorSeq, shared))
    }
    for (let next = apart?.get(head + 1); next !== undefined; next = apart?.get(head + 1)) {
      head++
      if (next.isFirst) apart?.delete(head)
    }
    if (apart?.size === 0) this.#apart.delete(name)
    if (head === 0) return
    if (stream === 'gossip') this.#vector.set(author, head)
    else this.#otherHeads.set(name, head)
  }

  #tell(envelopes: readonly Envelope[]): void {
    if (envelopes.length > 0) for (const listener of this.#listeners) listener(envelopes)
  }
}

import type { Envelope, Header, SignedEvent, Stream } from '../model/envelope.ts'
import type { NodeId } from '../model/ids.ts'
import type { Arrival, SnapshotRow } from '../pruning/retention.ts'
import { type Held, LogError, type LogView, type ReadRange, type VersionVector } from './event-log.ts'
import type { LogState } from './log-state.ts'
import type { LogStore } from './log-store.ts'

/** Signed events fetched at a time for a peer that lacks them. */
const SIGNED_PER_READ = 256

/** The reading half of a log over a store; alone it serves a stopped node's log, where nobody can sign. */
export class LogReader implements LogView {
  readonly author: NodeId
  protected readonly state: LogState
  protected readonly store: LogStore
  #closing: Promise<void> | undefined

  constructor(author: NodeId, state: LogState, store: LogStore) {
    this.author = author
    this.state = state
    this.store = store
  }

  get head(): number {
    return this.state.head
  }

  get lamport(): number {
    return this.state.clock.now
  }

  has(id: Pick<Header, 'author' | 'stream' | 'authorSeq'>): boolean {
    return this.state.has(id)
  }

  seqOf({ author, stream, authorSeq }: Pick<Header, 'author' | 'stream' | 'authorSeq'>): number | undefined {
    const [seq] = this.state.runsOf(author, stream)?.seqsOf(authorSeq, authorSeq) ?? []
    return seq
  }

  read(range: ReadRange = {}): AsyncIterable<Envelope> {
    return flatten(this.readBatches(range))
  }

  readBatches(range: ReadRange = {}): AsyncIterable<readonly Envelope[]> {
    this.assertOpen()
    const from = Math.max(1, range.from ?? 1)
    const to = Math.min(this.head, range.to ?? this.head)
    return this.store.batches({ from, to, kinds: range.kinds })
  }

  async *readSigned(author: NodeId, stream: Stream, fromAuthorSeq: number, toAuthorSeq: number): AsyncGenerator<SignedEvent> {
    let seqs: number[] = []
    for (const seq of this.state.runsOf(author, stream)?.seqsOf(fromAuthorSeq, toAuthorSeq) ?? []) {
      seqs.push(seq)
      if (seqs.length < SIGNED_PER_READ) continue
      yield* await this.readSignedAt(seqs)
      seqs = []
    }
    if (seqs.length > 0) yield* await this.readSignedAt(seqs)
  }

  async readSignedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]> {
    this.assertOpen()
    const outside = seqs.find((seq) => !Number.isInteger(seq) || seq < 1 || seq > this.head)
    if (outside !== undefined) throw new RangeError(`the log has events 1 to ${this.head}, not ${outside}`)
    return this.store.signedAt(seqs)
  }

  pruned(author: NodeId, stream: Stream, fromAuthorSeq: number): Iterable<{ from: number; to: number }> {
    return this.state.runsOf(author, stream)?.prunedOf(fromAuthorSeq, Number.MAX_SAFE_INTEGER) ?? []
  }

  get arrivals(): readonly Arrival[] {
    return this.store.arrivals
  }

  async bytesOnDisk(): Promise<number> {
    this.assertOpen()
    return this.store.bytesOnDisk()
  }

  async snapshot(projection: string): Promise<readonly SnapshotRow[]> {
    this.assertOpen()
    return this.store.snapshot(projection)
  }

  held(): Held {
    return this.state.held()
  }

  versionVector(): VersionVector {
    return this.state.versionVector()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.settle().then(() => this.store.close())
    return this.#closing
  }

  /** What must be over before the store is closed. */
  protected async settle(): Promise<void> {}

  protected get closing(): boolean {
    return this.#closing !== undefined
  }

  protected assertOpen(): void {
    if (this.closing) throw new LogError({ code: 'LOG_CLOSED' })
  }
}

async function* flatten<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const batch of batches) yield* batch
}

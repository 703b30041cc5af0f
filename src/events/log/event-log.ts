import type { Origin } from '../codec/payload.ts'
import type { Draft, Envelope, Header, SignedEvent, Stream } from '../model/envelope.ts'
import type { EventKind } from '../model/event.ts'
import type { NodeId } from '../model/ids.ts'
import type { Arrival, SnapshotRow } from '../pruning/retention.ts'

// The ports of the log: LogView to read, Appender for own events, EventLog for everything. Implementations:
// event-log.memory.ts, event-log.level.ts; both run test/events/log/event-log.contract.ts.

/** Which events to read; all bounds inclusive, in this log's own order. */
export type ReadRange = {
  from?: number
  to?: number
  kinds?: readonly EventKind[]
}

export type AppendOptions = {
  /**
   * True: resolves after an fsync. False: survives a crash of the process, not of the machine.
   * Default: true for own events that travel, false for all others.
   */
  durable?: boolean
}

export type IngestOptions = AppendOptions & {
  /** `stored`: they come from a log, as in an import; see `Origin`. Default: `arriving`. */
  origin?: Origin
}

/** Highest sequence held of each author's gossip stream without a gap below it. */
export type VersionVector = ReadonlyMap<NodeId, number>

/** How many events are present, and of how many authors; pruned and lost events do not count. */
export type Held = { readonly events: number; readonly authors: number }

/** The result of ingesting one event of another node. `appended` carries its envelope in this log. */
export type Ingested =
  | { outcome: 'appended'; envelope: Envelope }
  | { outcome: 'duplicate' }
  /**
   * Refused by the codec (`malformed`, which includes a kind in the wrong stream), by the bound on Lamport stamps or by the
   * network's rules. Nothing was stored. Signatures are checked by the caller, once.
   */
  | { outcome: 'rejected'; reason: 'clock-jump' | 'malformed' | 'not-admitted' }
  /**
   * Its author's stream has too many gaps below it (see GAPS_MAX), or its author's credential is not known yet. Nothing was
   * stored and nobody is to blame: ask for the events in order.
   */
  | { outcome: 'deferred' }
  /** The budget of its author, or of the invitation behind it, is used up for now. Nothing was stored; others are not affected. */
  | { outcome: 'over-budget' }

/** Reads a log, of a running node or a stopped one. A log that can be pruned is a `PrunableLog` as well. */
export interface LogView extends AsyncDisposable {
  /** The node whose log it is. */
  readonly author: NodeId
  /** Sequence of the last event, 0 when empty. */
  readonly head: number
  /** The author's Lamport clock: at least every stamp in the log. */
  readonly lamport: number

  /** True if the event is in the log: removes duplicates before their signatures are verified. */
  has(id: Pick<Header, 'author' | 'stream' | 'authorSeq'>): boolean

  /** Where the event stands in this log; undefined if it is not held. What stands near one another is read for the price of one. */
  seqOf(id: Pick<Header, 'author' | 'stream' | 'authorSeq'>): number | undefined

  /**
   * Reads a snapshot: later appends are not seen.
   * @throws LogError `LOG_DAMAGED` where the bytes are not those that were written
   */
  read(range?: ReadRange): AsyncIterable<Envelope>

  /** As `read`, in batches of up to some thousand events. For folds: a promise for each event costs more than the event. */
  readBatches(range?: ReadRange): AsyncIterable<readonly Envelope[]>

  /** The stored signed bytes of one author's events with these author sequences (inclusive), for peers that lack them. */
  readSigned(author: NodeId, stream: Stream, fromAuthorSeq: number, toAuthorSeq: number): AsyncIterable<SignedEvent>

  /** The signed bytes of events by their place in this log, in the order asked. @throws RangeError for a place outside it */
  readSignedAt(seqs: readonly number[]): Promise<readonly SignedEvent[]>

  /** The rows with which a fold of this projection begins: they stand for the pruned events. Empty if none were pruned. */
  snapshot(projection: string): Promise<readonly SnapshotRow[]>

  /** Pruned runs of one author's stream from this author sequence on, ascending. */
  pruned(author: NodeId, stream: Stream, fromAuthorSeq: number): Iterable<{ from: number; to: number }>

  /** Arrival times of events, about one an hour; empty where they are not kept. */
  readonly arrivals: readonly Arrival[]

  /** Size of the log's files, 0 for a log in memory. */
  bytesOnDisk(): Promise<number>

  /** Counted from memory, without reading. */
  held(): Held

  /** Contiguous heads of the gossip stream, by author. */
  versionVector(): VersionVector
}

/** Appends this node's own events: a log, or a gate in front of one. */
export interface Appender {
  /**
   * Appends events of our own.
   * @throws LogError `LOG_WRITE_FAILED` (nothing of this call was stored), `LOG_CLOSED`
   * @throws BodyError | PayloadError if a draft is too long or would not read back; nothing of this call was stored
   */
  append(drafts: readonly Draft[], options?: AppendOptions): Promise<readonly Envelope[]>
}

/**
 * A node's append-only log. Appends that wait together are committed together (one segment, one fsync), in order.
 * Own events are stamped, numbered and signed at the commit, so a failed commit leaves no gap in the author's sequence.
 */
export interface EventLog extends LogView, Appender {
  /** Appends events of other nodes with their stamps and signatures unchanged. Duplicates are reported, not stored. */
  ingest(events: readonly SignedEvent[], options?: IngestOptions): Promise<readonly Ingested[]>

  /**
   * Calls back after each commit, in log order and in the same turn as the commit; a listener must not throw.
   * @returns a function that stops it
   */
  onAppended(listener: (envelopes: readonly Envelope[]) => void): () => void
}

export type LogErrorDetail =
  | { code: 'LOG_CLOSED' }
  | { code: 'LOG_WRITE_FAILED'; reason: string }
  /** After a failed write: the database could not be opened again, or a read was under way. */
  | { code: 'LOG_UNAVAILABLE'; reason: string }
  /** `pid` is 0 where it is not known. */
  | { code: 'LOG_LOCKED'; directory: string; pid: number }
  /** `isInTables`: only LevelDB's tables are damaged, so a repair keeps everything else. */
  | { code: 'LOG_DAMAGED'; ranges: readonly DamagedRange[]; isInTables?: boolean }
  /** `since` is the first version that reads it, where the log says so. */
  | { code: 'LOG_NEWER'; format: number; supported: number; since: string | undefined }
  | { code: 'LOG_FOREIGN'; expected: NodeId; found: NodeId }
  | { code: 'LOG_MISSING'; directory: string }

/**
 * A run of sequences that is gone or wrong, inclusive. `unproven`: they read well, but what would prove that they are
 * all there, the head file, is gone or unreadable.
 */
export type DamagedRange = { from: number; to: number; what: 'missing' | 'altered' | 'reordered' | 'unproven' }

const SENTENCES: { [C in LogErrorDetail['code']]: (detail: Extract<LogErrorDetail, { code: C }>) => string } = {
  LOG_CLOSED: () => 'the event log is closed',
  LOG_WRITE_FAILED: (detail) => `the event log could not be written: ${detail.reason}`,
  LOG_UNAVAILABLE: (detail) => `the event log cannot be read: ${detail.reason}`,
  LOG_LOCKED: (detail) =>
    detail.pid > 0
      ? `the data directory ${detail.directory} is in use by process ${detail.pid}: stop it with \`p2pt node stop --data ${detail.directory}\``
      : `the data directory ${detail.directory} is in use by another process: stop that first`,
  LOG_DAMAGED: (detail) =>
    `the event log is damaged: ${detail.ranges.map((range) => `events ${range.from} to ${range.to} ${range.what}`).join('; ')}`,
  LOG_NEWER: (detail) =>
    `the event log has format ${detail.format}, this version reads up to ${detail.supported}: use ${detail.since === undefined ? 'a newer p2pt' : `p2pt ${detail.since} or later`}`,
  LOG_FOREIGN: (detail) => `the event log belongs to node ${detail.found}, not to ${detail.expected}`,
  LOG_MISSING: (detail) => `there is no event log in ${detail.directory}`,
}

export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorDetail['code']
  readonly detail: LogErrorDetail

  constructor(detail: LogErrorDetail, options?: ErrorOptions) {
    super((SENTENCES[detail.code] as (detail: LogErrorDetail) => string)(detail), options)
    this.code = detail.code
    this.detail = detail
  }
}

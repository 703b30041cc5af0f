import { type CommitSigner, signsInTurn } from '../keys/signer.ts'
import type { Draft, Envelope, SignedEvent } from '../model/envelope.ts'
import { streamOf } from '../model/kinds.ts'
import { CommitPlan, type PlanTools } from './commit-plan.ts'
import { type AppendOptions, type EventLog, type Ingested, type IngestOptions, LogError } from './event-log.ts'
import { LogReader } from './log-reader.ts'
import type { LogState } from './log-state.ts'
import type { LogStore } from './log-store.ts'

/** Upper bounds of one commit. Signing 256 events alone blocks the thread for about 4 ms, planning 1,024 foreign ones for 2 ms. */
const OWN_PER_COMMIT_MAX = 256
const EVENTS_PER_COMMIT_MAX = 1024

type Waiting = {
  readonly own: number
  readonly count: number
  readonly durable: boolean
  /** Puts its events into the plan and keeps the answer; false if that failed, in which case its caller has been told. */
  plan(plan: CommitPlan): boolean
  resolve(): void
  reject(error: unknown): void
}

/**
 * The log over a store. Appends and ingests that wait together become one commit: one plan, one write, one fsync if
 * any of them asked for it. A failed write rejects exactly those that were in it and changes nothing.
 */
export class CommittedLog extends LogReader implements EventLog {
  readonly #tools: PlanTools
  readonly #signer: CommitSigner
  readonly #listeners = new Set<(envelopes: readonly Envelope[]) => void>()
  #queue: Waiting[] = []
  #committing: Promise<void> | undefined
  readonly #watchers = new Set<(reason: string | undefined) => void>()
  #writeFailure: string | undefined

  constructor(state: LogState, store: LogStore, tools: PlanTools, signer = signsInTurn(tools.signer)) {
    super(tools.signer.id, state, store)
    this.#tools = tools
    this.#signer = signer
  }

  append(drafts: readonly Draft[], options: AppendOptions = {}): Promise<readonly Envelope[]> {
    // A number that peers have seen must not be given out again after a power cut.
    const durable = options.durable ?? drafts.some((draft) => streamOf(draft) !== 'local')
    return this.#enqueue(drafts.length, drafts.length, { durable }, (plan) => plan.append(drafts))
  }

  ingest(events: readonly SignedEvent[], options: IngestOptions = {}): Promise<readonly Ingested[]> {
    return events.length > EVENTS_PER_COMMIT_MAX ? this.#ingestInParts(events, options) : this.#ingest(events, options)
  }

  #ingest(events: readonly SignedEvent[], options: IngestOptions): Promise<readonly Ingested[]> {
    return this.#enqueue(events.length, 0, options, (plan) => events.map((signed) => plan.ingest(signed, options.origin)))
  }

  async #ingestInParts(events: readonly SignedEvent[], options: IngestOptions): Promise<readonly Ingested[]> {
    const parts: Promise<readonly Ingested[]>[] = []
    for (let from = 0; from < events.length; from += EVENTS_PER_COMMIT_MAX) {
      parts.push(this.#ingest(events.slice(from, from + EVENTS_PER_COMMIT_MAX), options))
    }
    return (await Promise.all(parts)).flat()
  }

  onAppended(listener: (envelopes: readonly Envelope[]) => void): () => void {
    // Wrapped, so that the same function added twice is two listeners.
    const entry = (envelopes: readonly Envelope[]): void => listener(envelopes)
    this.#listeners.add(entry)
    return () => {
      this.#listeners.delete(entry)
    }
  }

  /** Why the last write failed; undefined while the log can be written. */
  get writeFailure(): string | undefined {
    return this.#writeFailure
  }

  /** Calls back when writes begin to fail, with the reason, and when they succeed again. @returns a function that stops it */
  onWriteFailure(listener: (reason: string | undefined) => void): () => void {
    const entry = (reason: string | undefined): void => listener(reason)
    this.#watchers.add(entry)
    return () => {
      this.#watchers.delete(entry)
    }
  }

  protected noteWrite(failure: string | undefined): void {
    const isChange = (failure === undefined) !== (this.#writeFailure === undefined)
    this.#writeFailure = failure
    if (isChange) for (const listener of this.#watchers) listener(failure)
  }

  /** Commits what waits before the store is closed. */
  protected override async settle(): Promise<void> {
    while (this.#committing !== undefined) await this.#committing
  }

  #enqueue<T>(
    count: number,
    own: number,
    options: AppendOptions,
    run: (plan: CommitPlan) => readonly T[],
  ): Promise<readonly T[]> {
    if (this.closing) return Promise.reject(new LogError({ code: 'LOG_CLOSED' }))
    if (count === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      let answer: readonly T[] = []
      const plan = (commit: CommitPlan): boolean => {
        try {
          answer = run(commit)
          return true
        } catch (error) {
          reject(error)
          return false
        }
      }
      this.#queue.push({ own, count, durable: options.durable ?? false, plan, resolve: () => resolve(answer), reject })
      this.#committing ??= this.#commitAll()
    })
  }

  /** Runs between two commits; appends wait until it is done. */
  protected async between<T>(run: () => Promise<T>): Promise<T> {
    while (this.#committing !== undefined) await this.#committing
    this.assertOpen()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#committing = promise
    try {
      return await run()
    } finally {
      this.#committing = this.#queue.length > 0 ? this.#commitAll() : undefined
      resolve()
    }
  }

  async #commitAll(): Promise<void> {
    // Let everything that this turn appends come into the first commit.
    await undefined
    while (this.#queue.length > 0) await this.#commit(this.#take())
    this.#committing = undefined
  }

  #take(): Waiting[] {
    let own = 0
    let count = 0
    let taken = 0
    for (const waiting of this.#queue) {
      own += waiting.own
      count += waiting.count
      if (taken > 0 && (own > OWN_PER_COMMIT_MAX || count > EVENTS_PER_COMMIT_MAX)) break
      taken++
    }
    return this.#queue.splice(0, taken)
  }

  async #commit(taken: readonly Waiting[]): Promise<void> {
    const own = taken.reduce((sum, waiting) => sum + waiting.own, 0)
    const plan = new CommitPlan(this.state, this.#tools, this.#signer, own)
    const members = taken.filter((waiting) => waiting.plan(plan))
    try {
      plan.sign()
    } catch (error) {
      for (const waiting of members) waiting.reject(error)
      return
    }
    if (plan.events.length > 0) {
      try {
        await this.store.write(
          plan,
          members.some((waiting) => waiting.durable),
        )
      } catch (cause) {
        const reason = reasonOf(cause)
        const failure = new LogError({ code: 'LOG_WRITE_FAILED', reason }, { cause })
        this.noteWrite(reason)
        for (const waiting of members) waiting.reject(failure)
        return
      }
      this.noteWrite(undefined)
      const envelopes = plan.events.map((event) => event.envelope)
      this.state.advance(this.head + envelopes.length, plan.lamport, plan.runs)
      this.#tell(envelopes)
    }
    for (const waiting of members) waiting.resolve()
  }

  #tell(envelopes: readonly Envelope[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(envelopes)
      } catch (error) {
        // A bug in a listener is reported to the process, not to the appender: its events are stored.
        void Promise.reject(error)
      }
    }
  }
}

/** The innermost message: LevelDB's own error is the cause of the binding's. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  return cause.cause instanceof Error ? reasonOf(cause.cause) : cause.message
}

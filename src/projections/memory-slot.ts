import type { Envelope } from '../events/index.ts'
import { CheckpointWriter } from './checkpoint-writer.ts'
import { initialStateOf } from './initial-state.ts'
import type { Projection } from './projection.ts'
import type { ProjectionStore } from './projection-store.ts'
import { replay } from './replay.ts'
import type { RebuildReason } from './runner-notice.ts'
import { digestRows } from './sha256.ts'
import type { PastState, RebuildOptions, Rebuilt, Slot, SlotParts } from './slot.ts'
import type { Snapshots } from './snapshots.ts'

/** A fold in memory: its rows are loaded at the start, and those that changed are stored now and then. */
export class MemorySlot implements Slot {
  readonly #projection: Projection<unknown>
  readonly #parts: SlotParts
  readonly #store: ProjectionStore
  readonly #snapshots: Snapshots
  readonly #writer: CheckpointWriter
  /** False if its fold began with rows that stand for pruned events: then it never was as those rows are. */
  #isWhole = true
  #state: unknown
  applied = 0

  constructor(projection: Projection<unknown>, store: ProjectionStore, snapshots: Snapshots, parts: SlotParts) {
    this.#projection = projection
    this.#parts = parts
    this.#store = store
    this.#snapshots = snapshots
    this.#writer = new CheckpointWriter(store, projection, snapshots, parts.notice)
    this.#state = projection.initial()
  }

  get name(): string {
    return this.#projection.name
  }
  get version(): number {
    return this.#projection.version
  }
  get handles(): Projection<unknown>['handles'] {
    return this.#projection.handles
  }
  get state(): unknown {
    return this.#state
  }
  get checkpoint(): number {
    return this.#writer.checkpoint
  }

  async load(): Promise<void> {
    const { log } = this.#parts
    await this.#snapshots.open(this.#projection, log.head)
    try {
      const stored = await this.#store.load(this.name)
      if (stored === undefined) return await this.#begin('missing')
      if (stored.version !== this.version) return await this.#begin('version')
      if (stored.checkpoint > log.head) return await this.#begin('beyond-log')
      this.#state = this.#projection.load(stored.rows)
      this.applied = stored.checkpoint
      this.#writer.loaded(stored.checkpoint)
    } catch (error) {
      await this.#begin('damaged', error)
    }
  }

  async #begin(reason: RebuildReason, error?: unknown): Promise<void> {
    const { log, notice } = this.#parts
    const { state, rows } = await initialStateOf(log, this.#projection)
    this.#state = state
    this.applied = 0
    this.#isWhole = rows.length === 0
    this.#writer.restart(rows)
    if (log.head > 0) notice({ what: 'rebuilding', projection: this.name, reason, ...(error === undefined ? {} : { error }) })
  }

  apply(envelope: Envelope): void {
    this.#state = this.#fold(this.#state, envelope)
  }

  // A fold that throws is a bug, and must not take the log down with it. The event is passed over, as it would be
  // in every replay, so live and replayed state stay the same.
  #fold(state: unknown, envelope: Envelope): unknown {
    try {
      return this.#projection.apply(state, envelope)
    } catch (error) {
      this.#parts.notice({ what: 'fold-failed', projection: this.name, seq: envelope.seq, error })
      return state
    }
  }

  async passing(seq: number): Promise<void> {
    // Not of one that was ahead from the start: its state is a later one.
    if (this.applied <= seq && this.#isWhole) await this.#snapshots.passing(this.#projection, this.#state, seq)
  }

  write(): Promise<boolean> {
    return this.#writer.write(this.#state, this.applied)
  }

  digest(): string {
    return this.#digestOf(this.#state)
  }

  #digestOf(state: unknown): string {
    return digestRows(this.#projection.rows(state), this.#parts.newSha256)
  }

  async at(seq: number, fresh: boolean): Promise<PastState> {
    const projection = this.#projection
    const { log, newTurns } = this.#parts
    const before = fresh ? undefined : await this.#snapshots.before(projection, seq)
    const initialState = await initialStateOf(log, projection)
    let state = before === undefined ? initialState.state : projection.load(before.rows)
    await replay({
      log,
      from: (before?.checkpoint ?? 0) + 1,
      to: seq,
      kinds: projection.handles,
      turns: newTurns?.(),
      // What this look at the past had to fold, the next one finds; not over events that the log has let go.
      passing: async (reached) => {
        if (initialState.rows.length === 0) await this.#snapshots.passing(projection, state, reached)
      },
      apply: (envelope) => {
        state = this.#fold(state, envelope)
      },
    })
    return { state, digest: () => this.#digestOf(state), async drop() {} }
  }

  async rebuild(options: RebuildOptions): Promise<Rebuilt> {
    let [digestBefore, digestAfter] = ['', '']
    const events = await this.#remake(options, (fresh) => {
      // Both digests are of the same event, so they differ only if the state was wrong.
      digestBefore = this.digest()
      digestAfter = this.#digestOf(fresh)
    })
    return { events, digestBefore, digestAfter }
  }

  /** Makes the state again; `replacing` sees the new one before it takes the place of the other. @returns its last event */
  async #remake({ onProgress, signal }: RebuildOptions, replacing: (fresh: unknown) => void = () => {}): Promise<number> {
    const { log, newTurns } = this.#parts
    const initialState = await initialStateOf(log, this.#projection)
    let fresh = initialState.state
    // Where events were pruned, snapshots know of the past what no replay can tell any more.
    const isWhole = initialState.rows.length === 0
    if (isWhole) await this.#snapshots.forget(this.#projection)
    let to = 0
    while (to < this.applied) {
      const from = to + 1
      to = this.applied
      await replay({
        log,
        from,
        to,
        kinds: this.handles,
        turns: newTurns?.(),
        passing: async (reached) => {
          if (isWhole) await this.#snapshots.passing(this.#projection, fresh, reached)
        },
        apply: (envelope) => {
          fresh = this.#fold(fresh, envelope)
        },
        onProgress: (seq) => onProgress?.({ done: seq, total: to }),
        signal,
      })
    }
    // From the loop's last test to here nothing was awaited, so no event came between.
    replacing(fresh)
    this.#state = fresh
    this.#writer.restart(initialState.rows)
    await this.write()
    return to
  }

  async forget(names: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<void> {
    const projection = this.#projection
    if (projection.forget === undefined) {
      await this.#remake({ signal })
      return
    }
    const release = this.#snapshots.hold(projection)
    try {
      // A copy that is being made goes with the others; a crash on the way then leaves rows that are looked at again, and no
      // copy of what was.
      await this.write()
      await this.#snapshots.forget(projection)
      const turns = this.#parts.newTurns?.()
      let steps = 0
      for (const _ of projection.forget(this.#state, names)) {
        if (turns?.isOver) await turns.next()
        signal?.throwIfAborted()
        steps += 1
        // Rows of a large state in several writes, since each is put together in one turn.
        if (steps % this.#parts.checkpointEvents === 0) await this.write()
      }
    } finally {
      release()
    }
    await this.write()
  }

  async close(): Promise<void> {}
}

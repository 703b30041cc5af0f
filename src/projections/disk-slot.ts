import type { Envelope } from '../events/index.ts'
import type { DiskProjection } from './disk-projection.ts'
import { type ProjectionStore, ProjectionStoreError } from './projection-store.ts'
import { replay } from './replay.ts'
import { damagedTable, type RowTable, type StoredTable } from './row-table.ts'
import type { RebuildReason } from './runner-notice.ts'
import type { PastState, RebuildOptions, Rebuilt, Slot, SlotParts } from './slot.ts'

/** Damage is told, and mended, where a row is read. */
const isDamage = (error: unknown): boolean => error instanceof ProjectionStoreError && error.code === 'STORE_DAMAGED'

/** The same table; `onDamage` is told when a row is not what was written. */
function watchedTable(table: StoredTable, onDamage: (error: unknown) => void): RowTable {
  const watched = <R>(read: () => R): R => {
    try {
      return read()
    } catch (error) {
      if (isDamage(error)) onDamage(error)
      throw error
    }
  }
  return {
    get: (key) => watched(() => table.get(key)),
    need: (key) => watched(() => table.need(key)),
    put: (key, value) => table.put(key, value),
    delete: (key) => table.delete(key),
    putApart: (rows) => table.putApart(rows),
    clear: (from, to) => table.clear(from, to),
  }
}

/** A state over a table, and the events that are in it. */
type Made = {
  readonly table: StoredTable
  readonly state: unknown
  applied: number
  sinceCommit: number
  /** A row was not what was written. */
  isDamaged: boolean
}

/** A fold on disk: its state is rows in a table, of which it keeps in memory what it likes. */
export class DiskSlot implements Slot {
  readonly #projection: DiskProjection<unknown>
  readonly #parts: SlotParts
  readonly #store: ProjectionStore
  readonly #closing = new AbortController()
  #live: Made | undefined
  /** The table is one that was begun, and takes its place when the state is level with the log. */
  #isBegun = false
  #turn: Promise<unknown> = Promise.resolve()
  #tidying: Promise<void> | undefined
  #rebuilding: Promise<unknown> = Promise.resolve()

  constructor(projection: DiskProjection<unknown>, store: ProjectionStore, parts: SlotParts) {
    this.#projection = projection
    this.#store = store
    this.#parts = parts
  }

  get name(): string {
    return this.#projection.name
  }
  get version(): number {
    return this.#projection.version
  }
  get handles(): DiskProjection<unknown>['handles'] {
    return this.#projection.handles
  }
  get state(): unknown {
    return this.#made.state
  }
  get applied(): number {
    return this.#live?.applied ?? 0
  }
  set applied(seq: number) {
    this.#made.applied = seq
  }
  get checkpoint(): number {
    return this.#live?.table.checkpoint ?? 0
  }

  get #made(): Made {
    if (this.#live === undefined) throw new Error(`${this.name} is not open`)
    return this.#live
  }

  async load(): Promise<void> {
    const { log } = this.#parts
    try {
      const table = await this.#store.openTable(this.name)
      if (table === undefined) return await this.#begin('missing')
      if (table.version !== this.version) return await this.#begin('version')
      if (table.checkpoint > log.head) return await this.#begin('beyond-log')
      this.#live = this.#open(table)
    } catch (error) {
      await this.#begin('damaged', error)
    }
  }

  /** A table beside the one that cannot be used; a replay that was stopped goes on where it was. */
  async #begin(reason: RebuildReason, error?: unknown): Promise<void> {
    const { log, notice } = this.#parts
    this.#live = await this.#beginTable()
    this.#isBegun = true
    if (log.head > 0) notice({ what: 'rebuilding', projection: this.name, reason, ...(error === undefined ? {} : { error }) })
  }

  async #beginTable(): Promise<Made> {
    const table = await this.#store.beginTable(this.name, this.version)
    if (table.checkpoint <= this.#parts.log.head) {
      try {
        return this.#open(table)
      } catch {
        // What was left is damaged: once more from the beginning.
      }
    }
    await this.#store.dropBegun(this.name)
    return this.#open(await this.#store.beginTable(this.name, this.version))
  }

  #open(table: StoredTable): Made {
    let made: Made | undefined
    // Also where a search comes upon it, long after the start.
    const watched = watchedTable(table, (error) => {
      if (made !== undefined) this.#damaged(made, error)
    })
    const state = this.#projection.open(watched, this.#parts.stateOf)
    made = { table, state, applied: table.checkpoint, sinceCommit: 0, isDamaged: false }
    return made
  }

  apply(envelope: Envelope): void {
    this.#fold(this.#made, envelope)
  }

  #fold(made: Made, envelope: Envelope): void {
    made.sinceCommit += 1
    try {
      this.#projection.apply(made.state, envelope)
    } catch (error) {
      if (isDamage(error)) return
      this.#parts.notice({ what: 'fold-failed', projection: this.name, seq: envelope.seq, error })
    }
  }

  /** Rows turned out not to be what was written: all of them are made again, once, while the rest goes on. */
  #damaged(made: Made, error: unknown): void {
    if (made.isDamaged) return
    made.isDamaged = true
    const { signal } = this.#closing
    if (made !== this.#live || signal.aborted) return
    this.#parts.notice({ what: 'rebuilding', projection: this.name, reason: 'damaged', error })
    const again = async (): Promise<void> => {
      // Not on top of itself, where it was never put in its place.
      if (this.#isBegun) await this.#store.dropBegun(this.name)
      await this.rebuild({ signal })
    }
    again().catch((cause: unknown) => {
      if (!signal.aborted) this.#parts.notice({ what: 'commit-failed', projection: this.name, error: cause })
    })
  }

  async passing(): Promise<void> {
    const made = this.#made
    if (made.sinceCommit >= this.#parts.checkpointEvents) await this.#settle(made)
  }

  write(): Promise<boolean> {
    const made = this.#made
    const turn = this.#turn.then(async () => {
      const isNew = made.sinceCommit > 0 || made.applied !== made.table.checkpoint
      const isStored = !isNew || (await this.#commit(made))
      if (isStored && this.#isBegun && made === this.#live) {
        await this.#store.adoptTable(this.name, made.table)
        this.#isBegun = false
      }
      this.#tidyBehind(made)
      return isStored
    })
    this.#turn = turn.catch(() => {})
    return turn.catch((error: unknown) => {
      this.#parts.notice({ what: 'commit-failed', projection: this.name, error })
      return false
    })
  }

  async #commit(made: Made): Promise<boolean> {
    // Events were passed over since: what is stored must not say that they are in it.
    if (made.isDamaged) return false
    try {
      const turns = this.#parts.newTurns?.()
      // What comes meanwhile is put there by the last step, which is one with the commit.
      while (this.#projection.flushSome(made.state)) if (turns?.isOver) await turns.next()
      this.#projection.flush(made.state)
      made.sinceCommit = 0
      await made.table.commit(made.applied)
      return true
    } catch (error) {
      made.sinceCommit += 1
      if (!isDamage(error)) this.#parts.notice({ what: 'commit-failed', projection: this.name, error })
      return false
    }
  }

  /** In the background: what is stored must not wait for it. */
  #tidyBehind(made: Made): void {
    if (this.#tidying !== undefined || this.#closing.signal.aborted) return
    this.#tidying = this.#tidy(made, this.#closing.signal).finally(() => {
      this.#tidying = undefined
    })
  }

  async #tidy(made: Made, signal: AbortSignal, commit: () => Promise<boolean> = () => this.#commitInTurn(made)): Promise<void> {
    try {
      await this.#projection.tidy(made.state, { commit, turns: this.#parts.newTurns?.(), signal })
    } catch (error) {
      if (!signal.aborted && !isDamage(error)) this.#parts.notice({ what: 'commit-failed', projection: this.name, error })
    }
  }

  #commitInTurn(made: Made): Promise<boolean> {
    const turn = this.#turn.then(() => this.#commit(made))
    this.#turn = turn
    return turn
  }

  /** Commits and tidies, and waits for both: what a replay does now and then, so that no more waits than fits. */
  async #settle(made: Made, signal: AbortSignal = this.#closing.signal): Promise<void> {
    const commit = made === this.#live ? () => this.#commitInTurn(made) : () => this.#commit(made)
    await commit()
    await this.#tidying
    await this.#tidy(made, signal, commit)
  }

  digest(): string {
    return this.#projection.digest(this.state)
  }

  async at(seq: number): Promise<PastState> {
    const { table, drop } = await this.#store.scratchTable(this.name, this.version)
    const made = this.#open(table)
    try {
      await this.#replay(made, seq, this.#closing.signal)
    } catch (error) {
      await drop()
      throw error
    }
    return { state: made.state, digest: () => this.#projection.digest(made.state), drop }
  }

  rebuild(options: RebuildOptions): Promise<Rebuilt> {
    // There is one table that is begun: a second rebuild waits for the first.
    const turn = this.#rebuilding.then(() => this.#remake(options))
    this.#rebuilding = turn.catch(() => {})
    return turn
  }

  async #remake({ onProgress, signal }: RebuildOptions): Promise<Rebuilt> {
    const { signal: closing } = this.#closing
    const ending = signal === undefined ? closing : AbortSignal.any([signal, closing])
    // One that a stop cut off goes on where it was; one that ended is not taken up again.
    const fresh = await this.#beginTable()
    try {
      // Again where something came between its end and here: nothing is awaited from the last test to the exchange.
      while (fresh.applied < this.applied) await this.#levelWith(fresh, ending, onProgress)
    } catch (error) {
      if (fresh.isDamaged) await this.#store.dropBegun(this.name)
      throw error
    }
    const digestBefore = this.digest()
    const digestAfter = this.#projection.digest(fresh.state)
    this.#live = fresh
    this.#isBegun = true
    await this.write()
    return { events: fresh.applied, digestBefore, digestAfter }
  }

  async #levelWith(fresh: Made, ending: AbortSignal, onProgress?: RebuildOptions['onProgress']): Promise<void> {
    while (fresh.applied < this.applied) {
      await this.#replay(fresh, this.applied, ending, onProgress)
      await this.#settle(fresh, ending)
      ending.throwIfAborted()
      if (fresh.isDamaged) throw damagedTable(this.name, 'what was just written to it cannot be read')
    }
  }

  async #replay(made: Made, to: number, signal: AbortSignal, onProgress?: RebuildOptions['onProgress']): Promise<void> {
    const { log, newTurns, checkpointEvents } = this.#parts
    await replay({
      log,
      from: made.applied + 1,
      to,
      kinds: this.handles,
      turns: newTurns?.(),
      apply: (envelope) => {
        this.#fold(made, envelope)
        made.applied = envelope.seq
      },
      passing: async () => {
        if (made.sinceCommit >= checkpointEvents) await this.#settle(made, signal)
      },
      onProgress: (seq) => onProgress?.({ done: seq, total: to }),
      signal,
    })
    made.applied = to
  }

  async forget(names: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<void> {
    const { forget } = this.#projection
    if (forget === undefined) {
      await this.rebuild({ signal })
      return
    }
    // A rebuild that was stopped left a table with their events, which the log no longer has.
    const turn = this.#rebuilding.then(() => this.#store.dropBegun(this.name))
    this.#rebuilding = turn.catch(() => {})
    await turn
    const turns = this.#parts.newTurns?.()
    let steps = 0
    for (const _ of forget.call(this.#projection, this.state, names)) {
      this.#made.sinceCommit += 1
      if (turns?.isOver) await turns.next()
      signal?.throwIfAborted()
      steps += 1
      if (steps % this.#parts.checkpointEvents === 0) await this.write()
    }
    await this.write()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#rebuilding
    await this.#tidying
    await this.#turn
  }
}

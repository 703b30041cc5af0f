import type { Projection, Row, RowChange } from './projection.ts'
import type { ProjectionStore } from './projection-store.ts'
import type { RunnerNotice } from './runner-notice.ts'
import type { Snapshots } from './snapshots.ts'

/**
 * Brings one projection's rows to the store, one commit at a time. Rows of a failed commit are kept and go with the
 * next one, under whatever has changed since.
 */
export class CheckpointWriter {
  readonly #store: ProjectionStore
  readonly #projection: Projection<unknown>
  readonly #snapshots: Snapshots
  readonly #notice: (notice: RunnerNotice) => void
  #checkpoint = 0
  #clearFirst = false
  /** Drained from the state and not stored yet. */
  #unsaved = new Map<string, string | null>()
  /** The event that the unsaved rows reach: it moves with them, never with the turn that stores them. */
  #unsavedReach = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(
    store: ProjectionStore,
    projection: Projection<unknown>,
    snapshots: Snapshots,
    notice: (notice: RunnerNotice) => void,
  ) {
    this.#store = store
    this.#projection = projection
    this.#snapshots = snapshots
    this.#notice = notice
  }

  /** All events up to this one are in the store's rows. */
  get checkpoint(): number {
    return this.#checkpoint
  }

  /** The store's rows are those of the state, up to this event. */
  loaded(checkpoint: number): void {
    this.#checkpoint = checkpoint
  }

  /**
   * The state was made anew: the next `write` carries every row, and puts them in place of what is stored.
   * @param rows those that it began with, which it does not tell as changes
   */
  restart(rows: readonly Row[] = []): void {
    this.#clearFirst = true
    this.#checkpoint = 0
    this.#unsaved = new Map(rows)
    this.#unsavedReach = 0
  }

  /**
   * Drains the state's changes now, and stores them as soon as the commit before has ended.
   * @returns false if that failed; never rejects
   */
  write(state: unknown, applied: number): Promise<boolean> {
    const changes = this.#projection.changes(state)
    for (const [key, value] of changes) this.#unsaved.set(key, value)
    this.#unsavedReach = applied
    const turn = this.#turn.then(() => this.#commit())
    this.#turn = turn
    return turn
  }

  async #commit(): Promise<boolean> {
    const going = this.#unsaved
    const applied = this.#unsavedReach
    if (going.size === 0 && !this.#clearFirst && applied <= this.#checkpoint) return true
    this.#unsaved = new Map()
    const { name, version } = this.#projection
    const clearing = this.#clearFirst
    this.#clearFirst = false
    try {
      if (clearing)
        await this.#store.replace(
          name,
          version,
          applied,
          [...going].filter((change): change is [...Row] => change[1] !== null),
        )
      else await this.#store.commit(name, version, applied, [...going] as RowChange[])
      if (!this.#clearFirst) {
        this.#checkpoint = applied
        await this.#snapshots.committed(this.#projection, applied)
      }
      return true
    } catch (error) {
      if (!this.#clearFirst) {
        // Not made anew meanwhile: the rows of the failed commit come back under the newer ones.
        this.#clearFirst = clearing
        for (const [key, value] of this.#unsaved) going.set(key, value)
        this.#unsaved = going
      }
      this.#notice({ what: 'commit-failed', projection: name, error })
      return false
    }
  }
}

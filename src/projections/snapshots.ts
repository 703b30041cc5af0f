import type { Projection } from './projection.ts'
import type { ProjectionStore, SnapshotMark, StoredProjection } from './projection-store.ts'

export type SnapshotOptions = {
  /** Events between two snapshots of a short log. */
  readonly everyEvents: number
  /** Snapshots of one projection; a longer log has them farther apart. */
  readonly countMax: number
}

/** Events between two snapshots of a log of `head` events: the least doubling of `everyEvents` of which `countMax` suffice. */
export function snapshotInterval(head: number, { everyEvents, countMax }: SnapshotOptions): number {
  let interval = everyEvents
  while (head / interval > countMax) interval *= 2
  return interval
}

/** Which of these ascending sequences to keep: the first in each interval, for evenly spaced ones. */
export function keptSnapshots(seqs: readonly number[], head: number, options: SnapshotOptions): number[] {
  const interval = snapshotInterval(head, options)
  const seen = new Set<number>([0])
  return seqs.filter((seq) => {
    const place = Math.floor(seq / interval)
    if (seen.has(place)) return false
    seen.add(place)
    return true
  })
}

/**
 * Copies of projections as they stood now and then, so that a look at the past replays the events since the last of
 * them and not all. A shortcut and no more: whatever fails here, the log has every event.
 */
export class Snapshots {
  readonly #store: ProjectionStore
  readonly #options: SnapshotOptions
  readonly #marks = new Map<string, SnapshotMark[]>()
  /** Projections of which no copy is made now. */
  readonly #held = new Set<string>()

  constructor(store: ProjectionStore, options: SnapshotOptions) {
    this.#store = store
    this.#options = options
  }

  /** Finds what is there. Those of another version, or with events that the log no longer has, are of no use. */
  async open({ name, version }: Projection<unknown>, head: number): Promise<void> {
    const usable: SnapshotMark[] = []
    try {
      for (const mark of await this.#store.snapshots(name)) {
        if (mark.version === version && mark.seq <= head) usable.push(mark)
        else await this.#store.dropSnapshot(name, mark.seq)
      }
    } catch {
      // A store that cannot be read is told of where its rows are loaded.
    }
    this.#marks.set(name, usable)
  }

  /** Drops them all, before a projection is made again. */
  async forget({ name }: Projection<unknown>): Promise<void> {
    const marks = this.#marksOf(name)
    this.#marks.set(name, [])
    for (const { seq } of marks) await this.#store.dropSnapshot(name, seq).catch(() => {})
  }

  /** Makes no copies for a while: the state is on the way to another one. @returns a function that ends it */
  hold({ name }: Projection<unknown>): () => void {
    this.#held.add(name)
    return () => this.#held.delete(name)
  }

  /** The rows of `checkpoint` were just stored: keeps a copy of them where one is due. */
  async committed({ name, version }: Projection<unknown>, checkpoint: number): Promise<void> {
    if (!this.#isDue(name, checkpoint)) return
    await this.#add(name, { version, seq: checkpoint }, () => this.#store.keepSnapshot(name))
  }

  /** A replay that nobody else sees has come to `seq`: keeps its state where one is due. */
  async passing<S>(projection: Projection<S>, state: S, seq: number): Promise<void> {
    const { name, version } = projection
    if (!this.#isDue(name, seq)) return
    const mark = { version, seq }
    await this.#add(name, mark, () => this.#store.saveSnapshot(name, mark, projection.rows(state)))
  }

  /** The last state that was kept at or before `seq`. */
  async before({ name }: Projection<unknown>, seq: number): Promise<StoredProjection | undefined> {
    for (const mark of this.#marksOf(name).toReversed()) {
      if (mark.seq > seq) continue
      const stored = await this.#store.loadSnapshot(name, mark.seq).catch(() => undefined)
      if (stored !== undefined) return stored
    }
    return undefined
  }

  #marksOf(name: string): SnapshotMark[] {
    return this.#marks.get(name) ?? []
  }

  /** True if no snapshot stands in the same interval. */
  #isDue(name: string, seq: number): boolean {
    if (this.#held.has(name)) return false
    const marks = this.#marksOf(name)
    const interval = snapshotInterval(Math.max(seq, marks.at(-1)?.seq ?? 0), this.#options)
    const place = Math.floor(seq / interval)
    return place > 0 && !marks.some((mark) => Math.floor(mark.seq / interval) === place)
  }

  async #add(name: string, mark: SnapshotMark, write: () => Promise<void>): Promise<void> {
    // Counted at once, so that the next commit does not begin another copy.
    const marks = [...this.#marksOf(name), mark].sort((a, b) => a.seq - b.seq)
    this.#marks.set(name, marks)
    try {
      await write()
      const seqs = marks.map(({ seq }) => seq)
      const kept = new Set(keptSnapshots(seqs, seqs.at(-1) ?? 0, this.#options))
      this.#marks.set(
        name,
        this.#marksOf(name).filter(({ seq }) => kept.has(seq) || !seqs.includes(seq)),
      )
      for (const seq of seqs) if (!kept.has(seq)) await this.#store.dropSnapshot(name, seq)
    } catch {
      // A full disk, say: it is tried again in the next interval.
      this.#marks.set(
        name,
        this.#marksOf(name).filter(({ seq }) => seq !== mark.seq),
      )
    }
  }
}

import type { Envelope, EventLog, Timers } from '../events/index.ts'
import type { DiskProjection } from './disk-projection.ts'
import { DiskSlot } from './disk-slot.ts'
import { MemorySlot } from './memory-slot.ts'
import type { Projection } from './projection.ts'
import type { ProjectionStore } from './projection-store.ts'
import { replay } from './replay.ts'
import type { RunnerNotice } from './runner-notice.ts'
import type { NewSha256 } from './sha256.ts'
import type { RebuildOptions, RebuildProgress, Rebuilt, Slot, SlotParts } from './slot.ts'
import { Snapshots } from './snapshots.ts'
import type { Turns } from './turns.ts'

/** Projections by their names; `T` maps each name to its state. */
export type ProjectionsOf<T> = { readonly [K in keyof T]: Projection<T[K]> | DiskProjection<T[K]> }

export type RunnerOptions<T> = {
  /** A log that nobody appends to need not call back: then the states are those of its end. */
  readonly log: Pick<EventLog, 'head' | 'readBatches' | 'onAppended' | 'snapshot'>
  readonly store: ProjectionStore
  readonly projections: ProjectionsOf<T>
  readonly timers: Timers
  readonly newSha256: NewSha256
  /** Rows are stored after so many events, default 5,000: what a restart after kill -9 has to fold again. */
  readonly checkpointEvents?: number
  /** And after this time, in ms, default 1,000; a failed commit is tried again after it as well. */
  readonly checkpointAfterMs?: number
  /** A copy of each projection is kept after so many events, default 250,000: what a look at the past has to fold at most. */
  readonly snapshotEvents?: number
  /** Copies kept of each projection, default 16: above it they stand farther apart. */
  readonly snapshotsMax?: number
  /** Turns of a long replay, so that everything else has its own; left out where nothing else waits. */
  readonly newTurns?: () => Turns
  readonly onNotice?: (notice: RunnerNotice) => void
}

/** Called after a batch was folded in, with those of its events that the projection handles. */
export type ChangeListener<S> = (state: S, envelopes: readonly Envelope[]) => void

/** Keeps projections in step with the log: `state` is never behind an acknowledged append. */
export interface ProjectionRunner<T> extends AsyncDisposable {
  /** Loads what is stored, folds in what came after it, and follows the log from then on. Append nothing before it. */
  open(options?: { onProgress?: (progress: RebuildProgress) => void }): Promise<void>
  /** Last event that is in every state. */
  readonly applied: number
  /** The live state; belongs to the projection: read it, do not change it. */
  state<K extends keyof T & string>(name: K): T[K]
  /** sha-256 over the rows, hex: equal digests are equal states. */
  digest(name: keyof T & string): string
  /** The same by a fresh replay of the log up to and with event `seq` (default: all that is applied). */
  digestAt(name: keyof T & string, seq?: number): Promise<string>
  /**
   * A state as it stood after event `seq`, from the last snapshot before it.
   * @throws RangeError for a projection on disk, whose past is there as a digest alone
   */
  stateAt<K extends keyof T & string>(name: K, seq: number): Promise<T[K]>
  /** Makes a state again from the whole log while the old one keeps answering, then puts it in its place. */
  rebuild(name: keyof T & string, options?: RebuildOptions): Promise<Rebuilt>
  /**
   * Takes out of a state what these authors said, or was said of these torrents, of whom the log has let go of everything that the projection handles; it
   * goes on answering and following meanwhile. Copies of the past go too. A state of which nothing can be taken out is rebuilt.
   */
  forget(name: keyof T & string, names: ReadonlySet<string>, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** @returns a function that stops it */
  onChange<K extends keyof T & string>(name: K, listener: ChangeListener<T[K]>): () => void
  /** Stores rows and checkpoints now. @returns false if a commit failed (it is tried again later) */
  checkpoint(): Promise<boolean>
  /** What is stored: the checkpoint of each projection. */
  checkpoints(): readonly { name: keyof T & string; version: number; checkpoint: number }[]
  /** Follows the log no more, and stores what there is. The log and the store stay open. */
  close(): Promise<void>
}

type Followed = { readonly slot: Slot; readonly kinds: ReadonlySet<string>; readonly listeners: Set<ChangeListener<unknown>> }

const CHECKPOINT_EVENTS = 5_000
const CHECKPOINT_AFTER_MS = 1_000
const SNAPSHOT_EVENTS = 250_000
const SNAPSHOTS_MAX = 16

export function createProjectionRunner<T>(options: RunnerOptions<T>): ProjectionRunner<T> {
  type Name = keyof T & string
  const { log, store, timers } = options
  const checkpointEvents = options.checkpointEvents ?? CHECKPOINT_EVENTS
  const checkpointAfterMs = options.checkpointAfterMs ?? CHECKPOINT_AFTER_MS
  const notice = (what: RunnerNotice): void => options.onNotice?.(what)

  const snapshots = new Snapshots(store, {
    everyEvents: options.snapshotEvents ?? SNAPSHOT_EVENTS,
    countMax: options.snapshotsMax ?? SNAPSHOTS_MAX,
  })
  const followed = new Map<string, Followed>()
  const parts: SlotParts = {
    ...{ log, checkpointEvents, notice, newSha256: options.newSha256, newTurns: options.newTurns },
    stateOf: (name) => followed.get(name)?.slot.state,
  }
  for (const projection of Object.values(options.projections) as (Projection<unknown> | DiskProjection<unknown>)[]) {
    const slot =
      'onDisk' in projection ? new DiskSlot(projection, store, parts) : new MemorySlot(projection, store, snapshots, parts)
    followed.set(projection.name, { slot, kinds: new Set<string>(projection.handles), listeners: new Set() })
  }
  const slots = [...followed.values()].map(({ slot }) => slot)
  const followedOf = (name: string): Followed => {
    const found = followed.get(name)
    if (found === undefined) throw new RangeError(`there is no projection ${name}`)
    return found
  }
  const slotOf = (name: string): Slot => followedOf(name).slot

  let stopFollowing: (() => void) | undefined
  let live = false
  let sinceCheckpoint = 0
  let cancelTimer: (() => void) | undefined
  let closing: Promise<void> | undefined

  const follow = (envelopes: readonly Envelope[]): void => {
    if (!live) return
    for (const one of followed.values()) {
      const { slot, kinds } = one
      const folded: Envelope[] = []
      for (const envelope of envelopes) {
        if (envelope.seq <= slot.applied) continue
        slot.applied = envelope.seq
        if (!kinds.has(envelope.event.kind)) continue
        slot.apply(envelope)
        folded.push(envelope)
      }
      if (folded.length > 0) tell(one, folded)
    }
    sinceCheckpoint += envelopes.length
    if (sinceCheckpoint >= checkpointEvents) void checkpoint()
    else cancelTimer ??= timers.after(checkpointAfterMs, () => void checkpoint())
  }

  const tell = ({ slot, listeners }: Followed, envelopes: readonly Envelope[]): void => {
    for (const listener of listeners) {
      try {
        listener(slot.state, envelopes)
      } catch (error) {
        notice({ what: 'listener-failed', projection: slot.name, error })
      }
    }
  }

  const checkpoint = async (): Promise<boolean> => {
    sinceCheckpoint = 0
    cancelTimer?.()
    cancelTimer = undefined
    const written = await Promise.all(slots.map((slot) => slot.write()))
    const good = written.every((ok) => ok)
    if (!good && live) cancelTimer ??= timers.after(checkpointAfterMs, () => void checkpoint())
    return good
  }

  /** Folds the log into the slots until they are level with it, and goes live in the same turn: no event comes between. */
  const catchUp = async (onProgress?: (progress: RebuildProgress) => void): Promise<void> => {
    const lowest = (): number => Math.min(...slots.map((slot) => slot.applied))
    while (slots.length > 0 && lowest() < log.head) {
      const to = log.head
      await replay({
        log,
        from: lowest() + 1,
        to,
        kinds: [...new Set(slots.flatMap((slot) => slot.handles))],
        turns: options.newTurns?.(),
        onProgress: (seq) => onProgress?.({ done: seq, total: to }),
        async passing(seq) {
          for (const slot of slots) await slot.passing(seq)
        },
        apply: (envelope) => {
          for (const { slot, kinds } of followed.values()) {
            if (envelope.seq <= slot.applied || !kinds.has(envelope.event.kind)) continue
            slot.apply(envelope)
            slot.applied = envelope.seq
          }
        },
      })
      for (const slot of slots) slot.applied = Math.max(slot.applied, to)
    }
    live = true
  }

  const runner: ProjectionRunner<T> = {
    async open({ onProgress } = {}) {
      stopFollowing = log.onAppended(follow)
      for (const slot of slots) await slot.load()
      await catchUp(onProgress)
      await checkpoint()
    },

    get applied() {
      return Math.min(...slots.map((slot) => slot.applied))
    },

    state<K extends Name>(name: K) {
      return slotOf(name).state as T[K]
    },

    digest: (name) => slotOf(name).digest(),

    async digestAt(name, seq) {
      const slot = slotOf(name)
      const past = await slot.at(seq ?? slot.applied, true)
      try {
        return past.digest()
      } finally {
        await past.drop()
      }
    },

    async stateAt<K extends Name>(name: K, seq: number) {
      const slot = slotOf(name)
      if (slot instanceof DiskSlot) throw new RangeError(`${name} is on disk`)
      return (await slot.at(seq, false)).state as T[K]
    },

    rebuild: (name, options = {}) => slotOf(name).rebuild(options),

    forget: (name, names, { signal } = {}) => slotOf(name).forget(names, signal),

    onChange<K extends Name>(name: K, listener: ChangeListener<T[K]>) {
      const { listeners } = followedOf(name)
      const own = listener as ChangeListener<unknown>
      listeners.add(own)
      return () => listeners.delete(own)
    },

    checkpoint,

    checkpoints: () => slots.map(({ name, version, checkpoint }) => ({ name: name as Name, version, checkpoint })),

    close() {
      closing ??= (async () => {
        const wasLive = live
        live = false
        stopFollowing?.()
        cancelTimer?.()
        cancelTimer = undefined
        for (const slot of slots) await slot.close()
        if (wasLive) await checkpoint()
      })()
      return closing
    },

    [Symbol.asyncDispose]() {
      return runner.close()
    },
  }
  return runner
}

import type { Envelope, EventKind, EventLog, NodeId, Timers } from '../events/index.ts'
import { CheckpointWriter } from './checkpoint-writer.ts'
import { initialStateOf } from './initial-state.ts'
import type { Projection } from './projection.ts'
import type { ProjectionStore } from './projection-store.ts'
import { replay } from './replay.ts'
import type { RunnerNotice } from './runner-notice.ts'
import { digestRows, type NewSha256 } from './sha256.ts'
import { Snapshots } from './snapshots.ts'
import type { Turns } from './turns.ts'

/** Projections by their names; `T` maps each name to its state. */
export type ProjectionsOf<T> = { readonly [K in keyof T]: Projection<T[K]> }

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

export type RebuildProgress = { readonly done: number; readonly total: number }
export type RebuildOptions = {
  onProgress?: (progress: RebuildProgress) => void
  /** Ends the rebuild with its reason; the state stays the one that it was. */
  signal?: AbortSignal | undefined
}
export type Rebuilt = { readonly events: number; readonly digestBefore: string; readonly digestAfter: string }

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
  /** A state as it stood after event `seq`, from the last snapshot before it. */
  stateAt<K extends keyof T & string>(name: K, seq: number): Promise<T[K]>
  /** Makes a state again from the whole log while the old one keeps answering, then puts it in its place. */
  rebuild(name: keyof T & string, options?: RebuildOptions): Promise<Rebuilt>
  /**
   * Takes out of a state what these authors said, of whom the log has let go of everything that the projection handles; it
   * goes on answering and following meanwhile. Copies of the past go too. A state of which nothing can be taken out is rebuilt.
   */
  forget(name: keyof T & string, authors: ReadonlySet<NodeId>, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** @returns a function that stops it */
  onChange<K extends keyof T & string>(name: K, listener: ChangeListener<T[K]>): () => void
  /** Stores rows and checkpoints now. @returns false if a commit failed (it is tried again later) */
  checkpoint(): Promise<boolean>
  /** What is stored: the checkpoint of each projection. */
  checkpoints(): readonly { name: keyof T & string; version: number; checkpoint: number }[]
  /** Follows the log no more, and stores what there is. The log and the store stay open. */
  close(): Promise<void>
}

type Slot = {
  readonly projection: Projection<unknown>
  readonly kinds: ReadonlySet<string>
  readonly writer: CheckpointWriter
  readonly listeners: Set<ChangeListener<unknown>>
  /** False if its fold began with rows that stand for pruned events: then it never was as those rows are. */
  isWhole: boolean
  state: unknown
  applied: number
}

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
  const slots = new Map<string, Slot>()
  for (const projection of Object.values(options.projections) as Projection<unknown>[]) {
    slots.set(projection.name, {
      projection,
      kinds: new Set<string>(projection.handles),
      writer: new CheckpointWriter(store, projection, snapshots, notice),
      listeners: new Set(),
      isWhole: true,
      state: projection.initial(),
      applied: 0,
    })
  }
  const slotOf = (name: string): Slot => {
    const slot = slots.get(name)
    if (slot === undefined) throw new RangeError(`there is no projection ${name}`)
    return slot
  }

  let stopFollowing: (() => void) | undefined
  let live = false
  let sinceCheckpoint = 0
  let cancelTimer: (() => void) | undefined
  let closing: Promise<void> | undefined

  // A fold that throws is a bug, and must not take the log down with it. The event is passed over, as it would be
  // in every replay, so live and replayed state stay the same.
  const fold = (projection: Projection<unknown>, state: unknown, envelope: Envelope): unknown => {
    try {
      return projection.apply(state, envelope)
    } catch (error) {
      notice({ what: 'fold-failed', projection: projection.name, seq: envelope.seq, error })
      return state
    }
  }

  const follow = (envelopes: readonly Envelope[]): void => {
    if (!live) return
    for (const slot of slots.values()) {
      const folded: Envelope[] = []
      for (const envelope of envelopes) {
        if (envelope.seq <= slot.applied) continue
        slot.applied = envelope.seq
        if (!slot.kinds.has(envelope.event.kind)) continue
        slot.state = fold(slot.projection, slot.state, envelope)
        folded.push(envelope)
      }
      if (folded.length > 0) tell(slot, folded)
    }
    sinceCheckpoint += envelopes.length
    if (sinceCheckpoint >= checkpointEvents) void checkpoint()
    else cancelTimer ??= timers.after(checkpointAfterMs, () => void checkpoint())
  }

  const tell = (slot: Slot, envelopes: readonly Envelope[]): void => {
    for (const listener of slot.listeners) {
      try {
        listener(slot.state, envelopes)
      } catch (error) {
        notice({ what: 'listener-failed', projection: slot.projection.name, error })
      }
    }
  }

  const checkpoint = async (): Promise<boolean> => {
    sinceCheckpoint = 0
    cancelTimer?.()
    cancelTimer = undefined
    const written = await Promise.all([...slots.values()].map((slot) => slot.writer.write(slot.state, slot.applied)))
    const good = written.every((ok) => ok)
    if (!good && live) cancelTimer ??= timers.after(checkpointAfterMs, () => void checkpoint())
    return good
  }

  /** Loads a slot's rows, or says why its state has to be made again. */
  const load = async (slot: Slot): Promise<void> => {
    const { name, version } = slot.projection
    const again = async (reason: Extract<RunnerNotice, { what: 'rebuilding' }>['reason'], error?: unknown): Promise<void> => {
      const { state, rows } = await initialStateOf(log, slot.projection)
      slot.state = state
      slot.applied = 0
      slot.isWhole = rows.length === 0
      slot.writer.restart(rows)
      if (log.head > 0) notice({ what: 'rebuilding', projection: name, reason, ...(error === undefined ? {} : { error }) })
    }
    try {
      const stored = await store.load(name)
      if (stored === undefined) return await again('missing')
      if (stored.version !== version) return await again('version')
      if (stored.checkpoint > log.head) return await again('beyond-log')
      slot.state = slot.projection.load(stored.rows)
      slot.applied = stored.checkpoint
      slot.writer.loaded(stored.checkpoint)
    } catch (error) {
      await again('damaged', error)
    }
  }

  /** Folds the log into the slots until they are level with it, and goes live in the same turn: no event comes between. */
  const catchUp = async (behind: readonly Slot[], onProgress?: (progress: RebuildProgress) => void): Promise<void> => {
    const lowest = (): number => Math.min(...behind.map((slot) => slot.applied))
    while (behind.length > 0 && lowest() < log.head) {
      const to = log.head
      const kinds = [...new Set(behind.flatMap((slot) => slot.projection.handles))]
      await replay({
        log,
        from: lowest() + 1,
        to,
        kinds,
        turns: options.newTurns?.(),
        onProgress: (seq) => onProgress?.({ done: seq, total: to }),
        async passing(seq) {
          // Not of one that was ahead from the start: its state is a later one.
          for (const slot of behind)
            if (slot.applied <= seq && slot.isWhole) await snapshots.passing(slot.projection, slot.state, seq)
        },
        apply: (envelope) => {
          for (const slot of behind) {
            if (envelope.seq <= slot.applied || !slot.kinds.has(envelope.event.kind)) continue
            slot.state = fold(slot.projection, slot.state, envelope)
            slot.applied = envelope.seq
          }
        },
      })
      for (const slot of behind) slot.applied = Math.max(slot.applied, to)
    }
    live = true
  }

  const stateAt = async (name: string, seq: number, fresh: boolean): Promise<unknown> => {
    const { projection } = slotOf(name)
    const before = fresh ? undefined : await snapshots.before(projection, seq)
    const initialState = await initialStateOf(log, projection)
    let state = before === undefined ? initialState.state : projection.load(before.rows)
    await replay({
      log,
      from: (before?.checkpoint ?? 0) + 1,
      to: seq,
      kinds: projection.handles as readonly EventKind[],
      turns: options.newTurns?.(),
      // What this look at the past had to fold, the next one finds; not over events that the log has let go.
      passing: async (reached) => {
        if (initialState.rows.length === 0) await snapshots.passing(projection, state, reached)
      },
      apply: (envelope) => {
        state = fold(projection, state, envelope)
      },
    })
    return state
  }

  const digestOf = (slot: Slot, state: unknown): string => digestRows(slot.projection.rows(state), options.newSha256)

  /** Makes a state again; `replacing` sees the new one before it takes the place of the other. @returns its last event */
  const remake = async (
    slot: Slot,
    { onProgress, signal }: RebuildOptions = {},
    replacing: (fresh: unknown) => void = () => {},
  ): Promise<number> => {
    // A slot of its own that nobody else sees, level with the log at the end of catchUp.
    const initialState = await initialStateOf(log, slot.projection)
    const fresh: Slot = { ...slot, listeners: new Set(), state: initialState.state, applied: 0 }
    // Where events were pruned, snapshots know of the past what no replay can tell any more.
    const isWhole = initialState.rows.length === 0
    if (isWhole) await snapshots.forget(slot.projection)
    let to = 0
    while (fresh.applied < slot.applied) {
      to = slot.applied
      const from = fresh.applied + 1
      await replay({
        log,
        from,
        to,
        kinds: slot.projection.handles,
        turns: options.newTurns?.(),
        passing: async (reached) => {
          if (isWhole) await snapshots.passing(slot.projection, fresh.state, reached)
        },
        apply: (envelope) => {
          fresh.state = fold(slot.projection, fresh.state, envelope)
        },
        onProgress: (seq) => onProgress?.({ done: seq, total: to }),
        signal,
      })
      fresh.applied = to
    }
    // From the loop's last test to here nothing was awaited, so no event came between.
    replacing(fresh.state)
    slot.state = fresh.state
    slot.writer.restart(initialState.rows)
    await checkpoint()
    return to
  }

  const runner: ProjectionRunner<T> = {
    async open({ onProgress } = {}) {
      stopFollowing = log.onAppended(follow)
      for (const slot of slots.values()) {
        await snapshots.open(slot.projection, log.head)
        await load(slot)
      }
      await catchUp([...slots.values()], onProgress)
      await checkpoint()
    },

    get applied() {
      return Math.min(...[...slots.values()].map((slot) => slot.applied))
    },

    state<K extends Name>(name: K) {
      return slotOf(name).state as T[K]
    },

    digest(name) {
      const slot = slotOf(name)
      return digestOf(slot, slot.state)
    },

    async digestAt(name, seq) {
      return digestOf(slotOf(name), await stateAt(name, seq ?? slotOf(name).applied, true))
    },

    async stateAt<K extends Name>(name: K, seq: number) {
      return (await stateAt(name, seq, false)) as T[K]
    },

    async rebuild(name, options) {
      const slot = slotOf(name)
      let [digestBefore, digestAfter] = ['', '']
      const events = await remake(slot, options, (fresh) => {
        // Both digests are of the same event, so they differ only if the state was wrong.
        digestBefore = digestOf(slot, slot.state)
        digestAfter = digestOf(slot, fresh)
      })
      return { events, digestBefore, digestAfter }
    },

    async forget(name, authors, { signal } = {}) {
      const slot = slotOf(name)
      const { projection } = slot
      if (projection.forget === undefined) {
        await remake(slot, { signal })
        return
      }
      const release = snapshots.hold(projection)
      try {
        // A copy that is being made goes with the others; a crash on the way then leaves rows that are looked at again, and no
        // copy of what was.
        await checkpoint()
        await snapshots.forget(projection)
        const turns = options.newTurns?.()
        let steps = 0
        for (const _ of projection.forget(slot.state, authors)) {
          if (turns?.isOver) await turns.next()
          signal?.throwIfAborted()
          steps += 1
          // Rows of a large state in several writes, since each is put together in one turn.
          if (steps % checkpointEvents === 0) await checkpoint()
        }
      } finally {
        release()
      }
      await checkpoint()
    },

    onChange<K extends Name>(name: K, listener: ChangeListener<T[K]>) {
      const { listeners } = slotOf(name)
      const own = listener as ChangeListener<unknown>
      listeners.add(own)
      return () => listeners.delete(own)
    },

    checkpoint,

    checkpoints() {
      return [...slots.values()].map(({ projection, writer }) => ({
        name: projection.name as Name,
        version: projection.version,
        checkpoint: writer.checkpoint,
      }))
    },

    close() {
      closing ??= (async () => {
        const wasLive = live
        live = false
        stopFollowing?.()
        cancelTimer?.()
        cancelTimer = undefined
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

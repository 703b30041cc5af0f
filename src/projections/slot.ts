import type { Envelope, EventKind, EventLog } from '../events/index.ts'
import type { RunnerNotice } from './runner-notice.ts'
import type { NewSha256 } from './sha256.ts'
import type { Turns } from './turns.ts'

export type RebuildProgress = { readonly done: number; readonly total: number }
export type RebuildOptions = {
  onProgress?: (progress: RebuildProgress) => void
  /** Ends the rebuild with its reason; the state stays the one that it was. */
  signal?: AbortSignal | undefined
}
export type Rebuilt = { readonly events: number; readonly digestBefore: string; readonly digestAfter: string }

/** What slots share with their runner. */
export type SlotParts = {
  readonly log: Pick<EventLog, 'head' | 'readBatches' | 'snapshot'>
  readonly checkpointEvents: number
  readonly newSha256: NewSha256
  readonly newTurns: (() => Turns) | undefined
  readonly notice: (what: RunnerNotice) => void
  /** The present state of a projection of the same runner. */
  readonly stateOf: (name: string) => unknown
}

/**
 * One projection in a runner: its state, how far it reaches, and how it is stored. Implementations: memory-slot.ts for
 * folds in memory with stored rows, disk-slot.ts for those whose state is on disk.
 */
export interface Slot {
  readonly name: string
  readonly version: number
  readonly handles: readonly EventKind[]
  /** The live state. */
  readonly state: unknown
  /** Last event that is in the state. */
  applied: number
  /** Last event that is in what is stored. */
  readonly checkpoint: number
  /** Loads what is stored, or begins with nothing and says why. */
  load(): Promise<void>
  /** Folds in an event of a kind that it handles. Never throws. */
  apply(envelope: Envelope): void
  /** A replay, which waits for it, has come to `seq`. */
  passing(seq: number): Promise<void>
  /** Stores what there is, and tidies up behind. @returns false if that failed; never rejects */
  write(): Promise<boolean>
  digest(): string
  /** A state as it stood after event `seq`; `fresh`: by a replay of all before it. `drop` ends it. */
  at(seq: number, fresh: boolean): Promise<PastState>
  /** Makes the state again from the whole log while the old one keeps answering, then puts it in its place. */
  rebuild(options: RebuildOptions): Promise<Rebuilt>
  /** Takes out what these authors said, see `ProjectionRunner.forget`. */
  forget(names: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<void>
  /** Ends what goes on in the background. */
  close(): Promise<void>
}

export type PastState = { readonly state: unknown; readonly digest: () => string; drop(): Promise<void> }

// projections: what follows from the log. Liveness, reputation (and its policy), the keyword index (and its sharding),
// downloads; the runner that checkpoints and rebuilds them. Imports events only. Everything but the store's LevelDB
// adapter (and sha256.system.ts, turns.system.ts) is pure.

export * from './admissions/index.ts'
export * from './all.ts'
export * from './canonical-json.ts'
export type * from './disk-projection.ts'
export * from './downloads/index.ts'
export * from './frozen-store.ts'
export * from './kept/index.ts'
export * from './keyword-index/index.ts'
export * from './liveness/index.ts'
export * from './projection.ts'
export * from './projection-store.ts'
export * from './replay.ts'
export * from './reputation/index.ts'
export * from './runner.ts'
export * from './runner-notice.ts'
export * from './sha256.ts'
export type { RebuildOptions, RebuildProgress, Rebuilt } from './slot.ts'
export * from './snapshots.ts'
export * from './turns.ts'

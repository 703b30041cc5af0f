// projections: what follows from the log. Liveness, reputation (and its policy), the keyword index (and its sharding),
// downloads; the runner that checkpoints and rebuilds them. Imports events only. Everything but the store's LevelDB
// adapter is pure.
export * from './projection.ts'
export * from './projection-store.ts'

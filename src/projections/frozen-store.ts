import type { ProjectionStore } from './projection-store.ts'

/** A store whose rows and snapshots can be read; what is written goes nowhere. For a look at a node that does not run. */
export function frozenStore(store: ProjectionStore): ProjectionStore {
  const nothing = async (): Promise<void> => {}
  return {
    load: (name) => store.load(name),
    snapshots: (name) => store.snapshots(name),
    loadSnapshot: (name, seq) => store.loadSnapshot(name, seq),
    commit: nothing,
    replace: nothing,
    clear: nothing,
    keepSnapshot: nothing,
    saveSnapshot: nothing,
    dropSnapshot: nothing,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

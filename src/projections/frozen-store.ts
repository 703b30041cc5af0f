import type { ProjectionStore } from './projection-store.ts'
import { MemoryTable } from './row-table.memory.ts'
import type { StoredTable } from './row-table.ts'

/** A store whose rows and snapshots can be read; what is written goes nowhere. For a look at a node that does not run. */
export function frozenStore(store: ProjectionStore): ProjectionStore {
  const nothing = async (): Promise<void> => {}
  return {
    load: (name) => store.load(name),
    snapshots: (name) => store.snapshots(name),
    loadSnapshot: (name, seq) => store.loadSnapshot(name, seq),
    async openTable(name) {
      const table = await store.openTable(name)
      return table && frozenTable(table)
    },
    beginTable: async (_name, version) => new MemoryTable(version),
    scratchTable: async (_name, version) => ({ table: new MemoryTable(version), drop: nothing }),
    adoptTable: nothing,
    dropBegun: nothing,
    commit: nothing,
    replace: nothing,
    clear: nothing,
    keepSnapshot: nothing,
    saveSnapshot: nothing,
    dropSnapshot: nothing,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** What is put waits in memory, where it can be read, and is never stored. */
function frozenTable(table: StoredTable): StoredTable {
  let { checkpoint } = table
  return {
    version: table.version,
    get checkpoint() {
      return checkpoint
    },
    get: (key) => table.get(key),
    need: (key) => table.need(key),
    put: (key, value) => table.put(key, value),
    delete: (key) => table.delete(key),
    async putApart(rows) {
      for (const [key, value] of rows) table.put(key, value)
    },
    async clear() {},
    async commit(to) {
      checkpoint = to
    },
  }
}

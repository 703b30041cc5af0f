import type { Row } from './projection.ts'
import type { ProjectionStore, SnapshotMark, StoredProjection } from './projection-store.ts'
import { compareKeys, ProjectionStoreError } from './projection-store.ts'
import { MemoryTable } from './row-table.memory.ts'

type Kept = { version: number; checkpoint: number; rows: Map<string, string> }

/** A store that lives as long as the process: for tests, simulations and nodes without a disk. */
export function openMemoryProjectionStore(): ProjectionStore {
  const kept = new Map<string, Kept>()
  const snapshots = new Map<string, Map<number, Kept>>()
  const tables = new Map<string, MemoryTable>()
  const begun = new Map<string, MemoryTable>()
  let closed = false
  const check = (): void => {
    if (closed) throw new ProjectionStoreError({ code: 'STORE_CLOSED' })
  }
  const snapshotsOf = (name: string): Map<number, Kept> => {
    const known = snapshots.get(name) ?? new Map<number, Kept>()
    snapshots.set(name, known)
    return known
  }
  return {
    async load(name) {
      check()
      const found = kept.get(name)
      return found && stored(found)
    },
    async commit(name, version, checkpoint, changes) {
      check()
      const rows = kept.get(name)?.rows ?? new Map<string, string>()
      for (const [key, value] of changes) {
        if (value === null) rows.delete(key)
        else rows.set(key, value)
      }
      kept.set(name, { version, checkpoint, rows })
    },
    async replace(name, version, checkpoint, rows) {
      check()
      kept.set(name, { version, checkpoint, rows: new Map(rows) })
    },
    async clear(name) {
      check()
      kept.delete(name)
    },
    async snapshots(name) {
      check()
      const marks = [...snapshotsOf(name)].map(([seq, { version }]): SnapshotMark => ({ version, seq }))
      return marks.sort((a, b) => a.seq - b.seq)
    },
    async keepSnapshot(name) {
      check()
      const found = kept.get(name)
      if (found !== undefined) snapshotsOf(name).set(found.checkpoint, { ...found, rows: new Map(found.rows) })
    },
    async saveSnapshot(name, { version, seq }, rows) {
      check()
      snapshotsOf(name).set(seq, { version, checkpoint: seq, rows: new Map(rows) })
    },
    async loadSnapshot(name, seq) {
      check()
      const found = snapshotsOf(name).get(seq)
      return found && stored(found)
    },
    async dropSnapshot(name, seq) {
      check()
      snapshotsOf(name).delete(seq)
    },
    async openTable(name) {
      check()
      const table = tables.get(name)?.reopened()
      if (table !== undefined) tables.set(name, table)
      return table
    },
    async beginTable(name, version) {
      check()
      const left = begun.get(name)
      const table = left?.version === version ? left.reopened() : new MemoryTable(version, check)
      begun.set(name, table)
      return table
    },
    async dropBegun(name) {
      check()
      begun.delete(name)
    },
    async adoptTable(name, table) {
      check()
      if (begun.get(name) !== table || !(table instanceof MemoryTable)) return
      begun.delete(name)
      tables.set(name, table)
    },
    async scratchTable(_name, version) {
      check()
      return { table: new MemoryTable(version, check), async drop() {} }
    },
    async [Symbol.asyncDispose]() {
      closed = true
    },
  }
}

function stored({ version, checkpoint, rows }: Kept): StoredProjection {
  return { version, checkpoint, rows: [...rows].sort(([a], [b]) => compareKeys(a, b)) as readonly Row[] }
}

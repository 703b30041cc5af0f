import type { ProjectionStore } from './projection-store.ts'
import { compareKeys, ProjectionStoreError } from './projection-store.ts'

/** A store that lives as long as the process: for tests, simulations and nodes without a disk. */
export function openMemoryProjectionStore(): ProjectionStore {
  const kept = new Map<string, { version: number; checkpoint: number; rows: Map<string, string> }>()
  let closed = false
  const check = (): void => {
    if (closed) throw new ProjectionStoreError({ code: 'STORE_CLOSED' })
  }
  return {
    async load(name) {
      check()
      const found = kept.get(name)
      if (found === undefined) return undefined
      const rows = [...found.rows].sort(([a], [b]) => compareKeys(a, b))
      return { version: found.version, checkpoint: found.checkpoint, rows }
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
    async clear(name) {
      check()
      kept.delete(name)
    },
    async [Symbol.asyncDispose]() {
      closed = true
    },
  }
}

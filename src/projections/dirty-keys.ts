import type { RowChange } from './projection.ts'

/** Keys of rows that changed since the last checkpoint. */
export class DirtyKeys {
  readonly #keys = new Set<string>()

  add(key: string): void {
    this.#keys.add(key)
  }

  /** Their rows as they are now (null: gone), in key order; forgets them. */
  drain(rowOf: (key: string) => string | null): RowChange[] {
    const changes = [...this.#keys].sort().map((key): RowChange => [key, rowOf(key)])
    this.#keys.clear()
    return changes
  }
}

import type { NodeId } from '../../events/index.ts'
import { RequestError } from '../../network/index.ts'
import type { AskedOwner, SearchPart } from '../services.ts'

/** Who was asked for one part of a query, and what came of it; an owner that was asked for several pages is one row. */
export class AskedOwners {
  readonly #rows = new Map<NodeId, AskedOwner & { since: number }>()
  readonly #now: () => number
  /** The greatest number that any of them knows of. */
  cut: SearchPart['cut'] = null

  /** @param now ms, of a clock that only rises */
  constructor(now: () => number) {
    this.#now = now
  }

  begin(node: NodeId): void {
    const before = this.#rows.get(node)
    if (before !== undefined) return
    this.#rows.set(node, { ...{ node, outcome: 'silent', reason: null, hits: 0, lacks: 0, elapsedMs: 0 }, since: this.#now() })
  }

  answered(node: NodeId, hits: number, outcome: 'answered' | 'not-level'): void {
    this.#change(node, (row) => ({ outcome, reason: null, hits: row.hits + hits }))
  }

  failed(node: NodeId, error: unknown): void {
    // Called off, since others were sooner: it is silent still.
    if (error instanceof RequestError && error.code === 'aborted') return
    const reason = error instanceof Error ? error.message : String(error)
    this.#change(node, () => ({ outcome: 'failed', reason }))
  }

  outcomeOf(node: NodeId): AskedOwner['outcome'] | undefined {
    return this.#rows.get(node)?.outcome
  }

  lacks(node: NodeId, lacks: number): void {
    const row = this.#rows.get(node)
    if (row !== undefined) this.#rows.set(node, { ...row, lacks })
  }

  /** What came of it when an owner that lacks something was handed it. */
  explain(node: NodeId, reason: string): void {
    const row = this.#rows.get(node)
    if (row !== undefined) this.#rows.set(node, { ...row, reason })
  }

  /** One of them keeps the best of the word alone. */
  cutTo(cut: NonNullable<SearchPart['cut']>): void {
    if (cut.known > (this.cut?.known ?? 0)) this.cut = cut
  }

  /** As it stands when the search ends. */
  rows(): AskedOwner[] {
    return [...this.#rows.values()].map(({ since, ...row }) => {
      if (row.outcome !== 'silent') return row
      const elapsedMs = Math.max(0, Math.round(this.#now() - since))
      return { ...row, elapsedMs, reason: row.reason ?? `no answer in ${elapsedMs} ms` }
    })
  }

  #change(node: NodeId, change: (row: AskedOwner) => Partial<AskedOwner>): void {
    const row = this.#rows.get(node)
    if (row !== undefined)
      this.#rows.set(node, { ...row, ...change(row), elapsedMs: Math.max(0, Math.round(this.#now() - row.since)) })
  }
}

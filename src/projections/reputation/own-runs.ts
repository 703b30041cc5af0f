import { Heap } from '../../events/model/heap.ts'
import type { Subject } from './ledger.ts'
import { newWindow, pushPieces } from './piece-window.ts'
import type { Policy } from './policy.ts'
import { TABLE_ROWS_MAX } from './verdict-table.ts'

type Run = { readonly row: number; readonly good: number; readonly bad: number; isGone: boolean }

/** Points that it cost, and of equals the newest: one number, as rows are fewer than `TABLE_ROWS_MAX`. */
const rankOf = ({ row, good, bad }: Run, policy: Policy): number =>
  -((bad * policy.bad - good * policy.good) * TABLE_ROWS_MAX + row)

/** A node's own verdicts about one peer, of which some are taken away after they were folded. */
export class OwnRuns {
  #runs: Run[] = []
  #gone = 0
  #policy: Policy | undefined
  #costly = new Heap<Run>(() => 0)

  get size(): number {
    return this.#runs.length
  }

  push(row: number, good: number, bad: number): void {
    const run = { row, good, bad, isGone: false }
    this.#runs.push(run)
    if (bad > 0 && this.#policy !== undefined) this.#costly.push(run)
  }

  /** The row of the verdict that cost most points. */
  costliest(policy: Policy): number | undefined {
    if (policy !== this.#policy) {
      this.#policy = policy
      this.#costly = new Heap((run) => rankOf(run, policy))
      for (const run of this.#runs) if (run.bad > 0) this.#costly.push(run)
    }
    while (this.#costly.first?.isGone === true) this.#costly.take()
    return this.#costly.first?.row
  }

  /** The row of the verdict with most bad pieces among those that reach into the window, the newest of equals. */
  worstInWindow(policy: Policy): number | undefined {
    let worst: Run | undefined
    for (const run of this.#newest(policy.windowPieces)) if (run.bad > (worst?.bad ?? 0)) worst = run
    return worst?.row
  }

  /** Takes a verdict away from the counters and the window of the subject. */
  remove(row: number, subject: Subject, { windowPieces }: Policy): void {
    const run = this.#runs[this.#indexOf(row)]
    if (run === undefined || run.row !== row || run.isGone) return
    run.isGone = true
    this.#gone += 1
    subject.own.good -= run.good
    subject.own.bad -= run.bad
    if (this.#gone > 64 && this.#gone * 2 > this.#runs.length) {
      this.#runs = this.#runs.filter(({ isGone }) => !isGone)
      this.#gone = 0
    }
    const window = newWindow(windowPieces)
    for (const { good, bad } of this.#newest(windowPieces).reverse()) {
      pushPieces(window, good, false)
      pushPieces(window, bad, true)
    }
    subject.window = window
  }

  /** Those that reach into the last so many pieces, the newest first. */
  #newest(windowPieces: number): Run[] {
    const newest: Run[] = []
    let pieces = 0
    for (let index = this.#runs.length - 1; index >= 0 && pieces < windowPieces; index--) {
      const run = this.#runs[index] as Run
      if (run.isGone) continue
      pieces += run.good + run.bad
      newest.push(run)
    }
    return newest
  }

  #indexOf(row: number): number {
    let [low, high] = [0, this.#runs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#runs[middle] as Run).row < row) low = middle + 1
      else high = middle
    }
    return low
  }
}

import type { NodeId, PeerId } from '../../events/index.ts'
import { type IsRevoked, type Judgement, judge, type Standing } from './judge.ts'
import { type Ledger, newLedger } from './ledger.ts'
import { type Policy, SEED_V1 } from './policy.ts'
import { foldInto } from './replay-reputation.ts'
import { ROWS_PER_STEP, type Steps } from './steps.ts'
import type { VerdictTable } from './verdict-table.ts'

// Two times. What this node knew when it banned is the fold in its order of arrival. What it would conclude now is the fold in
// the causal order, that of Lamport stamps, in which a report that came late stands before the verdicts that it was said before.
//
// It is shown and never acted upon: a stamp is its author's claim, and whoever says today what I found out yesterday can
// date it back, and would be weighed as one that had known it before me.

export type HindsightOptions = { readonly own: NodeId; readonly policy?: Policy; readonly isRevoked?: IsRevoked }

/** What a node would conclude of a peer now. */
export type Hindsight = {
  readonly peer: PeerId
  readonly known: Judgement
  readonly now: Judgement
  /**
   * Where the two standings differ: the place in the log of the report that makes the difference. With those that arrived before it
   * at their causal place, and all others where they arrived, the peer stands as then; with this one too, it does not.
   */
  readonly difference: { readonly seq: number; readonly before: Standing; readonly after: Standing } | undefined
}

/** Folds of so many rows are made to find the events that make differences, in all. */
const ROWS_FOLDED_MAX = 4_000_000

export class HindsightView {
  readonly #table: VerdictTable
  readonly #options: HindsightOptions
  /** Rows that came after one that they precede; the rest stands in causal order as it arrived. */
  readonly #late: number[] = []
  #rowsLeft = ROWS_FOLDED_MAX

  constructor(table: VerdictTable, options: HindsightOptions) {
    this.#table = table
    this.#options = options
    let last = 0
    for (let row = 1; row < table.size; row++) {
      if (table.compare(row, last) < 0) this.#late.push(row)
      else last = row
    }
  }

  /** Everything came in the order in which it was said: the two times are one. */
  get isOneTime(): boolean {
    return this.#late.length === 0
  }

  /** The fold in causal order. */
  *ledger(): Steps<Ledger> {
    return yield* this.#fold(this.#late.length)
  }

  /**
   * @param now `ledger()`
   * @param isLookedFor find the event that makes the difference too
   */
  *of(peer: PeerId, then: Ledger, now: Ledger, isLookedFor = true): Steps<Hindsight> {
    const [before, after] = [this.#judge(then, peer), this.#judge(now, peer)]
    const isWanted = isLookedFor && before.standing !== after.standing
    return {
      ...{ peer, known: before, now: after },
      difference: isWanted ? yield* this.#difference(peer, before.standing, after.standing) : undefined,
    }
  }

  /** The report that turns one standing into the other: a bisection over those that came late. */
  *#difference(peer: PeerId, then: Standing, now: Standing): Steps<Hindsight['difference']> {
    let [low, high] = [0, this.#late.length]
    // One more report is in its place at `high` than made no difference at `low`.
    let [before, after] = [then, now]
    while (high - low > 1) {
      this.#rowsLeft -= this.#table.size
      if (this.#rowsLeft < 0) return undefined
      const middle = (low + high) >> 1
      const found = this.#judge(yield* this.#fold(middle), peer).standing
      if (found === then) [low, before] = [middle, found]
      else [high, after] = [middle, found]
    }
    const row = this.#late[low]
    return row === undefined ? undefined : { seq: this.#table.seqAt(row), before, after }
  }

  *#fold(moved: number): Steps<Ledger> {
    const { own, policy } = this.#options
    const ledger = newLedger(own, policy ?? SEED_V1)
    let folded = 0
    for (const row of this.#order(moved)) {
      if (folded++ % ROWS_PER_STEP === 0) yield
      foldInto(ledger, this.#table.envelopeAt(row), policy)
    }
    return ledger
  }

  /** All rows: the first `moved` of the late ones before the first row that they precede, the others where they arrived. */
  *#order(moved: number): Generator<number, void, void> {
    const early = Uint32Array.from(this.#late.slice(0, moved)).sort((a, b) => this.#table.compare(a, b))
    const isEarly = new Uint8Array(this.#table.size)
    for (const row of early) isEarly[row] = 1
    let next = 0
    for (let row = 0; row < this.#table.size; row++) {
      if (isEarly[row] === 1) continue
      while (next < early.length && this.#table.compare(early[next] as number, row) < 0) yield early[next++] as number
      yield row
    }
    yield* early.subarray(next)
  }

  #judge(ledger: Ledger, peer: PeerId): Judgement {
    const { isRevoked } = this.#options
    return judge(ledger, peer, isRevoked === undefined ? {} : { isRevoked })
  }
}

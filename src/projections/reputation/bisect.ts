import type { NodeId, PeerId } from '../../events/index.ts'
import { brokenRule, type IsRevoked, judge, type Standing } from './judge.ts'
import { type BanRule, type Ledger, newLedger, type Subject } from './ledger.ts'
import { OwnRuns } from './own-runs.ts'
import { type Policy, SEED_V1 } from './policy.ts'
import { foldInto } from './replay-reputation.ts'
import { ROWS_PER_STEP, type Steps } from './steps.ts'
import type { VerdictTable } from './verdict-table.ts'

export type BisectOptions = { readonly own: NodeId; readonly policy?: Policy; readonly isRevoked?: IsRevoked }

/**
 * What is known of a lifting set. `smallest`: no set of fewer verdicts and operator's words lifts the ban. `irreducible`: none of it
 * can be left out, though a set of other events may be smaller. `lifting`: it lifts the ban, and there was too much to try for more.
 */
export type LiftingClaim = 'smallest' | 'irreducible' | 'lifting'

export type Bisection = {
  readonly peer: PeerId
  readonly standing: Standing
  /** The event that tipped it, and how it stood before and after; undefined where it is not banned. */
  readonly tipping:
    | {
        readonly seq: number
        readonly rule: BanRule | 'operator'
        readonly before: { readonly score: number; readonly standing: Standing }
        readonly after: { readonly score: number; readonly standing: Standing }
      }
    | undefined
  /** Without these events (ascending sequences) it would stand; empty where it is not banned. */
  readonly lifting: readonly number[]
  readonly claim: LiftingClaim
}

/** Rows that are folded in search of events that can stay, in all: about a second. */
const REDUCING_ROWS_MAX = 2_000_000
/** Rounds in which bans come up elsewhere, since reporters weigh otherwise without what was taken away; fewer of a long history. */
const ROUNDS_MAX = 32
const ROUNDS_ROWS_MAX = 2_000_000

/**
 * Why a peer is banned, by event: the one that tipped it, and those without which it would stand.
 *
 * One pass over the verdicts, in the order in which they came, keeps the state of every moment as it would be without what was
 * taken away so far, and takes away one more event whenever a rule bans: of the sum the verdict that cost most points until then,
 * of the rate the one with most bad pieces in the window, else the event at hand. Policies stay as they were adopted. For
 * the sum that is exact: dropping the costliest whenever the prefix falls below 0 keeps most of a sequence whose prefixes must
 * not (an exchange argument, as of Moore 1968 for late jobs), and whatever else bans can only make a lifting set larger.
 */
export class Bisector {
  readonly #table: VerdictTable
  readonly #peer: PeerId
  readonly #options: BisectOptions

  constructor(table: VerdictTable, peer: PeerId, options: BisectOptions) {
    this.#table = table
    this.#peer = peer
    this.#options = options
  }

  *steps(): Steps<Bisection> {
    const peer = this.#peer
    const { standing, tipping } = yield* this.#tipping()
    if (standing !== 'banned') return { peer, standing, tipping: undefined, lifting: [], claim: 'smallest' }
    const removed = new Set<number>()
    let isExact = true
    const roundsMax = Math.max(2, Math.min(ROUNDS_MAX, ROUNDS_ROWS_MAX / this.#table.size))
    // What own evidence made follows from own evidence: most often what others said need not be looked at again.
    const isOwnEvidence = tipping?.rule === 'sum' || tipping?.rule === 'rate'
    let isLifted = false
    for (let round = 0; round < roundsMax && !isLifted; round++) {
      const isSumAlone = yield* this.#pass(removed, round === 0 && isOwnEvidence)
      isExact &&= isSumAlone && round === 0
      isLifted = (yield* this.#standingWithout(removed)) !== 'banned'
    }
    if (!isLifted) this.#takeAll(removed)
    const claim = isExact || removed.size === 1 ? 'smallest' : yield* this.#reduce(removed)
    const lifting = [...removed].map((row) => this.#table.seqAt(row)).sort((a, b) => a - b)
    return { peer, standing, tipping, lifting, claim }
  }

  /** As it came: the standing, and the event that made it. */
  *#tipping(): Steps<Pick<Bisection, 'standing' | 'tipping'>> {
    const ledger = this.#newLedger()
    const isDecided = [...this.#table.others()].some(({ event }) => 'subject' in event && event.subject === this.#peer)
    let marked: Bisection['tipping']
    for (let row = 0; row < this.#table.size; row++) {
      if (row % ROWS_PER_STEP === 0) yield
      const known = ledger.subjects.get(this.#peer)
      const was = banOf(known)
      const mayTip = was === undefined && this.#mayTip(row)
      const before = mayTip ? this.#judged(ledger) : undefined
      this.#fold(ledger, row)
      const ban = banOf(ledger.subjects.get(this.#peer))
      if (ban === undefined) marked = undefined
      else if (ban.seq !== was?.seq) {
        const now = this.#judged(ledger)
        marked = { seq: ban.seq, rule: ban.rule, before: before ?? marked?.before ?? now, after: now }
        // What own evidence made is lifted by the operator alone.
        if (!isDecided && (ban.rule === 'sum' || ban.rule === 'rate')) return { standing: 'banned', tipping: marked }
      }
    }
    return { standing: this.#judged(ledger).standing, tipping: marked }
  }

  /**
   * @param isOwnAlone look at own events alone
   * @returns true if only the sum banned, under one policy
   */
  *#pass(removed: Set<number>, isOwnAlone: boolean): Steps<boolean> {
    const ledger = this.#newLedger()
    const runs = new OwnRuns()
    let isSumAlone = true
    for (let row = 0; row < this.#table.size; row++) {
      if (row % ROWS_PER_STEP === 0) yield
      if (removed.has(row) || (isOwnAlone && this.#table.authorAt(row) !== this.#options.own)) continue
      const envelope = this.#table.envelopeAt(row)
      const { event, author } = envelope
      const isOwn = author === this.#options.own
      const isAbout = 'subject' in event && event.subject === this.#peer
      if (isOwn && event.kind === 'policy.adopted' && runs.size > 0) isSumAlone = false
      if (isOwn && isAbout && event.kind === 'operator.banned') {
        removed.add(row)
        isSumAlone = false
        continue
      }
      const isRun = isOwn && isAbout && event.kind === 'piece.judged'
      foldInto(ledger, envelope, this.#options.policy)
      const subject = ledger.subjects.get(this.#peer)
      if (subject === undefined) continue
      if (isRun) runs.push(row, event.good[0]?.count ?? 0, event.bad.length)
      if (subject.ban === undefined || subject.ban.seq !== envelope.seq) continue
      while (subject.ban !== undefined) {
        const { rule } = subject.ban
        isSumAlone &&= rule === 'sum'
        const gone = this.#takenFor(rule, row, runs, ledger)
        removed.add(gone)
        if (gone === row && !isRun) this.#unsay(subject, row)
        else runs.remove(gone, subject, ledger.policy)
        // What others' word alone made does not come back by this event, and what own evidence says is asked again.
        const still = isRun && gone !== row ? brokenRule(subject, ledger.policy) : undefined
        subject.ban = still === undefined ? undefined : { seq: envelope.seq, rule: still }
      }
    }
    return isSumAlone
  }

  #takenFor(rule: BanRule, row: number, runs: OwnRuns, { policy }: Ledger): number {
    switch (rule) {
      case 'sum':
        return runs.costliest(policy) ?? row
      case 'rate':
        return runs.worstInWindow(policy) ?? row
      default:
        return row
    }
  }

  /** Takes a report back that was just folded. */
  #unsay(subject: Subject, row: number): void {
    const { author, event } = this.#table.envelopeAt(row)
    const report = subject.reports.get(author)
    if (report === undefined || event.kind !== 'piece.judged') return
    report.good -= event.good[0]?.count ?? 0
    report.bad -= event.bad.length
  }

  /** Drops what can stay: the first ones are tried first. */
  *#reduce(removed: Set<number>): Steps<LiftingClaim> {
    if (removed.size * this.#table.size > REDUCING_ROWS_MAX) return 'lifting'
    for (const row of [...removed].sort((a, b) => a - b)) {
      removed.delete(row)
      if ((yield* this.#standingWithout(removed)) === 'banned') removed.add(row)
    }
    return removed.size === 1 ? 'smallest' : 'irreducible'
  }

  /** Without a bad word about it, and without a word of the operator, nobody is banned. */
  #takeAll(removed: Set<number>): void {
    for (let row = 0; row < this.#table.size; row++) if (this.#mayTip(row)) removed.add(row)
  }

  /** An event about the peer that may ban it. */
  #mayTip(row: number): boolean {
    const { event } = this.#table.envelopeAt(row)
    if (event.kind === 'piece.judged') return event.bad.length > 0 && event.subject === this.#peer
    return event.kind === 'operator.banned' && event.subject === this.#peer
  }

  *#standingWithout(removed: ReadonlySet<number>): Steps<Standing> {
    const ledger = this.#newLedger()
    for (let row = 0; row < this.#table.size; row++) {
      if (row % ROWS_PER_STEP === 0) yield
      if (!removed.has(row)) this.#fold(ledger, row)
    }
    return this.#judged(ledger).standing
  }

  #newLedger(): Ledger {
    return newLedger(this.#options.own, this.#options.policy ?? SEED_V1)
  }

  #fold(ledger: Ledger, row: number): void {
    foldInto(ledger, this.#table.envelopeAt(row), this.#options.policy)
  }

  #judged(ledger: Ledger): { score: number; standing: Standing } {
    const { isRevoked } = this.#options
    const { score, standing } = judge(ledger, this.#peer, isRevoked === undefined ? {} : { isRevoked })
    return { score, standing }
  }
}

function banOf(subject: Subject | undefined): { seq: number; rule: BanRule | 'operator' } | undefined {
  if (subject?.operator?.decision === 'banned') return { seq: subject.operator.seq, rule: 'operator' }
  return subject?.operator === undefined ? subject?.ban : undefined
}

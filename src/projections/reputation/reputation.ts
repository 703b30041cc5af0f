import type { EventKind, NodeId, PeerId } from '../../events/index.ts'
import { canonicalJson } from '../canonical-json.ts'
import { DirtyKeys } from '../dirty-keys.ts'
import type { Projection } from '../projection.ts'
import { fold, type Touched } from './fold.ts'
import { HEARSAY_BOUNDS, type HearsayBounds } from './hearsay.ts'
import { isMet, type Ledger, newLedger, type Report, type Reporter, type Subject, subjectOf } from './ledger.ts'
import { windowOf, windowText } from './piece-window.ts'
import { type Policy, SEED_V1 } from './policy.ts'

/** The kinds that make the ledger. */
export const REPUTATION_KINDS: readonly EventKind[] = [
  'piece.judged',
  'piece.suspected',
  'policy.adopted',
  'operator.banned',
  'operator.unbanned',
]

export type ReputationState = Ledger & { readonly dirty: DirtyReputation }

/** Which rows changed. Objects are remembered, not keys: making a key for every verdict would cost more than the fold. */
class DirtyReputation implements Touched {
  readonly subjects = new Set<Subject>()
  readonly reports: { subject: Subject; reporter: NodeId; report: Report }[] = []
  readonly reporters = new Set<NodeId>()
  policyChanged = false

  subject(subject: Subject): void {
    this.subjects.add(subject)
  }
  report(subject: Subject, reporter: NodeId, report: Report): void {
    if (report.unsaved) return
    report.unsaved = true
    this.reports.push({ subject, reporter, report })
  }
  reporter(reporter: NodeId): void {
    this.reporters.add(reporter)
  }
  policy(): void {
    this.policyChanged = true
  }

  drain(rowOf: (key: string) => string | null) {
    const keys = new DirtyKeys()
    if (this.policyChanged) keys.add(POLICY)
    for (const { id } of this.subjects) keys.add(SUBJECT + id)
    for (const { subject, reporter, report } of this.reports) {
      report.unsaved = false
      keys.add(reportKey(subject.id, reporter))
    }
    for (const id of this.reporters) keys.add(REPORTER + id)
    this.policyChanged = false
    this.subjects.clear()
    this.reports.length = 0
    this.reporters.clear()
    return keys.drain(rowOf)
  }
}

const POLICY = 'policy'
const REPORT = 'g/'
const REPORTER = 'r/'
const SUBJECT = 's/'
const NODE_ID_LENGTH = 64
const reportKey = (subject: PeerId, reporter: NodeId): string => `${REPORT}${subject}/${reporter}`
// An address may hold any character, so the reporter is cut from the end.
const splitReportKey = (key: string): [PeerId, NodeId] => [
  key.slice(REPORT.length, -NODE_ID_LENGTH - 1) as PeerId,
  key.slice(-NODE_ID_LENGTH) as NodeId,
]

type SubjectRow = Pick<Subject, 'own' | 'suspicions'> & {
  window: string | null
  ban: NonNullable<Subject['ban']> | null
  operator: NonNullable<Subject['operator']> | null
}

function subjectRow(subject: Subject): string {
  const { own, suspicions, window, ban = null, operator = null } = subject
  return canonicalJson({ own, suspicions, window: window === undefined ? null : windowText(window), ban, operator })
}

function rowOf(state: ReputationState, key: string): string | null {
  if (key === POLICY) return canonicalJson(state.policy)
  if (key.startsWith(SUBJECT)) {
    const subject = state.subjects.get(key.slice(SUBJECT.length) as PeerId)
    // One that only others spoke of has no row of its own.
    return subject === undefined || !isMet(subject) ? null : subjectRow(subject)
  }
  if (key.startsWith(REPORTER)) {
    const agreement = state.reporters.get(key.slice(REPORTER.length) as NodeId)
    return agreement === undefined ? null : canonicalJson(agreement)
  }
  const [subject, reporter] = splitReportKey(key)
  const tally = state.subjects.get(subject)?.reports.get(reporter)
  return tally === undefined ? null : `[${tally.good},${tally.bad},${tally.seq},${tally.weighed ? 1 : 0}]`
}

const newReputation = (own: NodeId, bounds: HearsayBounds): ReputationState => ({
  ...newLedger(own, SEED_V1, bounds),
  dirty: new DirtyReputation(),
})

/** The projection of node `own`: what it thinks of every peer that it, or anybody, judged. */
export const reputationProjection = (own: NodeId, bounds: HearsayBounds = HEARSAY_BOUNDS): Projection<ReputationState> => ({
  name: 'reputation',
  version: 3,
  handles: REPUTATION_KINDS,
  initial: () => newReputation(own, bounds),
  apply(state, envelope) {
    fold(state, envelope, state.dirty)
    return state
  },
  changes: (state) => state.dirty.drain((key) => rowOf(state, key)),
  *rows(state) {
    const subjects = [...state.subjects.values()]
    const keys = subjects.flatMap(({ id, reports }) => [...reports.keys()].map((reporter) => reportKey(id, reporter)))
    for (const id of state.reporters.keys()) keys.push(REPORTER + id)
    for (const { id } of subjects) keys.push(SUBJECT + id)
    if (state.policy !== SEED_V1) keys.push(POLICY)
    for (const key of keys.sort()) {
      const row = rowOf(state, key)
      if (row !== null) yield [key, row]
    }
  },
  load(rows) {
    const state = newReputation(own, bounds)
    // Windows are as long as the policy says, and its row comes before those of the subjects.
    for (const [key, value] of rows) {
      if (key === POLICY) {
        state.policy = JSON.parse(value) as Policy
      } else if (key.startsWith(REPORT)) {
        const [subject, reporter] = splitReportKey(key)
        const [good, bad, seq, weighed] = JSON.parse(value) as [number, number, number, number]
        const of = subjectOf(state, subject)
        of.reports.set(reporter, { good, bad, seq, weighed: weighed === 1, unsaved: false })
        of.isWeighed ||= weighed === 1
      } else if (key.startsWith(REPORTER)) {
        const agreement = JSON.parse(value) as Reporter
        state.reporters.set(key.slice(REPORTER.length) as NodeId, agreement)
      } else {
        const row = JSON.parse(value) as SubjectRow
        const subject = subjectOf(state, key.slice(SUBJECT.length) as PeerId)
        Object.assign(subject.own, row.own)
        subject.suspicions = row.suspicions
        subject.window = row.window === null ? undefined : windowOf(row.window, state.policy.windowPieces)
        subject.ban = row.ban ?? undefined
        subject.operator = row.operator ?? undefined
      }
    }
    state.forgetting.restore(state, isMet)
    return state
  },
})

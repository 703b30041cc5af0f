import type { Envelope, EventOf, NodeId, PieceRange } from '../../events/index.ts'
import { brokenRule, gossipOf, travels, trustedAgainst, weightUnder } from './judge.ts'
import {
  type BanRule,
  count,
  isMet,
  type Ledger,
  opinion,
  points,
  type Report,
  type Reporter,
  type Subject,
  subjectOf,
} from './ledger.ts'
import { newWindow, pushPieces, windowOf, windowText } from './piece-window.ts'
import { policyOf } from './policy.ts'

// The fold of verdicts into the ledger. It is this node's judgement, in its own order of arrival: what it knew when it
// banned. The counters of others' reports commute; agreement and bans depend on what was known before.

/** Told which rows changed. */
export type Touched = {
  subject(subject: Subject): void
  report(subject: Subject, reporter: NodeId, report: Report): void
  reporter(reporter: NodeId): void
  policy(): void
}

const piecesIn = (ranges: readonly PieceRange[]): number => {
  let pieces = 0
  for (const range of ranges) pieces += range.count
  return pieces
}

export function fold(ledger: Ledger, envelope: Envelope, touched: Touched): void {
  const { event } = envelope
  const own = envelope.author === ledger.own
  switch (event.kind) {
    case 'piece.judged':
      // Nobody is a witness in its own case.
      if (event.subject === envelope.author || event.subject === ledger.own) return
      if (own) foldOwn(ledger, envelope, event, touched)
      else if (travels(event.subject)) foldReport(ledger, envelope, event, touched)
      return
    case 'piece.suspected':
      if (!own) return
      for (const source of new Set(event.sources)) {
        const subject = subjectOf(ledger, source)
        subject.suspicions += 1
        ledger.forgetting.met(subject)
        touched.subject(subject)
      }
      return
    case 'operator.banned':
    case 'operator.unbanned': {
      if (!own) return
      const subject = subjectOf(ledger, event.subject)
      const decision = event.kind === 'operator.banned' ? 'banned' : 'unbanned'
      subject.operator = { decision, seq: envelope.seq, reason: event.reason }
      if (decision === 'unbanned') subject.ban = undefined
      ledger.forgetting.met(subject)
      touched.subject(subject)
      return
    }
    case 'policy.adopted':
      if (own) adopt(ledger, event, touched)
  }
}

/** From here on the new rules hold; bans made under the old ones stay. */
function adopt(ledger: Ledger, event: EventOf<'policy.adopted'>, touched: Touched): void {
  const before = ledger.policy.windowPieces
  ledger.policy = policyOf(event)
  touched.policy()
  const pieces = ledger.policy.windowPieces
  if (pieces === before) return
  for (const subject of ledger.subjects.values()) {
    if (subject.window === undefined) continue
    subject.window = windowOf(windowText(subject.window), pieces)
    touched.subject(subject)
  }
}

function foldOwn(ledger: Ledger, envelope: Envelope, event: EventOf<'piece.judged'>, touched: Touched): void {
  const { policy } = ledger
  const subject = subjectOf(ledger, event.subject)
  const good = piecesIn(event.good)
  const bad = event.bad.length
  const wasThin = bad > 0 && policy.start + points(subject.own, policy) + gossipOf(ledger, subject, policy).points < 0
  const opinionBefore = opinion(subject.own, policy)

  count(subject.own, good, bad)
  subject.window ??= newWindow(policy.windowPieces)
  ledger.forgetting.met(subject)
  pushPieces(subject.window, good, false)
  pushPieces(subject.window, bad, true)
  if (good > 0 && bad === 0) subject.suspicions = 0

  const opinionNow = opinion(subject.own, policy)
  if (opinionNow !== opinionBefore && opinionNow !== 0) creditReporters(ledger, subject, opinionNow, envelope.seq, touched)
  if (bad > 0) markBan(subject, envelope.seq, brokenRule(subject, policy) ?? (wasThin ? 'thin-ice' : undefined))
  touched.subject(subject)
}

function foldReport(ledger: Ledger, envelope: Envelope, event: EventOf<'piece.judged'>, touched: Touched): void {
  const { policy } = ledger
  const reporter = envelope.author
  const subject = subjectOf(ledger, event.subject)
  const isWeighed = policy.trusted.includes(reporter) || weightUnder(policy, ledger.reporters.get(reporter)) > 0
  const tally = reportOf(ledger, subject, reporter, isWeighed, touched)
  // All room is taken by those whose word counts more.
  if (tally === undefined) return
  tally.seq = envelope.seq
  tally.weighed ||= isWeighed
  subject.isWeighed ||= isWeighed
  const opinionBefore = opinion(tally, policy)
  count(tally, piecesIn(event.good), event.bad.length)
  touched.report(subject, reporter, tally)

  const opinionNow = opinion(tally, policy)
  const mine = opinion(subject.own, policy)
  if (opinionNow !== opinionBefore && opinionNow !== 0 && mine !== 0 && opinionNow !== mine) {
    measure(ledger, reporter, 'disagree', envelope.seq, touched)
  }
  if (event.bad.length > 0 && policy.gossipBans === 1 && subject.ban === undefined) {
    const others = gossipOf(ledger, subject, policy).points
    if (others < 0 && policy.start + points(subject.own, policy) + others < 0) {
      markBan(subject, envelope.seq, 'gossip')
      ledger.forgetting.met(subject)
      touched.subject(subject)
    }
  }
  if (event.bad.length > 0 && policy.trusted.includes(reporter) && trustedAgainst(subject, policy) >= policy.quorum) {
    markBan(subject, envelope.seq, 'quorum')
    ledger.forgetting.met(subject)
    touched.subject(subject)
  }
  if (!isMet(subject)) forget(ledger, ledger.forgetting.heard(subject, envelope.seq), touched)
}

function reportOf(
  ledger: Ledger,
  subject: Subject,
  reporter: NodeId,
  isWeighed: boolean,
  touched: Touched,
): Report | undefined {
  const known = subject.reports.get(reporter)
  if (known !== undefined) return known
  const gone = ledger.forgetting.givesWay(subject, isWeighed)
  if (gone === 'none') return undefined
  const old = gone === undefined ? undefined : subject.reports.get(gone)
  if (gone !== undefined && old !== undefined) {
    subject.reports.delete(gone)
    touched.report(subject, gone, old)
  }
  const report = { good: 0, bad: 0, seq: 0, weighed: isWeighed, unsaved: false }
  subject.reports.set(reporter, report)
  return report
}

/** A peer that nobody here has met, and what was said of it. */
function forget(ledger: Ledger, subject: Subject | undefined, touched: Touched): void {
  if (subject === undefined) return
  ledger.subjects.delete(subject.id)
  for (const [reporter, report] of subject.reports) touched.report(subject, reporter, report)
}

/** My opinion came about: those who had one before are measured by it. */
function creditReporters(ledger: Ledger, subject: Subject, mine: number, seq: number, touched: Touched): void {
  // In an order that a ledger which was loaded has as well: who is measured last is remembered longest.
  const reports = [...subject.reports].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [reporter, tally] of reports) {
    const theirs = opinion(tally, ledger.policy)
    if (theirs === 0) continue
    measure(ledger, reporter, theirs === mine ? 'agree' : 'disagree', seq, touched)
  }
}

function measure(ledger: Ledger, id: NodeId, how: 'agree' | 'disagree', seq: number, touched: Touched): void {
  const reporter: Reporter = ledger.reporters.get(id) ?? { agree: 0, disagree: 0, changedAt: seq }
  reporter[how] += 1
  reporter.changedAt = seq
  ledger.reporters.set(id, reporter)
  touched.reporter(id)
  const gone = ledger.forgetting.measured(ledger, id)
  if (gone === undefined) return
  ledger.reporters.delete(gone)
  touched.reporter(gone)
}

function markBan(subject: Subject, seq: number, rule: BanRule | undefined): void {
  if (rule === undefined || subject.ban !== undefined || subject.operator?.decision === 'unbanned') return
  subject.ban = { seq, rule }
}

import type { Envelope, EventOf, NodeId, PieceRange } from '../../events/index.ts'
import { brokenRule, gossipOf, travels, trustedAgainst } from './judge.ts'
import {
  type Agreement,
  type BanRule,
  count,
  type Ledger,
  opinion,
  points,
  type Report,
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
  pushPieces(subject.window, good, false)
  pushPieces(subject.window, bad, true)
  if (good > 0 && bad === 0) subject.suspicions = 0

  const opinionNow = opinion(subject.own, policy)
  if (opinionNow !== opinionBefore && opinionNow !== 0) creditReporters(ledger, subject, opinionNow, touched)
  if (bad > 0) markBan(subject, envelope.seq, brokenRule(subject, policy) ?? (wasThin ? 'thin-ice' : undefined))
  touched.subject(subject)
}

function foldReport(ledger: Ledger, envelope: Envelope, event: EventOf<'piece.judged'>, touched: Touched): void {
  const { policy } = ledger
  const reporter = envelope.author
  const subject = subjectOf(ledger, event.subject)
  let tally = subject.reports.get(reporter)
  if (tally === undefined) {
    tally = { good: 0, bad: 0, unsaved: false }
    subject.reports.set(reporter, tally)
  }
  const opinionBefore = opinion(tally, policy)
  count(tally, piecesIn(event.good), event.bad.length)
  touched.report(subject, reporter, tally)

  const opinionNow = opinion(tally, policy)
  const mine = opinion(subject.own, policy)
  if (opinionNow !== opinionBefore && opinionNow !== 0 && mine !== 0 && opinionNow !== mine) {
    agreementOf(ledger, reporter).disagree += 1
    touched.reporter(reporter)
  }
  if (event.bad.length > 0 && policy.trusted.includes(reporter) && trustedAgainst(subject, policy) >= policy.quorum) {
    markBan(subject, envelope.seq, 'quorum')
    touched.subject(subject)
  }
}

/** My opinion came about: those who had one before are measured by it. */
function creditReporters(ledger: Ledger, subject: Subject, mine: number, touched: Touched): void {
  for (const [reporter, tally] of subject.reports) {
    const theirs = opinion(tally, ledger.policy)
    if (theirs === 0) continue
    const agreement = agreementOf(ledger, reporter)
    if (theirs === mine) agreement.agree += 1
    else agreement.disagree += 1
    touched.reporter(reporter)
  }
}

function agreementOf(ledger: Ledger, reporter: NodeId): Agreement {
  let agreement = ledger.reporters.get(reporter)
  if (agreement === undefined) {
    agreement = { agree: 0, disagree: 0 }
    ledger.reporters.set(reporter, agreement)
  }
  return agreement
}

function markBan(subject: Subject, seq: number, rule: BanRule | undefined): void {
  if (rule === undefined || subject.ban !== undefined || subject.operator?.decision === 'unbanned') return
  subject.ban = { seq, rule }
}

import type { NodeId, PeerId } from '../../events/index.ts'
import { type IsRevoked, judge, type Ledger, summary } from '../../projections/reputation/index.ts'
import type { ScoreRow } from '../services.ts'

/** A peer's score as commands show it; the word of those who were put out weighs nothing. */
export function scoreRow(ledger: Ledger, peer: PeerId, isRevoked: IsRevoked): ScoreRow {
  const judgement = judge(ledger, peer, { isRevoked })
  const subject = ledger.subjects.get(peer)
  const reporters: readonly NodeId[] = [...(subject?.reports.keys() ?? [])]
  return {
    peer,
    score: judgement.score,
    standing: judgement.standing,
    ownGood: subject?.own.good ?? 0,
    ownBad: subject?.own.bad ?? 0,
    reporters: reporters.filter((reporter) => !isRevoked(reporter)).length,
    because: summary(judgement),
  }
}

/** Everyone in the ledger, the worst first. */
export function scoreRows(ledger: Ledger, isRevoked: IsRevoked): ScoreRow[] {
  return [...ledger.subjects.keys()]
    .map((peer) => scoreRow(ledger, peer, isRevoked))
    .sort((a, b) => a.score - b.score || (a.peer < b.peer ? -1 : 1))
}

/** The one known peer that `text` names: a whole id, or the beginning of just one. */
export function findPeer(ledger: Ledger, text: string): PeerId | 'none' | 'several' {
  const wanted = text.toLowerCase()
  if (wanted === '') return 'none'
  if (ledger.subjects.has(wanted as PeerId)) return wanted as PeerId
  const matches = [...ledger.subjects.keys()].filter((peer) => peer.startsWith(wanted))
  return matches.length === 1 ? (matches[0] as PeerId) : matches.length === 0 ? 'none' : 'several'
}

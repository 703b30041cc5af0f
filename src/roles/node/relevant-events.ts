import type { Envelope, NodeId, PeerId } from '../../events/index.ts'
import type { Ledger } from '../../projections/reputation/index.ts'

/**
 * Which events are relevant to a peer's score: those about it, the policies, and those that made the weight of its reporters
 * (what they, and this node, said of the peers that they reported). An explanation from these alone is the explanation
 * from the whole log, in the memory of a part of it.
 * @param ledger at least as new as the events
 */
export function relevantEvents(ledger: Ledger, peer: PeerId): (envelope: Envelope) => boolean {
  const reporters = new Set<NodeId>(ledger.subjects.get(peer)?.reports.keys() ?? [])
  const measuredBy = new Set<PeerId>()
  for (const [id, { reports }] of ledger.subjects) {
    for (const reporter of reporters) {
      if (!reports.has(reporter)) continue
      measuredBy.add(id)
      break
    }
  }
  return ({ author, event }) => {
    switch (event.kind) {
      case 'policy.adopted':
        return true
      case 'piece.judged':
        return event.subject === peer || reporters.has(author) || (author === ledger.own && measuredBy.has(event.subject))
      case 'piece.suspected':
        return event.sources.includes(peer)
      case 'operator.banned':
      case 'operator.unbanned':
        return event.subject === peer
      default:
        return false
    }
  }
}

import { type Envelope, type EventLog, isNodeId, type PeerId } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import type { Ledger } from '../../projections/reputation/index.ts'

/**
 * Carries the operator's word out on the overlay: a node that the operator banned gets no link. Bans that follow from
 * pieces stay with the torrents, since gossip must not lose its way because a disk is bad.
 * @returns a function that stops it
 */
export function enforceOperatorBans(
  log: Pick<EventLog, 'author' | 'onAppended'>,
  ledger: Ledger,
  overlay: Pick<Overlay, 'ban' | 'unban'>,
): () => void {
  for (const { id, operator } of ledger.subjects.values()) {
    if (operator?.decision === 'banned') ifNode(id, (node) => overlay.ban(node))
  }
  return log.onAppended((envelopes: readonly Envelope[]) => {
    for (const { event, author } of envelopes) {
      if (author !== log.author) continue
      if (event.kind === 'operator.banned') ifNode(event.subject, (node) => overlay.ban(node))
      if (event.kind === 'operator.unbanned') ifNode(event.subject, (node) => overlay.unban(node))
    }
  })
}

function ifNode(peer: PeerId, act: (node: Parameters<Overlay['ban']>[0]) => void): void {
  if (isNodeId(peer)) act(peer)
}

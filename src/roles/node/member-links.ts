import type { NodeId, NodeRole } from '../../events/index.ts'
import type { OverlayStatus } from '../../network/index.ts'
import type { Member } from '../../projections/index.ts'
import type { MemberSight } from './member-sight.ts'
import { ANCHORS_MAX } from './network-memory.fs.ts'

/** A client is in the network when it has so many members of it, or all that there are: one alone may show it a world of its own. */
const MEMBERS_WANTED: Readonly<Record<NodeRole, number>> = { bootstrap: 0, index: 1, client: 2 }

/**
 * What a node still waits for before it is in the network; undefined if nothing.
 * @param linked peers that it has a link with; others than members may be strangers with a key each
 */
export function missingMembers(
  role: NodeRole,
  linked: readonly NodeId[],
  known: readonly Member[],
  sight: MemberSight,
): string | undefined {
  const have = linked.filter((id) => sight.isMember(id)).length
  const alive = known.filter((member) => sight.isMember(member.id) && !['dead', 'left'].includes(sight.stateOf(member))).length
  const wanted = Math.min(MEMBERS_WANTED[role], Math.max(1, alive))
  if (have >= wanted) return undefined
  if (have === 0) return 'a link to the network: no bootstrap or known member answers yet'
  return 'a link to a second member of the network: one alone answers so far'
}

/** The members to begin with at the next start: those that this node chose itself, or, where it has none now, those of before. */
export function anchorsAmong(links: OverlayStatus['links'], before: readonly NodeId[]): NodeId[] {
  const chosen = links.filter(({ initiator, role, view }) => initiator && role !== 'client' && view !== 'none')
  return chosen.length === 0 ? [...before] : chosen.slice(0, ANCHORS_MAX).map(({ peer }) => peer)
}

import type { NodeId } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import type { Member } from '../../projections/index.ts'
import type { Admittance } from './admittance.ts'

/**
 * What is read into the table of members when it is shown or used. The projection folds what was said, alike at every node
 * that holds the same events; what a node sees for itself, and who is admitted now, is looked up at the reading.
 * See docs/adr/0020-own-eyes-first.md.
 */
export type MemberSight = {
  /** True if the network admits this node as a member now; what is said of others counts for nothing. */
  isMember(id: NodeId): boolean
  /** Alive if this node hears from it, whatever others say. */
  stateOf(member: Pick<Member, 'id' | 'state'>): Member['state']
}

export const memberSight = (
  admittance: Pick<Admittance, 'standingOf'>,
  overlay: Pick<Overlay, 'isSeenAlive'>,
): MemberSight => ({
  isMember: (id) => admittance.standingOf(id) === 'member',
  stateOf: ({ id, state }) => ((state === 'suspect' || state === 'dead') && overlay.isSeenAlive(id) ? 'alive' : state),
})

import type { Invitation, Lamport, NodeId } from '../../events/index.ts'

// Which nodes an invitation admits that admits only so many: the first of those that showed it, by the stamp of the event that
// shows it and then by their ids. Whoever is not among them now never will be, so the rest is forgotten, and the
// first are the same whatever came first.

export type InvitedNode = { readonly node: NodeId; readonly lamport: Lamport }

export type InvitedNodes = Map<string, InvitedNode[]>

type Counted = Pick<Invitation, 'key' | 'nodesMax'>

/** An owner that signs one key for two maxima has made two invitations. */
export const invitedName = ({ key, nodesMax }: Counted): string => `${key}/${nodesMax}`

const isBefore = (a: InvitedNode, b: InvitedNode): boolean =>
  a.lamport === b.lamport ? a.node < b.node : a.lamport < b.lamport

/** @returns the nodes whose place has changed, by their going as well as by their coming */
export function countNode(invited: InvitedNodes, invitation: Counted, shown: InvitedNode): NodeId[] {
  if (invitation.nodesMax === 0) return []
  const name = invitedName(invitation)
  const list = invited.get(name) ?? []
  const same = list.findIndex(({ node }) => node === shown.node)
  if (same >= 0) {
    if (!isBefore(shown, list[same] as InvitedNode)) return []
    list.splice(same, 1)
  }
  const at = list.findIndex((one) => isBefore(shown, one))
  list.splice(at < 0 ? list.length : at, 0, shown)
  const gone = list.splice(invitation.nodesMax)
  invited.set(name, list)
  return gone.some(({ node }) => node === shown.node) ? [] : [shown.node, ...gone.map(({ node }) => node)]
}

/**
 * True if the invitation admits this node: it is among the first.
 * @param provisional also one that no event has shown yet, while there is room
 */
export function isAmongFirst(invited: InvitedNodes, invitation: Counted, node: NodeId, provisional = false): boolean {
  if (invitation.nodesMax === 0) return true
  const list = invited.get(invitedName(invitation)) ?? []
  return list.some((one) => one.node === node) || (provisional && list.length < invitation.nodesMax)
}

/** True if a node that shows the invitation with this stamp would not be among the first, now or ever. */
export function comesTooLate(invited: InvitedNodes, invitation: Counted, shown: InvitedNode): boolean {
  if (invitation.nodesMax === 0) return false
  const list = invited.get(invitedName(invitation)) ?? []
  const last = list.at(-1)
  return (
    list.length >= invitation.nodesMax &&
    last !== undefined &&
    !list.some(({ node }) => node === shown.node) &&
    isBefore(last, shown)
  )
}

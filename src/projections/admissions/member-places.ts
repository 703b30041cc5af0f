import type { Invitation, Lamport, NodeId } from '../../events/index.ts'

// An invitation for a member admits one node: of those that show it the first, by the stamp of the event that shows it and
// then by its id, so that it is the same one whatever came first. Stamps are the nodes' own claims: whoever has the string can
// put another key of theirs in that place, and nobody else's, which is why no two machines share one.

export type Place = { readonly node: NodeId; readonly lamport: Lamport }

/** By invitation. */
export type MemberPlaces = Map<NodeId, Place>

const isBefore = (a: Place, b: Place): boolean => (a.lamport === b.lamport ? a.node < b.node : a.lamport < b.lamport)

/** @returns true if that changes who has the place, or since when */
export function takePlace(places: MemberPlaces, { key, role }: Invitation, shown: Place): boolean {
  const before = places.get(key)
  if (role === 'client' || (before !== undefined && !isBefore(shown, before))) return false
  places.set(key, shown)
  return true
}

/**
 * True if the invitation admits this node.
 * @param provisional also one that no event has shown yet, while nobody has the place
 */
export function hasPlace(places: MemberPlaces, { key, role }: Invitation, node: NodeId, provisional = false): boolean {
  if (role === 'client') return true
  const place = places.get(key)
  return place === undefined ? provisional : place.node === node
}

/** True if a node that shows the invitation with this stamp does not get the place, now or ever. */
export function comesTooLate(places: MemberPlaces, { key, role }: Invitation, shown: Place): boolean {
  const place = places.get(key)
  return role === 'member' && place !== undefined && place.node !== shown.node && isBefore(place, shown)
}

import type { Millis, NodeId } from '../../events/index.ts'
import { type AdmissionsState, isRevoked } from './admissions.ts'

/**
 * What a revoked author published is kept for so long after the owner signed the revocation, ms: whoever revoked by mistake
 * can invite anew before anything is gone.
 */
export const KEPT_AFTER_REVOCATION_MS = 86_400_000

/**
 * Since when a node is revoked, by the owner's word: itself, or the last of the invitations that it has shown. Undefined if
 * it is not.
 */
export function revokedSince(state: AdmissionsState, node: NodeId): Millis | undefined {
  if (!isRevoked(state, node)) return undefined
  const { admitted, revoked } = state
  const itself = revoked.get(node)?.at
  const shown = (admitted.get(node) ?? []).map(({ key }) => revoked.get(key)?.at)
  // All of them are taken back: before the last was, the node was still admitted.
  const all = shown.filter((at) => at !== undefined)
  const lastOfThem = all.length > 0 && all.length === shown.length ? (Math.max(...all) as Millis) : undefined
  if (itself === undefined || lastOfThem === undefined) return itself ?? lastOfThem
  return Math.min(itself, lastOfThem) as Millis
}

/**
 * Authors other than `own` that have been revoked for a day or longer at `now`, ms since 1970: what they published goes. Keys of
 * revoked invitations are among them, which are nobody's.
 */
export function longRevoked(state: AdmissionsState, own: NodeId, now: number): Set<NodeId> {
  const found = new Set<NodeId>()
  for (const nodes of [state.admitted.keys(), state.revoked.keys()]) {
    for (const node of nodes) {
      const since = node === own ? undefined : revokedSince(state, node)
      if (since !== undefined && now - since >= KEPT_AFTER_REVOCATION_MS) found.add(node)
    }
  }
  return found
}

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

/** True if a node other than `own` has been revoked for a day or longer at `now`, ms since 1970: what it published goes. */
export function isLongRevoked(state: AdmissionsState, node: NodeId, { own, now }: { own: NodeId; now: number }): boolean {
  const since = node === own ? undefined : revokedSince(state, node)
  return since !== undefined && now - since >= KEPT_AFTER_REVOCATION_MS
}

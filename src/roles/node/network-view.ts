import { type Genesis, isExpired, type Millis, type NetworkId } from '../../events/index.ts'
import { type AdmissionsState, admissionOf } from '../../projections/index.ts'
import type { NetworkView } from '../services.ts'

/** Who is admitted, by which invitation, since when; and what was revoked. */
export function networkView(id: NetworkId, genesis: Genesis, state: AdmissionsState, now: Millis): NetworkView {
  const admitted = [...state.admitted].map(([node, shown]) => {
    // What admits it now, else what did.
    const admission = admissionOf(state, node, now) ?? shown[0]
    const isRevoked = state.revoked.has(node) || (admission !== undefined && state.revoked.has(admission.key))
    return {
      node,
      role: admission?.role ?? 'client',
      invitation: admission?.key ?? node,
      invitedAs: admission?.name ?? '',
      since: admission?.at ?? 0,
      expiresAt: admission?.expiresAt || null,
      state: isRevoked
        ? ('revoked' as const)
        : admission !== undefined && isExpired(admission, now)
          ? ('expired' as const)
          : ('admitted' as const),
    }
  })
  return {
    id,
    name: genesis.name,
    owner: genesis.owner,
    open: genesis.open,
    createdAt: genesis.createdAt,
    admitted: admitted.sort((a, b) => a.since - b.since || (a.node < b.node ? -1 : 1)),
    revoked: [...state.revoked].map(([key, { at, reason }]) => ({ key, at, reason })).sort((a, b) => a.at - b.at),
  }
}

import { type Genesis, isExpired, type Millis, type NetworkId, type NodeId } from '../../events/index.ts'
import { type Admission, type AdmissionsState, admissionOf } from '../../projections/index.ts'
import type { AdmittedRow, InvitationRow, NetworkView, RevokedRow } from '../services.ts'

/** Who is admitted, by which invitation, since when; and what was revoked. */
export function networkView(id: NetworkId, genesis: Genesis, state: AdmissionsState, now: Millis): NetworkView {
  const admitted = [...state.admitted].map(([node, shown]): AdmittedRow => {
    // What admits it now, else what did.
    const holding = admissionOf(state, node, now)
    const admission = holding ?? shown[0]
    return {
      node,
      role: admission?.role ?? 'client',
      invitation: admission?.key ?? node,
      invitedAs: admission?.name ?? '',
      since: admission?.at ?? 0,
      expiresAt: admission?.expiresAt || null,
      state: holding !== undefined ? 'admitted' : notAdmitted(state, node, admission, now),
    }
  })
  // Of a node that was invited anew, also the earlier ones.
  const invitations = new Map(
    [...state.admitted.values()]
      .flat()
      .map(({ key, role, name, expiresAt }): [NodeId, InvitationRow] => [
        key,
        { key, role, name, expiresAt: expiresAt || null },
      ]),
  )
  const names = new Map(admitted.map(({ node, invitedAs }) => [node, invitedAs]))
  const revoked = [...state.revoked].map(([key, { at, reason }]): RevokedRow => {
    const invitation = invitations.get(key)
    const kind = invitation !== undefined ? 'invitation' : names.has(key) ? 'node' : null
    return { key, kind, name: invitation?.name ?? names.get(key) ?? '', at, reason }
  })
  return {
    id,
    name: genesis.name,
    owner: genesis.owner,
    open: genesis.open,
    createdAt: genesis.createdAt,
    admitted: admitted.sort((a, b) => a.since - b.since || (a.node < b.node ? -1 : 1)),
    invitations: [...invitations.values()],
    revoked: revoked.sort((a, b) => a.at - b.at),
  }
}

/** Why a node that has shown an invitation is not let in. */
function notAdmitted(
  { revoked }: AdmissionsState,
  node: NodeId,
  admission: Admission | undefined,
  now: Millis,
): AdmittedRow['state'] {
  if (revoked.has(node) || (admission !== undefined && revoked.has(admission.key))) return 'revoked'
  // What is left: its invitation admits fewer nodes than have shown it, and this is not among the first.
  return admission !== undefined && isExpired(admission, now) ? 'expired' : 'used'
}

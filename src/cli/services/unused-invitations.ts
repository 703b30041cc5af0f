import { type Invitation, isExpired } from '../../events/index.ts'
import type { InvitationRow, NetworkView } from '../../roles/index.ts'

export type NetworkShown = NetworkView & {
  /** Of the owner's book those that hold and that no node has used, as far as is known here; null without the owner's folder. */
  unused: InvitationRow[] | null
}

/** What a node knows of its network, and what only its owner knows. */
export function withBook(view: NetworkView, made: readonly Invitation[] | undefined, now: number): NetworkShown {
  if (made === undefined) return { ...view, unused: null }
  const names = new Map(made.map(({ key, name }) => [key, name]))
  const gone = new Set([...view.invitations, ...view.revoked].map(({ key }) => key))
  const unused = made
    .filter((each) => !gone.has(each.key) && !isExpired(each, now))
    .map(({ key, role, name, expiresAt }) => ({ key, role, name, expiresAt: expiresAt || null }))
  const revoked = view.revoked.map((row) => {
    const name = names.get(row.key)
    return name === undefined ? row : { ...row, kind: 'invitation' as const, name }
  })
  return { ...view, revoked, unused }
}

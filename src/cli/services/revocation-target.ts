import type { Invitation, NodeId } from '../../events/index.ts'
import { type NetworkView, type RevokedRow, ServiceError } from '../../roles/index.ts'
import { invitationIn } from '../../roles/owner/joining.ts'

// Who is meant by what an owner types after `network revoke`. A join string is never repeated: whoever reads it can join.

type Known = Pick<RevokedRow, 'kind' | 'name'>
export type RevocationTarget = Known & { readonly key: NodeId }

/** A revocation is for good, so fewer digits do not choose. */
const PREFIX = /^[0-9a-f]{8,64}$/
const KEY_LENGTH = 64
const SHORT_LENGTH = 16
/** Longer than any name and any key: no slip in typing one. */
const REPEATED_LENGTH_MAX = 64
const LISTED_MAX = 8

/**
 * A node or an invitation by its key or the beginning of it, or an invitation by its name or its join string.
 * @param made invitations in the owner's book
 * @throws ServiceError `usage` if nobody or several are meant
 */
export function revocationTarget(view: NetworkView, made: readonly Invitation[], text: string): RevocationTarget {
  const known = knownKeys(view, made)
  const given = text.trim()
  if (/p2pt:/i.test(given)) return { kind: 'invitation', ...byJoinString(view, given) }
  const digits = given.toLowerCase()
  const found = new Set([...byName(view, known, given), ...byPrefix(known, digits)])
  const [key] = found
  if (found.size > 1) throw severalAreMeant(given, known, [...found])
  if (key !== undefined) return { key, kind: null, name: '', ...known.get(key) }
  // One that was made before there was a book, or on another machine.
  if (PREFIX.test(digits) && digits.length === KEY_LENGTH) return { key: digits as NodeId, kind: null, name: '' }
  const what = given.length > REPEATED_LENGTH_MAX ? 'like that' : given
  const hint = /^[0-9a-f]{1,7}$/.test(digits) ? ' (of an id give at least 8 digits)' : ''
  throw new ServiceError('usage', `no node and no invitation is called ${what}${hint}: see \`p2pt network show\``)
}

function knownKeys(view: NetworkView, made: readonly Invitation[]): ReadonlyMap<NodeId, Known> {
  return new Map<NodeId, Known>([
    ...view.revoked.map(({ key, kind, name }) => [key, { kind, name }] as const),
    ...view.admitted.map(({ node, invitedAs }) => [node, { kind: 'node', name: invitedAs }] as const),
    ...[...view.invitations, ...made].map(({ key, name }) => [key, { kind: 'invitation', name }] as const),
  ])
}

function byJoinString(view: NetworkView, text: string): { key: NodeId; name: string } {
  const { id, network, invitation } = invitationIn(text)
  if (id !== view.id)
    throw new ServiceError('usage', `the join string is for the network "${network.name}", and this node is in "${view.name}"`)
  if (invitation === undefined)
    throw new ServiceError(
      'usage',
      `the join string has no invitation in it: clients of the open network "${view.name}" need none`,
    )
  return invitation
}

/** Of several with one name those that are not revoked, where there are any. */
function byName(view: NetworkView, known: ReadonlyMap<NodeId, Known>, name: string): NodeId[] {
  const all = [...known].filter(([, row]) => row.kind === 'invitation' && name !== '' && row.name === name).map(([key]) => key)
  const revoked = new Set(view.revoked.map(({ key }) => key))
  const left = all.filter((key) => !revoked.has(key))
  return left.length > 0 ? left : all
}

function byPrefix(known: ReadonlyMap<NodeId, Known>, digits: string): NodeId[] {
  return PREFIX.test(digits) ? [...known.keys()].filter((key) => key.startsWith(digits)) : []
}

function severalAreMeant(text: string, known: ReadonlyMap<NodeId, Known>, keys: readonly NodeId[]): ServiceError {
  const listed = keys.slice(0, LISTED_MAX).map((key) => `${known.get(key)?.kind ?? 'key'} ${key.slice(0, SHORT_LENGTH)}`)
  const more = keys.length > LISTED_MAX ? ` and ${keys.length - LISTED_MAX} more` : ''
  return new ServiceError('usage', `${keys.length} are called ${text}, so give the id of the one: ${listed.join(', ')}${more}`)
}

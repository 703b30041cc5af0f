import type { RevokedRow } from '../../roles/index.ts'
import type { NetworkShown } from '../services/unused-invitations.ts'
import { printable } from './printable.ts'
import { fields, table } from './table.ts'
import { shortPeer, time } from './units.ts'

type Made = { id: string; name: string; open: boolean; owner: string; members: readonly string[]; clients: string }

export function networkText({ id, name, open, owner, members, clients }: Made): string {
  return [
    fields([
      ['network', printable(name)],
      ['id', id],
      ['owner', `${owner} (keep a copy of this folder: whoever has it invites and revokes)`],
    ]),
    '',
    'bootstraps and index nodes join with one of these each:',
    ...members,
    '',
    open ? 'clients join with (nothing in it is secret):' : 'clients join with:',
    clients,
    '',
    'start a node with --join and one of these strings; it remembers it.',
  ].join('\n')
}

type Invitation = { invitation: string; join: string; role: string; name: string; expiresAt: number }

export function invitationText({ invitation, join, role, name, expiresAt }: Invitation): string {
  const until = expiresAt === 0 ? 'until it is revoked' : `until ${time(expiresAt)}`
  return [
    `invitation ${invitation.slice(0, 16)}${name === '' ? '' : ` (${printable(name)})`} for ${role === 'member' ? 'one member' : 'clients'}, ${until}: give them this string, and nobody else`,
    join,
  ].join('\n')
}

export function networkViewText(view: NetworkShown): string {
  const head = fields([
    ['network', printable(view.name)],
    ['id', view.id],
    ['made', time(view.createdAt)],
    ['clients', view.open ? 'open: they need no invitation' : 'by invitation'],
  ])
  const admitted = table(view.admitted, [
    { title: 'NODE', value: (row) => shortPeer(row.node) },
    { title: 'ROLE', value: (row) => row.role },
    { title: 'STATE', value: (row) => row.state },
    { title: 'SINCE', value: (row) => time(row.since) },
    { title: 'INVITATION', value: (row) => row.invitation.slice(0, 16) },
    { title: 'MADE FOR', value: (row) => printable(row.invitedAs) },
    { title: 'EXPIRES', value: (row) => (row.expiresAt === null ? 'never' : time(row.expiresAt)) },
  ])
  const unused = view.unused ?? []
  const unusedTable = table(unused, [
    { title: 'INVITATION', value: (row) => row.key.slice(0, 16) },
    { title: 'ROLE', value: (row) => row.role },
    { title: 'STATE', value: () => 'unused' },
    { title: 'MADE FOR', value: (row) => printable(row.name) },
    { title: 'EXPIRES', value: (row) => (row.expiresAt === null ? 'never' : time(row.expiresAt)) },
  ])
  const revoked = table(view.revoked, [
    { title: 'SINCE', value: (row) => time(row.at) },
    { title: 'WHAT', value: (row) => row.kind ?? 'unknown' },
    { title: 'KEY', value: (row) => row.key.slice(0, 16) },
    { title: 'MADE FOR', value: (row) => printable(row.name) },
    { title: 'REASON', value: (row) => printable(row.reason) },
  ])
  return [
    head,
    '',
    view.admitted.length === 0 ? 'nobody is admitted by invitation, as far as this node knows' : admitted,
    ...(unused.length === 0 ? [] : ['', 'invitations that no node has used, as far as this one knows:', unusedTable]),
    ...(view.revoked.length === 0 ? [] : ['', 'revoked:', revoked]),
  ].join('\n')
}

type Revoked = Pick<RevokedRow, 'key' | 'kind' | 'name'>

export const revokedText = (target: Revoked, nodes: number): string =>
  `revoked the ${calledText(target)}: ${nodes === 1 ? '1 node is' : `${nodes} nodes are`} admitted no more`

export const revokedEarlierText = (target: Revoked, at: number): string =>
  `the ${calledText(target)} was revoked already, on ${time(at)}`

function calledText({ key, kind, name }: Revoked): string {
  const id = key.slice(0, 16)
  if (kind === null) return `key ${id}, of which nothing is known here`
  if (name === '') return `${kind} ${id}`
  return kind === 'invitation' ? `invitation ${printable(name)} (${id})` : `node ${id} (${printable(name)})`
}

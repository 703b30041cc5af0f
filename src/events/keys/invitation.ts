import '../codec/protobuf.ts'

import { Writer } from '../codec/protobuf.ts'
import { p2pt } from '../generated/events.js'
import type { NodeRole } from '../model/event.ts'
import { fromHex } from '../model/hex.ts'
import type { Millis, NodeId } from '../model/ids.ts'
import { INVITATION_BYTES_MAX, NAME_BYTES_MAX } from './bounds.ts'
import { CredentialError } from './credential-error.ts'
import { fields, printable, timeOf } from './fields.ts'

/** What a node may be. Members (bootstraps, index nodes) keep the table, accuse, and own partitions; clients do not. */
export type Standing = 'member' | 'client'

export const standingOf = (role: NodeRole): Standing => (role === 'client' ? 'client' : 'member')

/**
 * What the owner certifies. Whoever has the seed of `key` admits nodes by it, until it expires or is revoked: one as a member,
 * any number as clients.
 */
export type Invitation = {
  readonly key: NodeId
  readonly role: Standing
  /** For people: whom it was made for. */
  readonly name: string
  readonly issuedAt: Millis
  /** From then on nodes that it admitted are admitted no more, ms since 1970; 0 never. */
  readonly expiresAt: Millis
}

export function encodeInvitation({ key, ...rest }: Invitation): Uint8Array {
  return p2pt.events.Invitation.encode({ ...rest, key: fromHex(key) }, Writer.create()).finish()
}

/** @throws CredentialError `malformed` */
export function decodeInvitation(bytes: Uint8Array): Invitation {
  const message = fields.message(
    p2pt.events.Invitation,
    fields.bytesUpTo(bytes, INVITATION_BYTES_MAX, 'an invitation'),
    'an invitation',
  )
  const { role } = message
  if (role !== 'member' && role !== 'client') throw new CredentialError('malformed', 'an invitation is for members or clients')
  return {
    key: fields.node(message.key, "an invitation's key"),
    role,
    name: printable(message.name, NAME_BYTES_MAX, "an invitation's name"),
    issuedAt: timeOf(message.issuedAt),
    expiresAt: timeOf(message.expiresAt),
  }
}

export const isExpired = ({ expiresAt }: Pick<Invitation, 'expiresAt'>, at: number): boolean => expiresAt > 0 && at >= expiresAt

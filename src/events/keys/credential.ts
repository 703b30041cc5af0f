import '../codec/protobuf.ts'

import { Writer } from '../codec/protobuf.ts'
import { p2pt } from '../generated/events.js'
import { fromHex } from '../model/hex.ts'
import type { NodeId } from '../model/ids.ts'
import { CREDENTIAL_BYTES_MAX, INVITATION_BYTES_MAX } from './bounds.ts'
import { CredentialError } from './credential-error.ts'
import { fields } from './fields.ts'
import { decodeInvitation, encodeInvitation, type Invitation } from './invitation.ts'
import type { Signer, VerifySignature } from './signer.ts'

// Owner -> invitation -> node: three signatures that anybody can check offline, the third being the node's own on its link
// and under its events. Delegation by certificates in the manner of Nebula's; see docs/adr/0017.

/** An invitation as the owner signed it. */
export type SignedInvitation = { readonly invitation: Uint8Array; readonly ownerSignature: Uint8Array }

/** @param owner the owner's key in this network */
export function signInvitation(invitation: Invitation, owner: Signer): SignedInvitation {
  const bytes = encodeInvitation(invitation)
  return { invitation: bytes, ownerSignature: owner.sign('invitation', bytes) }
}

/**
 * What a node shows to be let in.
 * @param inviter the invitation's own key in this network
 */
export function admit(node: NodeId, { invitation, ownerSignature }: SignedInvitation, inviter: Signer): Uint8Array {
  const invitationSignature = inviter.sign('admission', fromHex(node))
  return p2pt.events.Credential.encode({ invitation, ownerSignature, invitationSignature }, Writer.create()).finish()
}

/**
 * The invitation by which this node is admitted. Says nothing about the time or about revocations.
 * @param verify of the network
 * @throws CredentialError `missing`, `malformed`, `forged`
 */
export function readCredential(bytes: Uint8Array, node: NodeId, owner: NodeId, verify: VerifySignature): Invitation {
  if (bytes.length === 0) throw new CredentialError('missing', 'no credential')
  const message = fields.message(
    p2pt.events.Credential,
    fields.bytesUpTo(bytes, CREDENTIAL_BYTES_MAX, 'a credential'),
    'a credential',
  )
  const signed = {
    invitation: new Uint8Array(message.invitation ?? []),
    ownerSignature: new Uint8Array(fields.signature(message.ownerSignature)),
  }
  const invitation = readInvitation(signed, owner, verify)
  const signature = fields.signature(message.invitationSignature)
  if (!verify('admission', fromHex(node), signature, invitation.key))
    throw new CredentialError('forged', 'the invitation did not admit this node')
  return invitation
}

/** @throws CredentialError `malformed`, `forged` */
export function readInvitation(
  { invitation, ownerSignature }: SignedInvitation,
  owner: NodeId,
  verify: VerifySignature,
): Invitation {
  if (invitation.length > INVITATION_BYTES_MAX) throw new CredentialError('malformed', 'an invitation is too long')
  if (!verify('invitation', invitation, ownerSignature, owner))
    throw new CredentialError('forged', 'the invitation is not signed by the owner of this network')
  return decodeInvitation(invitation)
}

import '../codec/protobuf.ts'

import { Writer } from '../codec/protobuf.ts'
import { p2pt } from '../generated/events.js'
import { fromHex } from '../model/hex.ts'
import type { Millis, NodeId } from '../model/ids.ts'
import { REASON_BYTES_MAX, REVOCATION_BYTES_MAX } from './bounds.ts'
import { CredentialError } from './credential-error.ts'
import { fields, printable, timeOf } from './fields.ts'
import type { Signer, VerifySignature } from './signer.ts'

/** The owner takes an admission back: of one node, or of an invitation and so of every node that it admitted. For good. */
export type Revocation = {
  /** A node's or an invitation's. */
  readonly key: NodeId
  readonly at: Millis
  readonly reason: string
}

export type SignedRevocation = { readonly revocation: Uint8Array; readonly ownerSignature: Uint8Array }

/** @param owner the owner's key in this network */
export function signRevocation({ key, at, reason }: Revocation, owner: Signer): SignedRevocation {
  const bytes = p2pt.events.Revocation.encode({ key: fromHex(key), at, reason }, Writer.create()).finish()
  return { revocation: bytes, ownerSignature: owner.sign('revocation', bytes) }
}

/** @throws CredentialError `malformed`, `forged` */
export function readRevocation(
  { revocation, ownerSignature }: SignedRevocation,
  owner: NodeId,
  verify: VerifySignature,
): Revocation {
  const message = fields.message(
    p2pt.events.Revocation,
    fields.bytesUpTo(revocation, REVOCATION_BYTES_MAX, 'a revocation'),
    'a revocation',
  )
  if (!verify('revocation', revocation, fields.signature(ownerSignature), owner))
    throw new CredentialError('forged', 'the revocation is not signed by the owner of this network')
  return {
    key: fields.node(message.key, 'a revoked key'),
    at: timeOf(message.at),
    reason: printable(message.reason, REASON_BYTES_MAX, 'a reason'),
  }
}

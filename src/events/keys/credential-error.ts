/**
 * Why somebody is not let in, or a string does not lead into a network.
 * `malformed`: not what it should be. `mistyped`: the checksum of a join string is another. `missing`: no credential
 * where one is needed. `forged`: a signature is not the owner's or the invitation's, or is of another network.
 * `expired`, `revoked`: it was good once. `role`: it admits nodes of another role. `newer`: a later version made it.
 * `used`: it is for one member, and another node came first.
 * At a link a fault goes over the wire as its place in this list, from 1.
 */
export const CREDENTIAL_FAULTS = [
  'malformed',
  'mistyped',
  'missing',
  'forged',
  'expired',
  'revoked',
  'role',
  'newer',
  'used',
] as const
export type CredentialFault = (typeof CREDENTIAL_FAULTS)[number]

export class CredentialError extends Error {
  override readonly name = 'CredentialError'
  readonly code: CredentialFault
  constructor(code: CredentialFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

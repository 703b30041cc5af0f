// keys: who a node is and what lets it in: signing contexts, the genesis record that names a network, invitations,
// credentials, revocations and the string to join with. Pure; ed25519 and SHA-256 come in from signer.sodium.ts.
export * from './bounds.ts'
export { admit, readCredential, readInvitation, type SignedInvitation, signInvitation } from './credential.ts'
export { CREDENTIAL_FAULTS, CredentialError, type CredentialFault } from './credential-error.ts'
export { decodeGenesis, encodeGenesis, type Genesis, NONCE_BYTES, networkIdOf, type Sha256 } from './genesis.ts'
export { type Invitation, isExpired, type Standing, standingOf } from './invitation.ts'
export {
  BOOTSTRAP_BYTES_MAX,
  BOOTSTRAPS_MAX,
  decodeJoinString,
  encodeJoinString,
  JOIN_PREFIX,
  type JoinTicket,
} from './join-string.ts'
export { type Revocation, readRevocation, type SignedRevocation, signRevocation } from './revocation.ts'
export type { Purpose } from './signing.ts'

import type { NodeId } from '../model/ids.ts'
import type { Purpose } from './signing.ts'

/** An ed25519 key in one network, able to sign. */
export interface Signer {
  readonly id: NodeId
  /** @returns the 64 byte signature (RFC 8032) over purpose, network and these bytes (keys/signing.ts) */
  sign(purpose: Purpose, bytes: Uint8Array): Uint8Array
}

/** True if `signature` (64 bytes) over purpose, network and `bytes` is by `key`; false for anything malformed, never a throw. */
export type VerifySignature = (purpose: Purpose, bytes: Uint8Array, signature: Uint8Array, key: NodeId) => boolean

import type { NodeId } from './ids.ts'

/** A node's ed25519 key, able to sign. */
export interface Signer {
  readonly id: NodeId
  /** @returns the 64 byte signature (RFC 8032) of exactly these bytes */
  sign(bytes: Uint8Array): Uint8Array
}

/** True if `signature` (64 bytes) over `bytes` is by `author`; false for anything malformed, never a throw. */
export type VerifySignature = (bytes: Uint8Array, signature: Uint8Array, author: NodeId) => boolean

import type { NodeId } from '../model/ids.ts'
import type { Purpose } from './signing.ts'

/** An ed25519 key in one network, able to sign. */
export interface Signer {
  readonly id: NodeId
  /** @returns the 64 byte signature (RFC 8032) over purpose, network and these bytes (keys/signing.ts) */
  sign(purpose: Purpose, bytes: Uint8Array): Uint8Array
}

/**
 * Signs the event bodies of one commit after the other. Between `begin` and `finish` nothing else runs, so that an
 * implementation may have several signed at once while the commit is still being planned.
 */
export interface CommitSigner {
  /** A commit begins, with about so many bodies. */
  begin(count: number): void
  /** Hands over a body, which may be signed from now on. */
  add(body: Uint8Array): void
  /** @returns the signatures of all bodies since `begin`, in the order in which they were added */
  finish(): readonly Uint8Array[]
}

/** One body after the other, at the end. */
export function signsInTurn(signer: Signer): CommitSigner {
  let bodies: Uint8Array[] = []
  return {
    begin: () => {
      bodies = []
    },
    add: (body) => void bodies.push(body),
    finish: () => bodies.map((body) => signer.sign('event', body)),
  }
}

/** True if `signature` (64 bytes) over purpose, network and `bytes` is by `key`; false for anything malformed, never a throw. */
export type VerifySignature = (purpose: Purpose, bytes: Uint8Array, signature: Uint8Array, key: NodeId) => boolean

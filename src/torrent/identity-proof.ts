import type { InfoHash, NodeId } from '../events/index.ts'
import { fromHex, toHex } from '../events/index.ts'
import type { EngineOptions } from './engine.ts'

// The BEP 10 extension `p2pt_id`: a peer proves its node key for this one connection. The message is the ed25519 key
// (32 bytes) and a signature (64 bytes) of the purpose `peer` over the info hash, the signer's BitTorrent peer id and the
// verifier's, 20 bytes each. Signer first: a signature thrown back at its maker does not verify. Peer ids are chosen
// afresh by each process, so a proof is of no use on another connection. It does not protect the bytes that follow from
// someone who sits on the path of both: what encryption there is proves nobody, and a relay of the whole connection stays one.

export const IDENTITY_EXTENSION = 'p2pt_id'
export const IDENTITY_PROOF_BYTES = 96

const KEY_BYTES = 32

/** Both ends of a connection, peer ids as 40 hex digits. */
export type Connection = { infoHash: InfoHash; signerPeerId: string; verifierPeerId: string }

type Identity = EngineOptions['identity']

/** @returns the 96 byte message */
export function proveIdentity(identity: Pick<Identity, 'id' | 'sign'>, connection: Connection): Uint8Array {
  const message = new Uint8Array(IDENTITY_PROOF_BYTES)
  message.set(fromHex(identity.id))
  message.set(identity.sign('peer', signedBytes(connection)), KEY_BYTES)
  return message
}

/** The key a message proves, or undefined if it proves none; never throws. */
export function verifyIdentity(
  identity: Pick<Identity, 'id' | 'verify'>,
  connection: Connection,
  message: Uint8Array,
): NodeId | undefined {
  if (message.length !== IDENTITY_PROOF_BYTES) return undefined
  const key = toHex(message.subarray(0, KEY_BYTES)) as NodeId
  if (key === identity.id || connection.signerPeerId === connection.verifierPeerId) return undefined
  return identity.verify('peer', signedBytes(connection), message.subarray(KEY_BYTES), key) ? key : undefined
}

const signedBytes = ({ infoHash, signerPeerId, verifierPeerId }: Connection): Uint8Array =>
  fromHex(`${infoHash}${signerPeerId}${verifierPeerId}`)

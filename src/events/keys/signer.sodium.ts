import sodium from 'sodium-native'
import { fromHex, toHex } from '../model/hex.ts'
import type { NetworkId, NodeId } from '../model/ids.ts'
import type { Signer, VerifySignature } from './signer.ts'
import { type Purpose, signingPrefix } from './signing.ts'

export const SEED_BYTES = 32

/** The ed25519 key of a 32 byte seed (RFC 8032) in one network. The same seed gives HyperDHT the same key. */
export function signerFromSeed(seed: Uint8Array, network: NetworkId): Signer & { readonly seed: Uint8Array } {
  const { publicKey, secretKey } = keyPair(seed)
  const signed = signedBytesIn(network)
  return {
    id: toHex(publicKey) as NodeId,
    seed,
    sign(purpose, bytes) {
      const signature = Buffer.allocUnsafeSlow(sodium.crypto_sign_BYTES)
      sodium.crypto_sign_detached(signature, signed(purpose, bytes), secretKey)
      return signature
    },
  }
}

/** The public key of a 32 byte seed: it is the same in every network. */
export const keyOfSeed = (seed: Uint8Array): NodeId => toHex(keyPair(seed).publicKey) as NodeId

/** A new random seed, 32 bytes. */
export const randomSeed = (): Uint8Array => randomBytes(SEED_BYTES)

export function randomBytes(count: number): Uint8Array {
  const bytes = Buffer.alloc(count)
  sodium.randombytes_buf(bytes)
  return bytes
}

/** @returns 32 bytes (FIPS 180-4) */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = Buffer.alloc(sodium.crypto_hash_sha256_BYTES)
  sodium.crypto_hash_sha256(digest, bytes)
  return digest
}

/** Checks signatures that were made in this network. */
export function verifierOf(network: NetworkId): VerifySignature {
  const signed = signedBytesIn(network)
  return (purpose, bytes, signature, key) => {
    if (signature.length !== sodium.crypto_sign_BYTES || key.length !== 64) return false
    return sodium.crypto_sign_verify_detached(signature, signed(purpose, bytes), fromHex(key))
  }
}

function keyPair(seed: Uint8Array): { publicKey: Uint8Array; secretKey: Uint8Array } {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a key seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES)
  const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
  return { publicKey, secretKey }
}

/** Room for any body that travels; a longer one, such as a whole torrent file, gets a buffer of its own. */
const SCRATCH_BYTES = 64 * 1024

/** One buffer a purpose, used again for each call: bodies are signed and checked far too often to allocate for each. */
function signedBytesIn(network: NetworkId): (purpose: Purpose, bytes: Uint8Array) => Uint8Array {
  const buffers = new Map<Purpose, { prefix: Uint8Array; scratch: Uint8Array }>()
  return (purpose, bytes) => {
    let buffer = buffers.get(purpose)
    if (buffer === undefined) {
      const prefix = signingPrefix(network, purpose)
      buffer = { prefix, scratch: Buffer.allocUnsafeSlow(prefix.length + SCRATCH_BYTES) }
      buffer.scratch.set(prefix)
      buffers.set(purpose, buffer)
    }
    const { prefix, scratch } = buffer
    if (bytes.length > SCRATCH_BYTES) return Buffer.concat([prefix, bytes])
    scratch.set(bytes, prefix.length)
    return scratch.subarray(0, prefix.length + bytes.length)
  }
}

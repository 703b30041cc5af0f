import sodium from 'sodium-native'
import { fromHex, toHex } from './hex.ts'
import type { NodeId } from './ids.ts'
import type { Signer, VerifySignature } from './signer.ts'

export const SEED_BYTES = 32

/** The ed25519 key of a 32 byte seed (RFC 8032). The same seed gives HyperDHT the same key. */
export function signerFromSeed(seed: Uint8Array): Signer & {
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
} {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a key seed has ${SEED_BYTES} bytes, not ${seed.length}`)
  const publicKey = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES)
  const secretKey = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
  return {
    id: toHex(publicKey) as NodeId,
    publicKey,
    secretKey,
    seed,
    sign(bytes) {
      const signature = Buffer.allocUnsafeSlow(sodium.crypto_sign_BYTES)
      sodium.crypto_sign_detached(signature, bytes, secretKey)
      return signature
    },
  }
}

/** A new random seed, 32 bytes. */
export function randomSeed(): Uint8Array {
  const seed = Buffer.alloc(SEED_BYTES)
  sodium.randombytes_buf(seed)
  return seed
}

export const verifySignature: VerifySignature = (bytes, signature, author) => {
  if (signature.length !== sodium.crypto_sign_BYTES || author.length !== 64) return false
  return sodium.crypto_sign_verify_detached(signature, bytes, fromHex(author))
}

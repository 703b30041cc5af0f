import { createDiffieHellman, type DiffieHellman, randomBytes as systemRandomBytes } from 'node:crypto'
import { DH_KEY_BYTES, type DhKeys } from './dh-keys.ts'

/** MSE's prime, the 768 bits of RFC 2409 (Oakley group 1) with an end of its own; the generator is 2. */
const PRIME_HEX =
  'ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd' +
  'ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563'
const GENERATOR = 2
/** The specification asks for 160 bits: more costs time, and the group is not stronger than that. */
const PRIVATE_BYTES = 20

let sharedGroup: DiffieHellman | undefined

/**
 * With node:crypto. OpenSSL 3 takes 768 bits, but tests the prime each time a group is made, for 14 ms: all pairs share
 * one group, made at the first handshake, and set their private key in it for the moment of a computation.
 * @param randomBytes where private keys come from; left out: the system's generator
 */
export function systemDhKeys(randomBytes: (count: number) => Uint8Array = systemRandomBytes): DhKeys {
  return {
    make() {
      sharedGroup ??= createDiffieHellman(Buffer.from(PRIME_HEX, 'hex'), GENERATOR)
      const group = sharedGroup
      const privateKey = Uint8Array.from(randomBytes(PRIVATE_BYTES))
      // Never a small number, whatever the generator gives: a small exponent is found by trying.
      privateKey[0] = (privateKey[0] ?? 0) | 0x80
      group.setPrivateKey(privateKey)
      const publicKey = padded(group.generateKeys())
      return {
        publicKey,
        secretWith(theirs) {
          if (theirs.length !== DH_KEY_BYTES) return undefined
          group.setPrivateKey(privateKey)
          try {
            return padded(group.computeSecret(theirs))
          } catch {
            // ERR_CRYPTO_INVALID_KEYLEN or "invalid secret": the peer's number, so data and not an error of ours.
            return undefined
          }
        },
      }
    },
  }
}

/** OpenSSL gives a public key without its leading zeros: one in 256 is shorter. */
function padded(number: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(DH_KEY_BYTES)
  bytes.set(number, DH_KEY_BYTES - number.length)
  return bytes
}

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { systemDhKeys } from '../../../src/torrent/encryption/dh.system.ts'
import { DH_KEY_BYTES } from '../../../src/torrent/encryption/dh-keys.ts'

/** As the specification writes it, to compare with arithmetic that has nothing to do with OpenSSL. */
const PRIME = BigInt(
  '0xFFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563',
)

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, left = exponent; left > 0n; left >>= 1n, square = (square * square) % PRIME) {
    if (left & 1n) result = (result * square) % PRIME
  }
  return result
}

const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const bytesOf = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(2 * DH_KEY_BYTES, '0'), 'hex')
const privateBytes = fc.uint8Array({ minLength: 20, maxLength: 20 })
/** What the adapter makes of 20 random bytes: the highest bit is set. */
const exponent = (bytes: Uint8Array): bigint => number(bytes) | (1n << 159n)

describe('Diffie-Hellman with node:crypto', () => {
  it('computes what arithmetic says, with 160-bit private keys', () => {
    fc.assert(
      fc.property(privateBytes, privateBytes, (a, b) => {
        const ours = systemDhKeys(() => a).make()
        const theirs = systemDhKeys(() => b).make()
        assert.equal(number(ours.publicKey), power(2n, exponent(a)))
        const secret = ours.secretWith(theirs.publicKey)
        assert.ok(secret)
        assert.equal(secret.length, DH_KEY_BYTES)
        assert.equal(number(secret), power(2n, exponent(a) * exponent(b)))
        assert.deepEqual(theirs.secretWith(ours.publicKey), secret)
      }),
    )
  })

  it('writes 96 bytes where the number is shorter', () => {
    let chosen = 1n << 159n
    while (power(2n, chosen) >> (8n * 95n) !== 0n) chosen++
    const pair = systemDhKeys(() => Buffer.from(chosen.toString(16), 'hex')).make()
    assert.equal(pair.publicKey.length, DH_KEY_BYTES)
    assert.equal(pair.publicKey[0], 0)
    assert.equal(number(pair.publicKey), power(2n, chosen))
    assert.deepEqual(pair.secretWith(bytesOf(2n)), pair.publicKey)
  })

  const weak: Record<string, Uint8Array> = {
    '0': bytesOf(0n),
    '1': bytesOf(1n),
    'the prime less one': bytesOf(PRIME - 1n),
    'the prime': bytesOf(PRIME),
    'the prime and one': bytesOf(PRIME + 1n),
    'all ones': new Uint8Array(DH_KEY_BYTES).fill(255),
    'a byte too few': new Uint8Array(DH_KEY_BYTES - 1).fill(3),
    'a byte too many': new Uint8Array(DH_KEY_BYTES + 1).fill(3),
    nothing: new Uint8Array(),
  }
  for (const [name, key] of Object.entries(weak)) {
    it(`makes no secret with ${name}`, () => {
      assert.equal(systemDhKeys().make().secretWith(key), undefined)
    })
  }
})

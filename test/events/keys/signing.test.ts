import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type NetworkId, type Purpose, toHex } from '../../../src/events/index.ts'
import { keyOfSeed, randomSeed, signerFromSeed, verifierOf } from '../../../src/events/keys/signer.sodium.ts'
import { signingPrefix } from '../../../src/events/keys/signing.ts'

const PURPOSES: readonly Purpose[] = ['event', 'peer', 'invitation', 'admission', 'revocation']
const networks = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => toHex(bytes) as NetworkId)
const purposes = fc.constantFrom(...PURPOSES)
const seed = randomSeed()

describe('a signature', () => {
  it('passes for its own purpose, network, bytes and key, and for no other', () => {
    const other = keyOfSeed(randomSeed())
    fc.assert(
      fc.property(
        networks,
        networks,
        purposes,
        fc.uint8Array(),
        fc.uint8Array(),
        (network, elsewhere, purpose, bytes, more) => {
          fc.pre(network !== elsewhere)
          const { id, sign } = signerFromSeed(seed, network)
          const signature = sign(purpose, bytes)
          assert.equal(signature.length, 64)
          for (const tried of PURPOSES) assert.equal(verifierOf(network)(tried, bytes, signature, id), tried === purpose, tried)
          assert.equal(verifierOf(elsewhere)(purpose, bytes, signature, id), false)
          assert.equal(verifierOf(network)(purpose, bytes, signature, other), false)
          if (more.length > 0) assert.equal(verifierOf(network)(purpose, Buffer.concat([bytes, more]), signature, id), false)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('covers bytes that no other purpose, network or content could give', () => {
    fc.assert(
      fc.property(networks, networks, purposes, purposes, fc.uint8Array(), fc.uint8Array(), (a, b, one, two, x, y) => {
        const signed = (network: NetworkId, purpose: Purpose, bytes: Uint8Array): string =>
          toHex(signingPrefix(network, purpose)) + toHex(bytes)
        const isSame = a === b && one === two && toHex(x) === toHex(y)
        assert.equal(signed(a, one, x) === signed(b, two, y), isSame)
      }),
    )
    for (const one of PURPOSES)
      for (const two of PURPOSES)
        if (one !== two) {
          const [shorter, longer] = [one, two].map((each) => `p2pt ${each} 1\n`).sort((p, q) => p.length - q.length)
          assert.ok(!longer?.startsWith(shorter ?? ''), `${one} begins ${two}`)
        }
  })

  it('that is malformed is none, without a throw', () => {
    const { id, sign } = signerFromSeed(seed, '0'.repeat(64) as NetworkId)
    const verify = verifierOf('0'.repeat(64) as NetworkId)
    const good = sign('event', new Uint8Array([1]))
    for (const signature of [new Uint8Array(), good.subarray(1), Buffer.concat([good, good])])
      assert.equal(verify('event', new Uint8Array([1]), signature, id), false)
    assert.equal(verify('event', new Uint8Array([1]), good, 'ab' as typeof id), false)
  })

  it('holds over bodies longer than the buffer that others share', () => {
    const { id, sign } = signerFromSeed(seed, '0'.repeat(64) as NetworkId)
    const verify = verifierOf('0'.repeat(64) as NetworkId)
    for (const length of [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 300_000]) {
      const bytes = new Uint8Array(length).fill(7)
      const signature = sign('event', bytes)
      assert.equal(verify('event', bytes, signature, id), true, `${length} bytes`)
      bytes[length - 1] = 8
      assert.equal(verify('event', bytes, signature, id), false, `${length} bytes`)
    }
  })

  it('is made with a seed of 32 bytes: a longer one is not cut off', () => {
    for (const bytes of [31, 33]) assert.throws(() => keyOfSeed(new Uint8Array(bytes)), RangeError)
    assert.equal(keyOfSeed(new Uint8Array(32)).length, 64)
  })
})

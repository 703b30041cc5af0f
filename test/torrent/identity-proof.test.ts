import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { InfoHash } from '../../src/events/index.ts'
import { randomSeed, signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { IDENTITY_PROOF_BYTES, proveIdentity, verifyIdentity } from '../../src/torrent/identity-proof.ts'
import { TEST_NETWORK, verifySignature } from '../events/test-network.ts'

const identity = () => ({ ...signerFromSeed(randomSeed(), TEST_NETWORK), verify: verifySignature })
const alice = identity()
const bob = identity()
const connection = { infoHash: '1a'.repeat(20) as InfoHash, signerPeerId: '2b'.repeat(20), verifierPeerId: '3c'.repeat(20) }

describe('the proof of an identity', () => {
  it('is believed on its own connection', () => {
    const proof = proveIdentity(alice, connection)
    assert.equal(proof.length, IDENTITY_PROOF_BYTES)
    assert.equal(verifyIdentity(bob, connection, proof), alice.id)
  })

  it('is worth nothing on another connection, for another torrent, or thrown back', () => {
    const proof = proveIdentity(alice, connection)
    const { signerPeerId, verifierPeerId } = connection
    const others = [
      { ...connection, infoHash: '1b'.repeat(20) as InfoHash },
      { ...connection, signerPeerId: '2c'.repeat(20) },
      { ...connection, verifierPeerId: '3d'.repeat(20) },
      { ...connection, signerPeerId: verifierPeerId, verifierPeerId: signerPeerId },
    ]
    for (const other of others) assert.equal(verifyIdentity(bob, other, proof), undefined)
    assert.equal(verifyIdentity(alice, connection, proof), undefined, 'our own key from somebody else')
  })

  it('is worth nothing between two ends of one name, whoever signed it', () => {
    const same = { ...connection, verifierPeerId: connection.signerPeerId }
    assert.equal(verifyIdentity(bob, same, proveIdentity(alice, same)), undefined)
  })

  it('is not believed of our own key, on whatever connection', () => {
    assert.equal(verifyIdentity(bob, connection, proveIdentity(bob, connection)), undefined)
  })

  it('is refused after any change of a byte or of the length, without a throw', () => {
    const proof = proveIdentity(alice, connection)
    fc.assert(
      fc.property(fc.nat(IDENTITY_PROOF_BYTES - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = proof.slice()
        changed[at] = (changed[at] ?? 0) ^ change
        assert.equal(verifyIdentity(bob, connection, changed), undefined)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) =>
        assert.equal(verifyIdentity(bob, connection, bytes), undefined),
      ),
    )
  })
})

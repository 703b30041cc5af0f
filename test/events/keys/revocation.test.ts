import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type Millis,
  REASON_BYTES_MAX,
  REVOCATION_BYTES_MAX,
  type Revocation,
  readRevocation,
  signRevocation,
} from '../../../src/events/index.ts'
import { TEST_OWNER, verifySignature } from '../test-network.ts'
import { isFault, keyOf, OTHER_NETWORK } from './keys-fixture.ts'

const REVOCATION: Revocation = { key: keyOf(3).id, at: 1_700_000_000_000 as Millis, reason: 'has left us' }
const read = (signed: ReturnType<typeof signRevocation>) => readRevocation(signed, TEST_OWNER.id, verifySignature)

describe('a revocation', () => {
  it('is read as the owner signed it', () => {
    assert.deepEqual(read(signRevocation(REVOCATION, TEST_OWNER)), REVOCATION)
  })

  it('counts from the owner alone, of this network, and for this purpose', () => {
    const signed = signRevocation(REVOCATION, TEST_OWNER)
    assert.throws(() => read(signRevocation(REVOCATION, keyOf(4))), isFault('forged'))
    assert.throws(() => read(signRevocation(REVOCATION, keyOf(201, OTHER_NETWORK))), isFault('forged'))
    assert.throws(() => read({ ...signed, ownerSignature: TEST_OWNER.sign('event', signed.revocation) }), isFault('forged'))
    const other = signRevocation({ ...REVOCATION, key: keyOf(5).id }, TEST_OWNER)
    assert.throws(() => read({ ...signed, revocation: other.revocation }), isFault('forged'))
  })

  it('has bounds, and the longest within them is short enough', () => {
    const longest = { ...REVOCATION, at: Number.MAX_SAFE_INTEGER as Millis, reason: 'x'.repeat(REASON_BYTES_MAX) }
    const signed = signRevocation(longest, TEST_OWNER)
    assert.ok(signed.revocation.length <= REVOCATION_BYTES_MAX)
    assert.deepEqual(read(signed), longest)
    for (const more of [
      { reason: 'x'.repeat(REASON_BYTES_MAX + 1) },
      { reason: 'two\nlines' },
      { at: (Number.MAX_SAFE_INTEGER + 1) as Millis },
      { key: REVOCATION.key.slice(2) as Revocation['key'] },
    ])
      assert.throws(
        () => read(signRevocation({ ...REVOCATION, ...more }, TEST_OWNER)),
        isFault('malformed'),
        JSON.stringify(more),
      )
    const revocation = new Uint8Array(REVOCATION_BYTES_MAX + 1)
    assert.throws(() => read({ revocation, ownerSignature: TEST_OWNER.sign('revocation', revocation) }), isFault('malformed'))
    assert.throws(() => read({ ...signed, ownerSignature: signed.ownerSignature.subarray(1) }), isFault('malformed'))
  })

  it('says which of its fields is wrong', () => {
    const refusal = (code: string, message: string) => ({ name: 'CredentialError', code, message })
    const of = (more: Partial<Revocation>) => read(signRevocation({ ...REVOCATION, ...more }, TEST_OWNER))
    const signed = (revocation: Uint8Array) => read({ revocation, ownerSignature: TEST_OWNER.sign('revocation', revocation) })
    assert.throws(() => of({ key: 'ab' as Revocation['key'] }), refusal('malformed', 'a revoked key must have 32 bytes'))
    assert.throws(() => of({ reason: 'two\nlines' }), refusal('malformed', 'a reason has control characters'))
    assert.throws(() => signed(new Uint8Array(193)), refusal('malformed', 'a revocation has more than 192 bytes'))
    assert.throws(() => signed(Uint8Array.of(255)), refusal('malformed', 'a revocation cannot be read'))
    assert.throws(
      () => read(signRevocation(REVOCATION, keyOf(4))),
      refusal('forged', 'the revocation is not signed by the owner of this network'),
    )
  })

  it('is refused whatever bytes come', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 250, size: 'max' }),
        fc.uint8Array({ minLength: 64, maxLength: 64 }),
        (revocation, ownerSignature) => {
          assert.throws(() => read({ revocation, ownerSignature }), { name: 'CredentialError' })
        },
      ),
    )
  })
})

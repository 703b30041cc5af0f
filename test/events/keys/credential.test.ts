import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  admit,
  CREDENTIAL_BYTES_MAX,
  INVITATION_BYTES_MAX,
  type Invitation,
  isExpired,
  type Millis,
  NAME_BYTES_MAX,
  readCredential,
  readInvitation,
  type Standing,
  signInvitation,
} from '../../../src/events/index.ts'
import { verifierOf } from '../../../src/events/keys/signer.sodium.ts'
import { TEST_NETWORK, TEST_OWNER, verifySignature } from '../test-network.ts'
import { invitationOf, isFault, keyOf, OTHER_NETWORK } from './keys-fixture.ts'

const node = keyOf(7).id
const inviter = keyOf(5)
const credential = (more: Partial<Invitation> = {}): Uint8Array =>
  admit(node, signInvitation(invitationOf(5, more), TEST_OWNER), inviter)
const read = (bytes: Uint8Array, of = node) => readCredential(bytes, of, TEST_OWNER.id, verifySignature)

describe('a credential', () => {
  it('says by which invitation its node is admitted', () => {
    assert.deepEqual(read(credential()), invitationOf(5))
    const member = { role: 'member', name: 'Gärtnerei, Graz', expiresAt: 1_900_000_000_000 as Millis } as const
    assert.deepEqual(read(credential(member)), invitationOf(5, member))
  })

  it('is of its node alone: another that shows it has none', () => {
    assert.throws(() => read(credential(), keyOf(8).id), isFault('forged'))
  })

  it('counts only where owner and invitation have signed, each for this', () => {
    const signed = signInvitation(invitationOf(5), TEST_OWNER)
    const bySelf = signInvitation(invitationOf(5), keyOf(7))
    const others = {
      'an owner of one’s own': admit(node, bySelf, inviter),
      'an invitation of which one has not the seed': admit(node, signed, keyOf(6)),
      'another invitation under the owner’s signature': admit(
        node,
        { ...signInvitation(invitationOf(6), TEST_OWNER), ownerSignature: signed.ownerSignature },
        keyOf(6),
      ),
      'a role that was changed': admit(
        node,
        { ...signed, invitation: signInvitation(invitationOf(5, { role: 'member' }), keyOf(9)).invitation },
        inviter,
      ),
      'an owner’s signature for something else': admit(
        node,
        { ...signed, ownerSignature: TEST_OWNER.sign('event', signed.invitation) },
        inviter,
      ),
      'an owner’s signature in another network': admit(
        node,
        { ...signed, ownerSignature: keyOf(201, OTHER_NETWORK).sign('invitation', signed.invitation) },
        inviter,
      ),
      'an invitation’s signature in another network': admit(node, signed, keyOf(5, OTHER_NETWORK)),
    }
    for (const [what, bytes] of Object.entries(others)) assert.throws(() => read(bytes), isFault('forged'), what)
    assert.throws(() => readCredential(credential(), node, keyOf(9).id, verifySignature), isFault('forged'))
    assert.throws(() => readCredential(credential(), node, TEST_OWNER.id, verifierOf(OTHER_NETWORK)), isFault('forged'))
  })

  it('is good for nothing with any bit changed', () => {
    const whole = credential()
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = Uint8Array.from(whole, (byte, index) => (index === at ? byte ^ change : byte))
        assert.throws(
          () => read(altered),
          (error) => error instanceof Error && 'code' in error && ['forged', 'malformed'].includes(String(error.code)),
        )
      }),
      { numRuns: 300 },
    )
    assert.throws(() => read(new Uint8Array()), isFault('missing'))
  })

  it('has bounds, and the longest within them is short enough', () => {
    const longest = {
      name: 'x'.repeat(NAME_BYTES_MAX),
      issuedAt: Number.MAX_SAFE_INTEGER as Millis,
      expiresAt: Number.MAX_SAFE_INTEGER as Millis,
    }
    const bytes = credential({ role: 'member', ...longest })
    assert.ok(bytes.length <= CREDENTIAL_BYTES_MAX, `${bytes.length}`)
    assert.equal(read(bytes).name.length, NAME_BYTES_MAX)
    const bad: readonly Partial<Invitation>[] = [
      { name: 'x'.repeat(NAME_BYTES_MAX + 1) },
      { name: 'line\nfeed' },
      { role: 'owner' as Standing },
      { key: keyOf(5).id.slice(2) as typeof node },
      { issuedAt: (Number.MAX_SAFE_INTEGER + 1) as Millis },
      { expiresAt: (Number.MAX_SAFE_INTEGER + 1) as Millis },
    ]
    for (const more of bad) assert.throws(() => read(credential(more)), isFault('malformed'), JSON.stringify(more))
    const signed = signInvitation(invitationOf(5, { role: 'member', ...longest }), TEST_OWNER)
    const filled = new Uint8Array(INVITATION_BYTES_MAX + 1)
    filled.set(signed.invitation)
    const tooLong = { invitation: filled, ownerSignature: TEST_OWNER.sign('invitation', filled) }
    assert.throws(() => readInvitation(tooLong, TEST_OWNER.id, verifySignature), isFault('malformed'))
    for (const length of [CREDENTIAL_BYTES_MAX + 1, 64 * 1024])
      assert.throws(() => read(new Uint8Array(length)), isFault('malformed'))
    for (const ownerSignature of [new Uint8Array(63), new Uint8Array(65)])
      assert.throws(() => read(admit(node, { ...signed, ownerSignature }, inviter)), isFault('malformed'))
  })

  it('is refused as malformed, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400, size: 'max' }), (bytes) =>
        assert.throws(() => read(bytes), isFault('malformed')),
      ),
    )
  })

  it('expires at its time, and never with none', () => {
    assert.equal(isExpired({ expiresAt: 1_000 as Millis }, 999), false)
    assert.equal(isExpired({ expiresAt: 1_000 as Millis }, 1_000), true)
    assert.equal(isExpired({ expiresAt: 0 as Millis }, Number.MAX_SAFE_INTEGER), false)
  })

  it('of one network lets nobody into another', () => {
    assert.notEqual(OTHER_NETWORK, TEST_NETWORK)
    const elsewhere = keyOf(201, OTHER_NETWORK)
    const bytes = admit(node, signInvitation(invitationOf(5), elsewhere), keyOf(5, OTHER_NETWORK))
    assert.deepEqual(readCredential(bytes, node, elsewhere.id, verifierOf(OTHER_NETWORK)), invitationOf(5))
    assert.equal(elsewhere.id, TEST_OWNER.id, 'the same owner')
    assert.throws(() => read(bytes), isFault('forged'))
  })

  it('says what is wrong with it', () => {
    const signed = signInvitation(invitationOf(5), TEST_OWNER)
    assert.throws(() => read(new Uint8Array()), { message: 'no credential' })
    assert.throws(() => read(new Uint8Array(CREDENTIAL_BYTES_MAX + 1)), /a credential has more than/)
    assert.throws(
      () => read(admit(node, { ...signed, ownerSignature: new Uint8Array(9) }, inviter)),
      /a signature must have 64/,
    )
    assert.throws(() => read(credential(), keyOf(8).id), { message: 'the invitation did not admit this node' })
    const readIt = (invitation: Uint8Array) =>
      readInvitation({ invitation, ownerSignature: TEST_OWNER.sign('invitation', invitation) }, TEST_OWNER.id, verifySignature)
    assert.throws(() => readIt(new Uint8Array(INVITATION_BYTES_MAX + 1)), { message: 'an invitation is too long' })
    assert.throws(() => readInvitation({ ...signed, ownerSignature: new Uint8Array(64) }, TEST_OWNER.id, verifySignature), {
      message: 'the invitation is not signed by the owner of this network',
    })
  })
})

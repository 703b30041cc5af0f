import assert from 'node:assert/strict'
import { INVITATION_BYTES_MAX } from '../../../src/events/keys/bounds.ts'
import {
  decodeInvitation,
  encodeInvitation,
  type Invitation,
  isExpired,
  standingOf,
} from '../../../src/events/keys/invitation.ts'
import type { Millis, NodeId } from '../../../src/events/model/ids.ts'
import { invitationOf } from './keys-fixture.ts'

const read = (more: Partial<Invitation>): Invitation => decodeInvitation(encodeInvitation(invitationOf(5, more)))
const refusal = (message: string) => ({ name: 'CredentialError', code: 'malformed', message })

describe('an invitation', () => {
  it('is read as it was written, for members and for clients', () => {
    for (const role of ['member', 'client'] as const) {
      const invitation = invitationOf(5, { role, expiresAt: 1_800_000_000_000 as Millis })
      assert.deepEqual(decodeInvitation(encodeInvitation(invitation)), invitation)
    }
  })

  it('says which of its fields is wrong', () => {
    assert.throws(() => read({ role: 'owner' as 'member' }), refusal('an invitation is for members or clients'))
    assert.throws(() => read({ key: 'd'.repeat(62) as NodeId }), refusal("an invitation's key must have 32 bytes"))
    assert.throws(() => read({ name: 'x'.repeat(65) }), refusal("an invitation's name has more than 64 bytes"))
    assert.throws(() => read({ name: 'a\u0007' }), refusal("an invitation's name has control characters"))
    for (const field of ['issuedAt', 'expiresAt'])
      assert.throws(() => read({ [field]: 2 ** 53 }), refusal('a time is out of range'))
    assert.throws(() => decodeInvitation(Uint8Array.of(255)), refusal('an invitation cannot be read'))
  })

  it('is as long as the bound and no longer', () => {
    const whole = encodeInvitation(invitationOf(5))
    // Field 15, which nobody knows, fills it up.
    const of = (length: number): Uint8Array => {
      const left = length - whole.length - 2
      return Uint8Array.from([...whole, 122, left, ...new Uint8Array(left)])
    }
    assert.deepEqual(decodeInvitation(of(INVITATION_BYTES_MAX)), invitationOf(5))
    assert.throws(
      () => decodeInvitation(of(INVITATION_BYTES_MAX + 1)),
      refusal(`an invitation has more than ${INVITATION_BYTES_MAX} bytes`),
    )
  })

  it('expires at its moment, and never where that is 0', () => {
    assert.equal(isExpired({ expiresAt: 100 as Millis }, 99), false)
    assert.equal(isExpired({ expiresAt: 100 as Millis }, 100), true)
    assert.equal(isExpired({ expiresAt: 1 as Millis }, 1), true)
    assert.equal(isExpired({ expiresAt: 0 as Millis }, Number.MAX_SAFE_INTEGER), false)
  })

  it('is for members where the node is a bootstrap or an index node', () => {
    assert.deepEqual((['bootstrap', 'index', 'client'] as const).map(standingOf), ['member', 'member', 'client'])
  })
})

import assert from 'node:assert/strict'
import { admit, type Event, type Millis, type NodeId, signInvitation, signRevocation } from '../../../src/events/index.ts'
import { admissionsProjection, isLongRevoked, KEPT_AFTER_REVOCATION_MS, revokedSince } from '../../../src/projections/index.ts'
import { invitationOf, keyOf } from '../../events/keys/keys-fixture.ts'
import { TEST_KEYS, TEST_OWNER } from '../../events/test-network.ts'
import { EnvelopeMaker, foldAll } from '../envelopes.ts'

const DAY_MS = 86_400_000
const [ada, bob, own] = [keyOf(1).id, keyOf(2).id, keyOf(3).id]
const AT = 1_800_000_000_000

const shown = (node: NodeId, key: number): Event => ({
  kind: 'node.admitted',
  credential: admit(node, signInvitation(invitationOf(key), TEST_OWNER), keyOf(key)),
})
const revoked = (key: NodeId, at = AT): Event => ({
  kind: 'access.revoked',
  ...signRevocation({ key, at: at as Millis, reason: '' }, TEST_OWNER),
})
const told = (...events: readonly (readonly [by: NodeId, event: Event])[]) => {
  const maker = new EnvelopeMaker()
  return foldAll(
    admissionsProjection(TEST_KEYS.owner, TEST_KEYS.verify),
    events.map(([by, event]) => maker.make(by, event)),
  )
}
const goneAt = (state: ReturnType<typeof told>, now: number) =>
  [ada, bob, own].filter((node) => isLongRevoked(state, node, { own, now }))

describe('authors whose publications go', () => {
  it('are those revoked for a day, and not a millisecond before', () => {
    assert.equal(KEPT_AFTER_REVOCATION_MS, DAY_MS)
    const state = told([ada, shown(ada, 10)], [bob, shown(bob, 11)], [bob, revoked(keyOf(10).id)])
    assert.equal(revokedSince(state, ada), AT)
    assert.deepEqual(goneAt(state, AT + DAY_MS - 1), [])
    assert.deepEqual(goneAt(state, AT + DAY_MS), [ada])
  })

  it('are not those that have shown a newer invitation that still holds, before the revocation or after it', () => {
    const again = told([ada, shown(ada, 10)], [bob, revoked(keyOf(10).id)], [ada, shown(ada, 11)])
    assert.deepEqual(goneAt(again, AT + 100 * DAY_MS), [])
    const twice = told([ada, shown(ada, 10)], [ada, shown(ada, 11)], [bob, revoked(keyOf(10).id)])
    assert.deepEqual(goneAt(twice, AT + 100 * DAY_MS), [])
    // A key that was put out itself is not let in by another invitation.
    const key = told([ada, shown(ada, 10)], [bob, revoked(ada)], [ada, shown(ada, 11)])
    assert.deepEqual(goneAt(key, AT + DAY_MS), [ada])
  })

  it('have their day from the last of their invitations that was taken back, or from when their key was', () => {
    const both = [
      [ada, shown(ada, 10)],
      [ada, shown(ada, 11)],
      [bob, revoked(keyOf(10).id, AT)],
      [bob, revoked(keyOf(11).id, AT + 7)],
    ] as const
    assert.equal(revokedSince(told(...both), ada), AT + 7)
    assert.equal(revokedSince(told(...both, [bob, revoked(ada, AT + 3)]), ada), AT + 3)
    assert.equal(revokedSince(told(...both, [bob, revoked(ada, AT + 9)]), ada), AT + 7)
    // Never admitted, as far as this node knows: an author of an open network.
    assert.equal(revokedSince(told([bob, revoked(ada)]), ada), AT)
  })

  it('are never this node itself, nor anybody who was not revoked', () => {
    const state = told([own, shown(own, 10)], [ada, shown(ada, 10)], [bob, revoked(keyOf(10).id)], [bob, revoked(own)])
    assert.deepEqual(goneAt(state, AT + DAY_MS), [ada])
    assert.equal(revokedSince(state, bob), undefined)
  })

  it('are kept while the clock of the owner is ahead of this one', () => {
    const state = told([ada, shown(ada, 10)], [bob, revoked(keyOf(10).id, AT + DAY_MS)])
    assert.deepEqual(goneAt(state, AT + DAY_MS), [])
    assert.deepEqual(goneAt(state, AT + 2 * DAY_MS), [ada])
  })
})

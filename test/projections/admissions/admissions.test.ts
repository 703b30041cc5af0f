import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  admit,
  type Envelope,
  type Event,
  type Invitation,
  type Millis,
  type NodeId,
  OPEN_PARTY,
  signInvitation,
  signRevocation,
} from '../../../src/events/index.ts'
import {
  type AdmissionsState,
  admissionOf,
  admissionsProjection,
  CREDENTIALS_PER_NODE_MAX,
  isRevoked,
  isShown,
  partyOf,
  standingIn,
} from '../../../src/projections/index.ts'
import { invitationOf, keyOf, OTHER_NETWORK } from '../../events/keys/keys-fixture.ts'
import { TEST_KEYS, TEST_OWNER } from '../../events/test-network.ts'
import { EnvelopeMaker, foldAll, rowsOf } from '../envelopes.ts'
import { projectionLaws } from '../projection.laws.ts'

const projection = () => admissionsProjection(TEST_KEYS.owner, TEST_KEYS.verify)
const [ada, bob] = [keyOf(1).id, keyOf(2).id]

/** `node` shows an invitation with this key. */
const shown = (node: NodeId, key: number, more: Partial<Invitation> = {}): Event => ({
  kind: 'node.admitted',
  credential: admit(node, signInvitation(invitationOf(key, more), TEST_OWNER), keyOf(key)),
})
const revoked = (key: NodeId, at = 5, reason = ''): Event => ({
  kind: 'access.revoked',
  ...signRevocation({ key, at: at as Millis, reason }, TEST_OWNER),
})
const told = (...events: readonly (readonly [by: NodeId, event: Event])[]): AdmissionsState => {
  const maker = new EnvelopeMaker()
  return foldAll(
    projection(),
    events.map(([by, event]) => maker.make(by, event)),
  )
}

describe('admissions', () => {
  it('admit whom an invitation of the owner admitted, as what it says', () => {
    const state = told([ada, shown(ada, 10)], [bob, shown(bob, 11, { role: 'member' })])
    assert.equal(standingIn(state, ada, 0), 'client')
    assert.equal(standingIn(state, bob, 0), 'member')
    assert.equal(standingIn(state, keyOf(3).id, 0), undefined)
    assert.equal(isShown(state, ada, keyOf(10).id), true)
    assert.equal(isShown(state, ada, keyOf(11).id), false)
  })

  it('say who answers for whom: an invitation, and without one nobody, or all strangers of an open network together', () => {
    const stranger = keyOf(3).id
    const state = told([ada, shown(ada, 10)], [bob, shown(bob, 10)])
    for (const isOpen of [true, false]) {
      assert.deepEqual([partyOf(state, ada, isOpen), partyOf(state, bob, isOpen)], [keyOf(10).id, keyOf(10).id])
      assert.equal(partyOf(state, stranger, isOpen), isOpen ? OPEN_PARTY : undefined)
      const without = told([ada, shown(ada, 10)], [bob, revoked(keyOf(10).id)], [bob, revoked(stranger)])
      assert.deepEqual([partyOf(without, ada, isOpen), partyOf(without, stranger, isOpen)], [undefined, undefined])
    }
    const again = told([ada, shown(ada, 10)], [bob, revoked(keyOf(10).id)], [ada, shown(ada, 11)])
    assert.equal(partyOf(again, ada, false), keyOf(11).id)
  })

  it('take nothing that does not prove itself', () => {
    const credentialOf = (event: Event) => (event.kind === 'node.admitted' ? event.credential : new Uint8Array())
    const forged = admit(ada, signInvitation(invitationOf(10), keyOf(9)), keyOf(10))
    const elsewhere = admit(ada, signInvitation(invitationOf(10), keyOf(201, OTHER_NETWORK)), keyOf(10, OTHER_NETWORK))
    const state = told(
      [ada, { kind: 'node.admitted', credential: credentialOf(shown(bob, 10)) }],
      [ada, { kind: 'node.admitted', credential: forged }],
      [ada, { kind: 'node.admitted', credential: elsewhere }],
      [ada, { kind: 'node.admitted', credential: new Uint8Array() }],
      [ada, { kind: 'node.admitted', credential: new Uint8Array([1, 2]) }],
      [bob, { kind: 'access.revoked', ...signRevocation({ key: ada, at: 1 as Millis, reason: '' }, keyOf(2)) }],
      [bob, { kind: 'access.revoked', revocation: new Uint8Array([9]), ownerSignature: new Uint8Array(64) }],
    )
    assert.deepEqual(rowsOf(projection(), state), [])
  })

  it('end when the invitation expires, and not before', () => {
    const state = told([ada, shown(ada, 10, { expiresAt: 1_000 as Millis })])
    assert.equal(standingIn(state, ada, 999), 'client')
    assert.equal(standingIn(state, ada, 1_000), undefined)
  })

  it('are renewed by a later invitation, and fall back to an earlier one that is still good', () => {
    const early = shown(ada, 10, { expiresAt: 1_000 as Millis })
    const late = shown(ada, 11, { expiresAt: 2_000 as Millis })
    const state = told([ada, early], [ada, late])
    assert.equal(admissionOf(state, ada, 500)?.key, keyOf(11).id)
    assert.equal(admissionOf(state, ada, 1_500)?.key, keyOf(11).id)
    const without = told([ada, early], [ada, late], [bob, revoked(keyOf(11).id)])
    assert.equal(admissionOf(without, ada, 500)?.key, keyOf(10).id)
    assert.equal(isRevoked(without, ada), false)
    assert.equal(admissionOf(without, ada, 1_500), undefined)
  })

  it('are taken back by the owner for good, whoever passes it on: of a node, or of all that an invitation admitted', () => {
    const node = told([ada, shown(ada, 10)], [ada, revoked(ada)], [ada, shown(ada, 11)])
    assert.equal(standingIn(node, ada, 0), undefined)
    assert.equal(isRevoked(node, ada), true)
    const all = told([bob, revoked(keyOf(10).id)], [ada, shown(ada, 10)], [bob, shown(bob, 10)])
    for (const each of [ada, bob]) {
      assert.equal(standingIn(all, each, 0), undefined)
      assert.equal(isRevoked(all, each), true)
    }
    assert.equal(standingIn(told([ada, shown(ada, 10)], [bob, revoked(bob)]), ada, 0), 'client')
    assert.equal(isRevoked(told(), ada), false, 'of whom nothing is known')
  })

  it('keep the best few invitations of a node, one past the bound', () => {
    const expiries = Array.from({ length: CREDENTIALS_PER_NODE_MAX + 1 }, (_, index) => 1_000 * (index + 1))
    const events = expiries.map((expiresAt, index) => shown(ada, 10 + index, { expiresAt: expiresAt as Millis }))
    for (const order of [events, [...events].reverse()]) {
      const state = told(...order.map((event) => [ada, event] as const))
      const kept = (state.admitted.get(ada) ?? []).map(({ expiresAt }) => expiresAt)
      assert.deepEqual(kept, expiries.slice(1).reverse())
    }
  })

  // Some of few nodes show some of few invitations, and some keys are revoked, in any order; an author may have forked.
  const maker = () => new EnvelopeMaker()
  const keys = fc.integer({ min: 10, max: 16 })
  const nodes = fc.constantFrom(ada, bob, keyOf(3).id)
  const events: fc.Arbitrary<readonly [NodeId, Event]> = fc.oneof(
    fc
      .tuple(nodes, keys, fc.constantFrom(0, 1_000, 2_000), fc.constantFrom('client', 'member'))
      .map(([node, key, expiresAt, role]) => [node, shown(node, key, { expiresAt: expiresAt as Millis, role })] as const),
    fc.tuple(nodes, nodes, keys).map(([by, node, key]) => [by, shown(node, key)] as const),
    fc
      .tuple(
        nodes,
        fc.oneof(
          nodes,
          keys.map((key) => keyOf(key).id),
        ),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('', 'x'),
      )
      .map(([by, key, at, reason]) => [by, revoked(key, at, reason)] as const),
  )
  const histories: fc.Arbitrary<readonly Envelope[]> = fc
    .array(fc.tuple(events, fc.integer({ min: 1, max: 4 })), { maxLength: 14 })
    .map((list) => {
      const making = maker()
      return list.map(([[by, event], lamport]) => making.make(by, event, 'gossip', lamport))
    })
  projectionLaws(projection, histories, (rows) => rows)

  it('keep an invitation without an end before those that end, whatever else is shown', () => {
    const endless = [ada, shown(ada, 20)] as const
    const ending = Array.from(
      { length: CREDENTIALS_PER_NODE_MAX + 1 },
      (_, index) => [ada, shown(ada, 21 + index, { expiresAt: (10_000_000_000_000 + index) as Millis })] as const,
    )
    for (const events of [
      [endless, ...ending],
      [...ending, endless],
    ]) {
      const state = told(...events)
      assert.equal(state.admitted.get(ada)?.length, CREDENTIALS_PER_NODE_MAX)
      assert.equal(admissionOf(state, ada, 20_000_000_000_000)?.key, keyOf(20).id)
    }
  })
})

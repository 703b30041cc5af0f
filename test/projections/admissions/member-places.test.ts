import assert from 'node:assert/strict'
import type { Lamport } from '../../../src/events/index.ts'
import { comesTooLate, hasPlace, type MemberPlaces, takePlace } from '../../../src/projections/admissions/member-places.ts'
import { invitationOf } from '../../events/keys/keys-fixture.ts'
import { node } from '../envelopes.ts'

const [first, second] = [node('ada'), node('bob')].sort() as [ReturnType<typeof node>, ReturnType<typeof node>]
const member = invitationOf(1, { role: 'member' })
const client = invitationOf(1)
const at = (who: typeof first, lamport: number) => ({ node: who, lamport: lamport as Lamport })

describe('the one place of a member invitation', () => {
  it('goes to the earliest stamp, and of two at once to the lower id, in either order of arrival', () => {
    for (const order of [
      [at(first, 5), at(second, 5)],
      [at(second, 5), at(first, 5)],
    ]) {
      const places: MemberPlaces = new Map()
      for (const shown of order) takePlace(places, member, shown)
      assert.equal(places.get(member.key)?.node, first)
    }
    const places: MemberPlaces = new Map()
    assert.equal(takePlace(places, member, at(first, 6)), true)
    assert.equal(takePlace(places, member, at(second, 5)), true)
    assert.equal(takePlace(places, member, at(first, 6)), false)
    assert.equal(hasPlace(places, member, second), true)
    assert.equal(hasPlace(places, member, first), false)
  })

  it('is one that clients do not need', () => {
    const places: MemberPlaces = new Map([[client.key, at(first, 1)]])
    assert.equal(takePlace(new Map(), client, at(first, 1)), false)
    assert.equal(hasPlace(places, client, second), true)
    assert.equal(comesTooLate(places, client, at(second, 2)), false)
    assert.equal(comesTooLate(places, member, at(second, 2)), true)
    assert.equal(comesTooLate(places, member, at(first, 2)), false)
    assert.equal(comesTooLate(places, member, at(second, 0)), false)
  })

  it('is not taken a second time by the event that took it', () => {
    const places: MemberPlaces = new Map()
    assert.equal(takePlace(places, member, at(first, 5)), true)
    assert.equal(takePlace(places, member, at(first, 5)), false)
  })

  it('is nobody’s before an event shows it, and then of the node that is asked for only where that is enough', () => {
    const places: MemberPlaces = new Map()
    assert.deepEqual([hasPlace(places, member, first), hasPlace(places, member, first, true)], [false, true])
    assert.equal(comesTooLate(places, member, at(first, 9)), false)
    assert.deepEqual([hasPlace(places, client, first), hasPlace(places, client, first, false)], [true, true])
    takePlace(places, member, at(first, 5))
    assert.equal(hasPlace(places, member, second, true), false)
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type ChokerPeer, planUnchoked } from '../../../src/torrent/swarm/choker.ts'
import { randomFrom } from '../../sim/random.ts'

type Some = ChokerPeer<number>
const peer = (key: number, more: Partial<Some> = {}): Some => ({
  ...{ key, isInterested: true, isUnchoked: false, isSnubbed: false, waitsSince: key, receivedPerSecond: 0, sentPerSecond: 0 },
  ...more,
})
const peers = fc.array(
  fc.record({
    isInterested: fc.boolean(),
    isUnchoked: fc.boolean(),
    isSnubbed: fc.boolean(),
    waitsSince: fc.nat(1_000),
    receivedPerSecond: fc.nat(1_000_000),
    sentPerSecond: fc.nat(1_000_000),
  }),
  { maxLength: 60, size: 'max' },
)

describe('slots for peers', () => {
  it('are as many as there are and one more, for peers that are interested, the same for the same chance', () => {
    fc.assert(
      fc.property(
        peers,
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        (all, slots, isSeeding, isTurn, seed) => {
          const some = all.map((each, key) => peer(key, each))
          const plan = () => planUnchoked(some, { slots, isSeeding, isTurn, random: randomFrom(seed) })
          const unchoked = plan()
          const interested = some.filter(({ isInterested }) => isInterested)
          assert.equal(unchoked.size, Math.min(interested.length, slots + 1))
          for (const key of unchoked) assert.ok(some[key]?.isInterested)
          assert.deepEqual(plan(), unchoked)
        },
      ),
    )
  })

  it('go to those that give most, and to one by chance; who owes us something comes last', () => {
    const some = Array.from({ length: 10 }, (_, key) => peer(key, { receivedPerSecond: key * 100 }))
    some[9] = peer(9, { receivedPerSecond: 900, isSnubbed: true })
    const unchoked = planUnchoked(some, { slots: 3, isSeeding: false, isTurn: true, random: () => 0.999 })
    assert.deepEqual([...unchoked].sort(), [6, 7, 8, 9].sort())
  })

  it('are kept by the one that chance gave, until it is the turn of another', () => {
    const some = Array.from({ length: 8 }, (_, key) => peer(key, { isUnchoked: key === 0 }))
    for (const at of some.keys()) if (at > 0) some[at] = peer(at, { receivedPerSecond: 100 })
    const keeps = (isTurn: boolean) => planUnchoked(some, { slots: 3, isSeeding: false, isTurn, random: () => 0 }).has(0)
    assert.deepEqual([keeps(false), keeps(true)], [true, false])
  })

  it('go, of two that give alike, to the one that has one already, and then to the one that has waited longest', () => {
    const alike = { receivedPerSecond: 100 }
    const has = peer(0, { ...alike, isUnchoked: true, waitsSince: 30 })
    const [long, short] = [peer(1, { ...alike, waitsSince: 10 }), peer(2, { ...alike, waitsSince: 20 })]
    const none = peer(3)
    const plan = (slots: number, ...some: Some[]) =>
      planUnchoked(some, { slots, isSeeding: false, isTurn: true, random: () => 0.999 })
    assert.deepEqual(plan(1, short, long, has, none), new Set([0, 3]))
    assert.deepEqual(plan(2, short, has, long, none), new Set([0, 1, 3]))
  })

  it('are kept while seeding by those that have them, the fastest first, and go to those that have waited longest at a turn', () => {
    const served = [10, 30, 20].map((sentPerSecond, key) => peer(key, { isUnchoked: true, sentPerSecond }))
    const waiting = [50, 40, 60].map((waitsSince, at) => peer(3 + at, { waitsSince }))
    const some = [...waiting, ...served]
    const plan = (slots: number, isTurn: boolean) => planUnchoked(some, { slots, isSeeding: true, isTurn, random: () => 0.999 })
    const [byChance, byChanceAtTurn] = [5, 0]
    assert.deepEqual(plan(4, false), new Set([0, 1, 2, 4, byChance]), 'all that were served, and who waits longest')
    // Of the rest one that is served is preferred to chance.
    assert.deepEqual(plan(1, false), new Set([1, 2]))
    assert.deepEqual(plan(2, true), new Set([4, 3, byChanceAtTurn]))
    assert.deepEqual(plan(4, true), new Set([4, 3, 5, 1, byChanceAtTurn]))
  })

  it('are all free where all that are interested have one: also those that owe us something', () => {
    const some = [peer(0, { isSnubbed: true }), peer(1), peer(2, { isInterested: false })]
    const plan = planUnchoked(some, {
      slots: 2,
      isSeeding: false,
      isTurn: false,
      random: () => assert.fail('no chance is needed'),
    })
    assert.deepEqual(plan, new Set([0, 1]))
  })

  for (const isSeeding of [true, false]) {
    it(`come to everybody at some time, ${isSeeding ? 'of a seeder' : 'of one that downloads, by chance'}`, () => {
      const random = randomFrom(3)
      const state = Array.from({ length: 50 }, (_, key) => ({
        ...peer(key),
        receivedPerSecond: key < 10 ? 1_000 : 0,
        sentPerSecond: key,
      }))
      const served = new Set<number>()
      for (let round = 0; round < 3 * 50 * 8; round++) {
        const unchoked = planUnchoked(state, { slots: 8, isSeeding, isTurn: round % 3 === 0, random })
        for (const one of state) {
          if (one.isUnchoked && !unchoked.has(one.key)) one.waitsSince = 1_000 + round
          one.isUnchoked = unchoked.has(one.key)
          if (one.isUnchoked) served.add(one.key)
        }
      }
      assert.equal(served.size, 50)
    })
  }
})

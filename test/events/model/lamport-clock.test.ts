import assert from 'node:assert/strict'
import {
  isStamp,
  LAMPORT_MAX,
  LAMPORT_PER_SECOND_MAX,
  LamportClock,
  lamportMaxAt,
  type Millis,
  ownLamportMaxAt,
} from '../../../src/events/index.ts'

const MAX = 1_000

describe('the Lamport clock', () => {
  it('stamps own events one above all it has seen', () => {
    const clock = new LamportClock(7)
    assert.equal(clock.tick(MAX), 8)
    clock.follow(20)
    clock.follow(5)
    assert.equal(clock.tick(MAX), 21)
  })

  it('stamps no higher than it may, whatever it has seen, and goes on once it may', () => {
    const clock = new LamportClock(MAX - 1)
    assert.deepEqual([clock.tick(MAX), clock.tick(MAX)], [MAX, MAX])
    clock.follow(MAX * 3)
    assert.equal(clock.tick(MAX), MAX)
    assert.equal(clock.tick(MAX * 4), MAX * 3 + 1)
  })
})

describe('a stamp', () => {
  const table: readonly { stamp: number; max?: number; good: boolean; why: string }[] = [
    { stamp: 1, good: true, why: 'is one from the first on' },
    { stamp: MAX, good: true, why: 'is one up to its bound' },
    { stamp: MAX + 1, good: false, why: 'is none one past its bound' },
    { stamp: LAMPORT_MAX, max: LAMPORT_MAX, good: true, why: 'may be the last exact number' },
    { stamp: LAMPORT_MAX + 1, max: Number.MAX_VALUE, good: false, why: 'is not 2^53' },
    { stamp: 0, good: false, why: 'is not zero' },
    { stamp: -1, good: false, why: 'is not negative' },
    { stamp: 11.5, good: false, why: 'is no fraction' },
    { stamp: Number.NaN, good: false, why: 'is a number' },
  ]
  for (const { stamp, max = MAX, good, why } of table)
    it(`${why} (${stamp})`, () => {
      assert.equal(isStamp(stamp, max), good)
    })
})

describe('the envelope of stamps', () => {
  const createdAt = 1_700_000_000_000 as Millis
  const at = (seconds: number): Millis => (createdAt + seconds * 1_000) as Millis

  it('has room for an hour of the busiest network from the first moment, and for a second more with each second', () => {
    assert.equal(lamportMaxAt(createdAt, createdAt), 3_600 * LAMPORT_PER_SECOND_MAX)
    assert.equal(lamportMaxAt(createdAt, at(1)), 3_601 * LAMPORT_PER_SECOND_MAX)
  })

  it('is the first one where a clock stands before the making of the network', () => {
    assert.equal(lamportMaxAt(createdAt, at(-86_400)), 3_600 * LAMPORT_PER_SECOND_MAX)
  })

  it('leaves room for clocks that are half an hour apart in what a node stamps itself', () => {
    const [ahead, behind] = [at(1_800), at(0)]
    assert.equal(ownLamportMaxAt(createdAt, ahead), lamportMaxAt(createdAt, behind))
    assert.ok(ownLamportMaxAt(createdAt, at(1_801)) > lamportMaxAt(createdAt, behind))
  })

  it('is not used up in 4,000 years', () => {
    assert.ok(lamportMaxAt(createdAt, at(4_000 * 365 * 86_400)) < LAMPORT_MAX)
    assert.equal(lamportMaxAt(createdAt, at(10_000 * 365 * 86_400)), LAMPORT_MAX)
  })
})

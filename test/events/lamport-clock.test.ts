import assert from 'node:assert/strict'
import {
  isStamp,
  LAMPORT_MAX,
  LAMPORT_PER_SECOND_MAX,
  LamportClock,
  lamportMaxAt,
  type Millis,
} from '../../src/events/index.ts'

const MAX = 1_000

describe('the Lamport clock', () => {
  const table: readonly { at: number; stamp: number; max?: number; after: number; why: string }[] = [
    { at: 0, stamp: 1, after: 1, why: 'takes the first stamp of all' },
    { at: 10, stamp: 4, after: 10, why: 'does not go back for an older stamp' },
    { at: 10, stamp: 10, after: 10, why: 'stays for an equal stamp' },
    { at: 10, stamp: 11, after: 11, why: 'follows a newer stamp' },
    { at: 10, stamp: MAX, after: MAX, why: 'follows up to its bound' },
    { at: 10, stamp: MAX + 1, after: 10, why: 'refuses one past its bound' },
    { at: LAMPORT_MAX - 5, stamp: LAMPORT_MAX, max: LAMPORT_MAX, after: LAMPORT_MAX, why: 'takes the last exact number' },
    { at: LAMPORT_MAX - 5, stamp: LAMPORT_MAX + 1, max: LAMPORT_MAX, after: LAMPORT_MAX - 5, why: 'refuses 2^53' },
    { at: 10, stamp: 2 ** 63, max: LAMPORT_MAX, after: 10, why: 'refuses 2^63' },
    { at: 10, stamp: 0, after: 10, why: 'refuses zero' },
    { at: 10, stamp: -1, after: 10, why: 'refuses a negative stamp' },
    { at: 10, stamp: 11.5, after: 10, why: 'refuses a fraction' },
    { at: 10, stamp: Number.NaN, after: 10, why: 'refuses what is no number' },
  ]
  for (const { at, stamp, max = MAX, after, why } of table) {
    it(`${why} (${stamp} at ${at})`, () => {
      const clock = new LamportClock(at)
      assert.equal(clock.witness(stamp, max), isStamp(stamp, max))
      assert.equal(clock.now, after)
    })
  }

  it('stamps own events one above all it has seen', () => {
    const clock = new LamportClock(7)
    assert.equal(clock.tick(), 8)
    clock.witness(20, MAX)
    assert.equal(clock.tick(), 21)
  })

  it('says so when its numbers are used up', () => {
    const clock = new LamportClock(LAMPORT_MAX - 1)
    assert.equal(clock.tick(), LAMPORT_MAX)
    assert.throws(() => clock.tick(), RangeError)
    assert.equal(clock.now, LAMPORT_MAX)
  })

  it('takes any stamp that stands in its own log', () => {
    const clock = new LamportClock()
    clock.restore(MAX * 3)
    clock.restore(5)
    assert.equal(clock.now, MAX * 3)
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

  it('is not used up in 4,000 years', () => {
    assert.ok(lamportMaxAt(createdAt, at(4_000 * 365 * 86_400)) < LAMPORT_MAX)
    assert.equal(lamportMaxAt(createdAt, at(10_000 * 365 * 86_400)), LAMPORT_MAX)
  })
})

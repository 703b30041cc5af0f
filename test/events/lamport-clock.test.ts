import assert from 'node:assert/strict'
import { LAMPORT_JUMP_MAX, LAMPORT_MAX, LamportClock } from '../../src/events/index.ts'

describe('the Lamport clock', () => {
  const table: readonly { at: number; stamp: number; after: number; why: string }[] = [
    { at: 0, stamp: 1, after: 1, why: 'takes the first stamp of all' },
    { at: 10, stamp: 4, after: 10, why: 'does not go back for an older stamp' },
    { at: 10, stamp: 10, after: 10, why: 'stays for an equal stamp' },
    { at: 10, stamp: 11, after: 11, why: 'follows a newer stamp' },
    { at: 10, stamp: 10 + LAMPORT_JUMP_MAX, after: 10 + LAMPORT_JUMP_MAX, why: 'follows up to its bound' },
    { at: 10, stamp: 11 + LAMPORT_JUMP_MAX, after: 10, why: 'refuses one past its bound' },
    { at: LAMPORT_MAX - 5, stamp: LAMPORT_MAX, after: LAMPORT_MAX, why: 'takes the last exact number' },
    { at: LAMPORT_MAX - 5, stamp: LAMPORT_MAX + 1, after: LAMPORT_MAX - 5, why: 'refuses 2^53' },
    { at: 10, stamp: 2 ** 63, after: 10, why: 'refuses 2^63' },
    { at: 10, stamp: 0, after: 10, why: 'refuses zero' },
    { at: 10, stamp: -1, after: 10, why: 'refuses a negative stamp' },
    { at: 10, stamp: 11.5, after: 10, why: 'refuses a fraction' },
    { at: 10, stamp: Number.NaN, after: 10, why: 'refuses what is no number' },
  ]
  for (const { at, stamp, after, why } of table) {
    it(`${why} (${stamp} at ${at})`, () => {
      const clock = new LamportClock(at)
      const admitted = clock.admits(stamp)
      assert.equal(clock.witness(stamp), admitted)
      assert.equal(clock.now, after)
      if (!admitted) return
      assert.ok(clock.now >= stamp)
    })
  }

  it('stamps own events one above all it has seen', () => {
    const clock = new LamportClock(7)
    assert.equal(clock.tick(), 8)
    clock.witness(20)
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
    clock.restore(LAMPORT_JUMP_MAX * 3)
    clock.restore(5)
    assert.equal(clock.now, LAMPORT_JUMP_MAX * 3)
  })
})

import assert from 'node:assert/strict'
import { Allowance } from '../../../src/torrent/sources/allowance.ts'

describe('an allowance', () => {
  it('is so much at once, and comes back with time', () => {
    const allowance = new Allowance(2, 4)
    assert.deepEqual(
      [0, 0, 0].map((now) => allowance.take(now)),
      [true, true, false],
    )
    assert.deepEqual(
      [249, 250, 250].map((now) => allowance.take(now)),
      [false, true, false],
    )
    assert.equal(allowance.isLeft(499), false)
    assert.deepEqual(
      [allowance.isLeft(500), allowance.isLeft(500), allowance.take(500), allowance.isLeft(500)],
      [true, true, true, false],
    )
  })

  it('is never more than that, however long nobody takes of it', () => {
    const allowance = new Allowance(3, 10)
    assert.equal(allowance.take(0), true)
    assert.deepEqual(
      Array.from({ length: 4 }, () => allowance.take(3_600_000)),
      [true, true, true, false],
    )
  })

  it('loses nothing where the clock goes back', () => {
    const allowance = new Allowance(1, 1)
    assert.equal(allowance.take(1_000), true)
    assert.equal(allowance.take(500), false)
    assert.equal(allowance.take(1_499), false)
    assert.equal(allowance.take(1_500), true)
  })
})

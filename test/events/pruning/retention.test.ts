import assert from 'node:assert/strict'
import { arrivedBefore } from '../../../src/events/pruning/retention.ts'

describe('what has arrived before a time', () => {
  it('is all that stands before the first event that came at it or later', () => {
    const arrivals = [
      { seq: 1, at: 1_000 },
      { seq: 50, at: 2_000 },
      { seq: 90, at: 3_000 },
    ]
    for (const [at, last] of [
      [999, 0],
      [1_000, 0],
      [1_999, 0],
      [2_000, 49],
      [2_999, 49],
      [3_000, 89],
      [9_999, 89],
    ] as const)
      assert.equal(arrivedBefore(arrivals, at), last, String(at))
    assert.equal(arrivedBefore([], 9_999), 0)
  })
})

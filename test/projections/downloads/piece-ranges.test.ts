import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { PieceRange } from '../../../src/events/index.ts'
import { countInBoth, covers, mergeRanges } from '../../../src/projections/index.ts'

const PIECES = 40
const runs = fc
  .array(fc.record({ first: fc.nat(PIECES - 1), count: fc.integer({ min: 1, max: 6 }) }, { noNullPrototype: true }))
  .map((list) => mergeRanges([], list))
const set = (list: readonly PieceRange[]): Set<number> =>
  new Set(list.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at)))

describe('runs of pieces', () => {
  it('cover what is in them, and nothing else', () => {
    fc.assert(
      fc.property(runs, runs, (some, needed) => {
        assert.equal(
          covers(some, needed),
          [...set(needed)].every((piece) => set(some).has(piece)),
        )
      }),
    )
    assert.equal(covers([], [{ first: 0, count: 0 }]), true)
    assert.equal(covers([{ first: 0, count: 4 }], [{ first: 0, count: 5 }]), false)
  })

  it('count what is in both', () => {
    fc.assert(
      fc.property(runs, runs, (some, others) => {
        assert.equal(countInBoth(some, others), [...set(some)].filter((piece) => set(others).has(piece)).length)
      }),
    )
  })
})

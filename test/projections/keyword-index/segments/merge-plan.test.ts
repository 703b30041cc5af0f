import assert from 'node:assert/strict'
import fc from 'fast-check'
import { planMerge } from '../../../../src/projections/keyword-index/segments/merge-plan.ts'

describe('which segments are merged', () => {
  it('are four of one size, the newest first', () => {
    assert.deepEqual(planMerge([100, 100, 100, 100], false), { from: 0, to: 4 })
    assert.deepEqual(planMerge([900, 100, 100, 100, 100], false), { from: 1, to: 5 })
    assert.deepEqual(planMerge([100, 100, 100, 100, 9], false), { from: 0, to: 4 })
    assert.deepEqual(planMerge([399, 100, 100, 100], false), { from: 0, to: 4 })
    assert.equal(planMerge([400, 100, 100, 100], false), undefined)
    assert.equal(planMerge([100, 100, 100], false), undefined)
    assert.equal(planMerge([], true), undefined)
  })

  it('are the newest too where there is time, until three are left', () => {
    assert.equal(planMerge([900, 90, 9], true), undefined)
    assert.deepEqual(planMerge([9000, 900, 90, 9], true), { from: 2, to: 4 })
    assert.deepEqual(planMerge([90_000, 9000, 900, 90, 9], true), { from: 2, to: 5 })
  })

  it('leave few segments, and write each document few times, however many come', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (flushes) => {
        let sizes: number[] = []
        let written = 0
        for (let flush = 0; flush < flushes; flush++) {
          sizes = [...sizes, 1]
          for (let plan = planMerge(sizes, false); plan !== undefined; plan = planMerge(sizes, false)) {
            const sum = sizes.slice(plan.from, plan.to).reduce((a, b) => a + b, 0)
            written += sum
            sizes = [...sizes.slice(0, plan.from), sum, ...sizes.slice(plan.to)]
          }
          assert.ok(sizes.length <= 3 * (1 + Math.ceil(Math.log(flush + 2) / Math.log(4))), `${sizes}`)
        }
        assert.equal(
          sizes.reduce((a, b) => a + b, 0),
          flushes,
        )
        assert.ok(written <= flushes * (1 + Math.log(flushes) / Math.log(4)), `${written} written of ${flushes}`)
      }),
      { numRuns: 20 },
    )
  })
})

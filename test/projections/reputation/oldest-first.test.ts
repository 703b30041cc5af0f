import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NodeId } from '../../../src/events/index.ts'
import { newSubject } from '../../../src/projections/reputation/ledger.ts'
import { OldestFirst } from '../../../src/projections/reputation/oldest-first.ts'

describe('the oldest first', () => {
  it('are taken in the order in which they were last heard of, whatever was heard in between', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 40 }), fc.array(fc.nat(39)), (times, again) => {
        const heap = new OldestFirst(100, () => true)
        const subjects = times.map((at, index) => ({ ...newSubject(`${index}` as NodeId), heardAt: at }))
        for (const subject of subjects) heap.push(subject)
        for (const [later, index] of again.entries()) {
          const subject = subjects[index % subjects.length]
          if (subject !== undefined) subject.heardAt = 2_000 + later
        }
        const taken = subjects.map(() => heap.take()?.heardAt)
        assert.deepEqual(
          taken,
          subjects.map(({ heardAt }) => heardAt).sort((a, b) => a - b),
        )
        assert.equal(heap.take(), undefined)
      }),
    )
  })
})

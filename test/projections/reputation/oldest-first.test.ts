import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NodeId } from '../../../src/events/index.ts'
import { newSubject, type Subject } from '../../../src/projections/reputation/ledger.ts'
import { OldestFirst } from '../../../src/projections/reputation/oldest-first.ts'

const heardAt = (at: number): Subject => ({ ...newSubject(`${at}` as NodeId), heardAt: at })
const ascending = (times: readonly number[]): number[] => [...times].sort((a, b) => a - b)
/** Everything that is left, in the order in which it is taken. */
function drain(heap: OldestFirst): number[] {
  const taken: number[] = []
  for (let next = heap.take(); next !== undefined; next = heap.take()) taken.push(next.heardAt)
  return taken
}

describe('the oldest first', () => {
  it('are taken in the order in which they were last heard of, whatever was heard in between', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 40, size: 'max' }),
        fc.array(fc.nat(39)),
        (times, again) => {
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
        },
      ),
    )
  })

  it('are none of those that have left', () => {
    const left = new Set<Subject>()
    const heap = new OldestFirst(100, (subject) => !left.has(subject))
    const subjects = [1, 2, 3, 4].map(heardAt)
    for (const subject of subjects) heap.push(subject)
    for (const subject of subjects.slice(0, 2)) left.add(subject)
    assert.deepEqual(drain(heap), [3, 4])
    assert.equal(new OldestFirst(1, () => true).take(), undefined)
  })

  describe('once there are more than twice as many as may be held, and 64', () => {
    const MAX = 3
    const FULL = 2 * MAX + 64

    it('those that have left are looked for, at one more and not before', () => {
      let looked = 0
      const heap = new OldestFirst(MAX, () => {
        looked += 1
        return true
      })
      for (let at = 0; at <= FULL; at++) heap.push(heardAt(at))
      assert.equal(looked, 0)
      heap.push(heardAt(FULL + 1))
      assert.equal(looked, FULL + 1)
    })

    it('those that have left take no room any more, so that the next time is as far away', () => {
      const left = new Set<Subject>()
      let looked = 0
      const heap = new OldestFirst(MAX, (subject) => {
        looked += 1
        return !left.has(subject)
      })
      const old = Array.from({ length: FULL + 1 }, (_, at) => heardAt(at))
      for (const subject of old) heap.push(subject)
      for (const subject of old.slice(1)) left.add(subject)
      // One is left of them, and there is room for as many as before but that one.
      for (let more = 0; more < FULL; more++) heap.push(heardAt(1_000 + more))
      assert.equal(looked, FULL + 1)
      heap.push(heardAt(5_000))
      assert.equal(looked, 2 * (FULL + 1))
    })

    it('the rest is taken in the same order as ever', () => {
      const times = fc.uniqueArray(fc.nat(100_000), { minLength: FULL + 20, maxLength: FULL + 40 })
      fc.assert(
        fc.property(times, fc.integer({ min: 2, max: 6 }), (all, every) => {
          const left = new Set<Subject>()
          const heap = new OldestFirst(MAX, (subject) => !left.has(subject))
          const subjects = all.map(heardAt)
          for (const [index, subject] of subjects.entries()) {
            // Before the one that has them looked for, and in no order of theirs.
            if (index === FULL + 1) for (const gone of subjects.slice(0, index)) if (gone.heardAt % every === 0) left.add(gone)
            heap.push(subject)
          }
          assert.deepEqual(drain(heap), ascending(subjects.filter((subject) => !left.has(subject)).map((each) => each.heardAt)))
        }),
        { seed: 11, numRuns: 30 },
      )
    })
  })
})

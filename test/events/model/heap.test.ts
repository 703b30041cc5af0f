import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Heap } from '../../../src/events/model/heap.ts'

describe('a heap', () => {
  it('gives what it took in ascending order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>((number) => number)
        for (const number of numbers) heap.push(number)
        for (const expected of numbers.toSorted((a, b) => a - b)) {
          assert.equal(heap.first, expected)
          assert.equal(heap.take(), expected)
        }
        assert.equal(heap.size, 0)
        assert.equal(heap.take(), undefined)
      }),
    )
  })

  it('is empty once it is cleared', () => {
    const heap = new Heap<number>((number) => number)
    heap.push(1)
    heap.clear()
    assert.equal(heap.first, undefined)
    assert.equal(heap.size, 0)
  })
})

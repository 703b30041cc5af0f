import assert from 'node:assert/strict'
import fc from 'fast-check'
import { NumberList } from '../../../src/events/codec/number-list.ts'

describe('a list of numbers', () => {
  it('holds what an array holds, whatever is pushed, set and spliced', () => {
    const number = fc.oneof(fc.nat(300), fc.nat(70_000), fc.nat(2 ** 31), fc.maxSafeNat())
    const step = fc.oneof(
      fc.record({ do: fc.constant('push' as const), value: number }),
      fc.record({ do: fc.constant('set' as const), at: fc.nat(100), value: number }),
      fc.record({
        do: fc.constant('splice' as const),
        at: fc.nat(100),
        remove: fc.nat(3),
        add: fc.array(number, { maxLength: 3 }),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const list = new NumberList()
        const array: number[] = []
        for (const one of steps) {
          if (one.do === 'push') {
            list.push(one.value)
            array.push(one.value)
          } else if (one.do === 'set') {
            if (array.length === 0) continue
            list.set(one.at % array.length, one.value)
            array[one.at % array.length] = one.value
          } else {
            const at = one.at % (array.length + 1)
            const remove = Math.min(one.remove, array.length - at)
            list.splice(at, remove, ...one.add)
            array.splice(at, remove, ...one.add)
          }
        }
        assert.deepEqual(
          Array.from({ length: list.length }, (_, index) => list.at(index)),
          array,
        )
        assert.equal(list.at(array.length), undefined)
      }),
    )
  })

  it('holds numbers of 8, 16 and 32 bits and the first ones above', () => {
    for (const value of [8, 16, 32].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1])) {
      const [pushed, set, spliced] = [new NumberList(), new NumberList(), new NumberList()]
      pushed.push(value)
      set.push(1)
      set.set(0, value)
      spliced.splice(0, 0, value)
      assert.deepEqual([pushed.at(0), set.at(0), spliced.at(0)], [value, value, value])
    }
  })
})

import assert from 'node:assert/strict'
import { BoundedMap } from '../../../src/events/index.ts'

describe('a bounded map', () => {
  it('lets go of what was set longest ago, one past its maximum, and says so', () => {
    const map = new BoundedMap<string, number>(2)
    assert.equal(map.set('a', 1), undefined)
    assert.equal(map.set('b', 2), undefined)
    assert.equal(map.set('a', 3), undefined, 'set again, it is the newest')
    assert.deepEqual(map.set('c', 4), ['b', 2])
    assert.deepEqual(
      [...map],
      [
        ['a', 3],
        ['c', 4],
      ],
    )
    assert.deepEqual([map.size, map.has('b'), map.get('a'), map.get('b')], [2, false, 3, undefined])
  })

  it('has room again for what was taken out, and holds nothing where it may hold nothing', () => {
    const map = new BoundedMap<string, number>(1)
    map.set('a', 1)
    assert.deepEqual([map.delete('a'), map.delete('a')], [true, false])
    assert.equal(map.set('b', 2), undefined)
    assert.deepEqual([[...map.keys()], [...map.values()]], [['b'], [2]])
    map.clear()
    assert.equal(map.size, 0)
    assert.deepEqual(new BoundedMap<string, number>(0).set('a', 1), ['a', 1])
  })
})

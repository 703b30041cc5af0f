import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RarityOrder } from '../../../src/torrent/swarm/rarity-order.ts'

const orderOf = (order: RarityOrder): number[] => Array.from({ length: order.length }, (_, place) => order.at(place))

describe('the order of pieces', () => {
  it('has the highest priority first, then the rarest, then as they were entered', () => {
    const order = new RarityOrder(6)
    order.enter(0, 1, 0)
    order.enter(1, 3, 9)
    order.enter(2, 2, 1)
    order.enter(3, 3, 2)
    order.enter(4, 3, 2)
    assert.deepEqual(orderOf(order), [3, 4, 1, 2, 0])
    assert.deepEqual(
      [4, 5].map((index) => order.includes(index)),
      [true, false],
    )
  })

  it('does not tell apart what more than 63 peers have', () => {
    const order = new RarityOrder(4)
    order.enter(2, 2, 62)
    order.enter(0, 2, 64)
    order.enter(1, 2, 63)
    order.enter(3, 1, 0)
    assert.deepEqual(orderOf(order), [2, 0, 1, 3])
    order.commoner(1, 2, 63)
    order.rarer(0, 2, 64)
    assert.deepEqual(orderOf(order), [2, 0, 1, 3])
    order.commoner(2, 2, 62)
    assert.equal(order.at(0), 2)
    order.rarer(1, 2, 63)
    assert.deepEqual(orderOf(order), [1, 0, 2, 3])
  })

  it('holds whatever is entered, taken out and changes by one, sorted', () => {
    const PIECES = 12
    const step = fc.record({
      index: fc.nat(PIECES - 1),
      priority: fc.integer({ min: 1, max: 3 }),
      does: fc.nat(3),
      availability: fc.nat(70),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const order = new RarityOrder(PIECES)
        const here = new Map<number, { priority: number; availability: number }>()
        for (const { index, priority, does, availability } of steps) {
          const known = here.get(index)
          if (known === undefined) {
            order.enter(index, priority, availability)
            here.set(index, { priority, availability })
          } else if (does === 0) {
            order.remove(index, known.priority, known.availability)
            here.delete(index)
          } else if (does === 1 && known.availability > 0) {
            order.rarer(index, known.priority, known.availability--)
          } else order.commoner(index, known.priority, known.availability++)
          const rank = (piece: number): number => {
            const { priority: at, availability: by } = here.get(piece) ?? assert.fail()
            return (3 - at) * 64 + Math.min(by, 63)
          }
          const pieces = orderOf(order)
          assert.deepEqual(
            pieces.toSorted((a, b) => a - b),
            [...here.keys()].sort((a, b) => a - b),
          )
          assert.deepEqual(
            pieces.map(rank),
            pieces.map(rank).toSorted((a, b) => a - b),
          )
          for (let piece = 0; piece < PIECES; piece++) assert.equal(order.includes(piece), here.has(piece))
        }
      }),
    )
  })
})

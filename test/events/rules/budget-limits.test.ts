import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  addKept,
  allowance,
  CLIENT_LIMITS,
  CLIENTS_TOGETHER,
  diskBytesOf,
  MEMBER_LIMITS,
} from '../../../src/events/rules/budget-limits.ts'

const HOUR_MS = 3_600_000
const limits = { stock: { events: 10, bytes: 1_000 }, hourly: { events: 3, bytes: 90 }, most: { events: 20, bytes: 1_300 } }

describe('what may be kept of others', () => {
  it('is a stock at once, more with each hour or part of it, and no more than the most', () => {
    const at = (hours: number, times?: number) => allowance(limits, hours * HOUR_MS, times)
    assert.deepEqual(at(0), { events: 10, bytes: 1_000 })
    assert.deepEqual(at(-5), { events: 10, bytes: 1_000 }, 'before it was made')
    assert.deepEqual(at(1), { events: 13, bytes: 1_090 })
    assert.deepEqual(at(0.5), { events: 11, bytes: 1_045 })
    assert.deepEqual(at(3.3), { events: 19, bytes: 1_297 })
    assert.deepEqual(at(3.4), { events: 20, bytes: 1_300 })
    assert.deepEqual(at(1e6), { events: 20, bytes: 1_300 })
    assert.deepEqual(at(0.5, 3), { events: 34, bytes: 3_135 }, 'of several, rounded once')
    assert.deepEqual(at(1e6, 3), { events: 60, bytes: 3_900 })
  })

  it('never shrinks with age, for anybody', () => {
    const everybody = [CLIENT_LIMITS, CLIENTS_TOGETHER, MEMBER_LIMITS].flatMap(({ gossip, index }) => [gossip, index])
    fc.assert(
      fc.property(fc.constantFrom(...everybody), fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1), (each, age, more) => {
        const [earlier, later] = [allowance(each, age), allowance(each, age + more)]
        assert.ok(later.events >= earlier.events && later.bytes >= earlier.bytes)
        assert.ok(later.events <= each.most.events && later.bytes <= each.most.bytes)
      }),
    )
  })

  it('is more for all clients together than for one, and not so much that one has no share', () => {
    for (const stream of ['gossip', 'index'] as const) {
      for (const part of ['stock', 'hourly', 'most'] as const)
        for (const what of ['events', 'bytes'] as const) {
          const times = CLIENTS_TOGETHER[stream][part][what] / CLIENT_LIMITS[stream][part][what]
          assert.ok(times >= 2 && times <= 200, `${stream} ${part} ${what}: ${times}`)
        }
    }
  })

  it('is weighed on the disk with what stands around each event', () => {
    const kept = { events: 2, bytes: 100 }
    addKept(kept, 3, 50)
    assert.deepEqual(kept, { events: 5, bytes: 150 })
    assert.equal(diskBytesOf(kept), 5 * 170 + 150)
  })
})

import assert from 'node:assert/strict'
import { EventRates } from '../../src/network/event-rates.ts'

describe('event rates', () => {
  it('are those of the last moments, not of all time', () => {
    const rates = new EventRates()
    assert.deepEqual(rates.perSecond(0, 5, 5), { in: 0, out: 0 })
    for (let second = 0; second <= 100; second += 2) rates.sample(second * 1_000, 1_000_000, second * 3)
    assert.deepEqual(rates.perSecond(100_000, 1_000_000, 300), { in: 0, out: 3 })
  })

  it('reach six samples back, and no further', () => {
    const rates = new EventRates()
    for (let second = 0; second <= 100; second += 2) rates.sample(second * 1_000, second < 90 ? 0 : 100, second <= 90 ? 0 : 60)
    assert.deepEqual(rates.perSecond(100_000, 100, 60), { in: 0, out: 6 })
    assert.deepEqual(rates.perSecond(90_000, 100, 60), { in: 0, out: 0 }, 'of no time at all')
  })
})

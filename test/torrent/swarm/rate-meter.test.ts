import assert from 'node:assert/strict'
import { RateMeter } from '../../../src/torrent/swarm/rate-meter.ts'

describe('the rate of a transfer', () => {
  it('is that of the last seconds', () => {
    const meter = new RateMeter()
    assert.equal(meter.perSecond(5_000), 0)
    for (let second = 0; second < 20; second++) meter.add(1_000, second * 1_000 + 500)
    assert.ok(Math.abs(meter.perSecond(19_999) - 1_000) < 120, `${meter.perSecond(19_999)}`)
    assert.ok(meter.perSecond(22_000) < 700)
    assert.equal(meter.perSecond(40_000), 0)
    assert.equal(meter.total, 20_000)
    // After a pause the first byte does not count for the time before it.
    meter.add(3_000, 60_000)
    assert.equal(meter.perSecond(60_100), 3_000)
  })
})

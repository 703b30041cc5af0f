import assert from 'node:assert/strict'
import { WakeLimit } from '../../src/torrent/wake-limit.ts'

describe('the limit of seeds at rest that connections open', () => {
  const limits = { waitingMax: 10, perSecondMax: 5, perHostMax: 3 }

  it('takes so many of one address in a second, and then again', () => {
    const limit = new WakeLimit(limits)
    for (let count = 0; count < 3; count++) assert.equal(limit.take('a', 1_000), true)
    assert.equal(limit.take('a', 1_999), false)
    assert.equal(limit.take('b', 1_999), true)
    assert.equal(limit.take('a', 2_000), true)
  })

  it('takes so many of all addresses in a second', () => {
    const limit = new WakeLimit(limits)
    for (let count = 0; count < 5; count++) assert.equal(limit.take(`host ${count}`, 0), true)
    assert.equal(limit.take('another', 0), false)
  })

  it('lets so many wait at a time, however long that takes', () => {
    const limit = new WakeLimit(limits)
    for (let count = 0; count < 10; count++) assert.equal(limit.take('a', count * 1_000), true)
    assert.equal(limit.take('b', 20_000), false)
    limit.ended()
    assert.equal(limit.take('b', 20_000), true)
  })
})

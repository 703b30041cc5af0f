import assert from 'node:assert/strict'
import type { Millis, PeerId } from '../../src/events/index.ts'
import { PieceRetries, RETRY_WAIT_MS } from '../../src/torrent/piece-retries.ts'

const peer = 'ip:a' as PeerId

describe('retries of a bad piece', () => {
  it('wait 2 s, then 4, then 8, for this peer and this piece alone', () => {
    const retries = new PieceRetries()
    const at = (ms: number) => () => ms as Millis
    assert.equal(retries.failed(peer, 1, 0 as Millis), RETRY_WAIT_MS)
    assert.equal(retries.mayAsk(peer, 1, at(RETRY_WAIT_MS - 1)), false)
    assert.equal(retries.mayAsk(peer, 2, at(0)), true)
    assert.equal(retries.mayAsk('ip:b' as PeerId, 1, at(0)), true)
    assert.equal(retries.mayAsk(peer, 1, at(RETRY_WAIT_MS)), true)
    assert.equal(retries.failed(peer, 1, 0 as Millis), 2 * RETRY_WAIT_MS)
    assert.equal(retries.failed(peer, 1, 0 as Millis), 4 * RETRY_WAIT_MS)
  })

  it('wait ten minutes at most', () => {
    const retries = new PieceRetries()
    const waits = Array.from({ length: 12 }, () => retries.failed(peer, 1, 0 as Millis))
    assert.deepEqual(waits.slice(8), [512_000, 600_000, 600_000, 600_000])
  })

  it('remember 16,384 failures, and forget the oldest for one more', () => {
    const retries = new PieceRetries()
    const mayAsk = (index: number) => retries.mayAsk(peer, index, () => 0 as Millis)
    for (let index = 0; index < 16_384; index++) retries.failed(peer, index, 0 as Millis)
    assert.equal(mayAsk(0), false)
    retries.failed(peer, 16_384, 0 as Millis)
    assert.deepEqual([0, 1, 16_384].map(mayAsk), [true, false, false])
  })
})

import assert from 'node:assert/strict'
import { EARLY_FIRST_MS, EARLY_MAX_MS, EARLY_MS, UNWILLING_MAX, UnwillingPeers } from '../../src/torrent/unwilling-peers.ts'

describe('peers that end connections at once', () => {
  it('are dialled ever more seldom, until a connection lasts or is of use', () => {
    const peers = new UnwillingPeers()
    const at = '10.0.0.1:1'
    let now = 0
    const waits = Array.from({ length: 10 }, () => {
      peers.ended(at, EARLY_MS - 1, false, now)
      const from = now
      while (!peers.mayDial(at, now)) now += 1_000
      return now - from
    })
    assert.deepEqual(waits.slice(0, 3), [EARLY_FIRST_MS, 2 * EARLY_FIRST_MS, 4 * EARLY_FIRST_MS])
    assert.deepEqual(waits.slice(-2), [EARLY_MAX_MS, EARLY_MAX_MS])
    assert.equal(peers.mayDial('10.0.0.1:2', now), true)
    peers.ended(at, EARLY_MS, false, now)
    assert.equal(peers.mayDial(at, now), true)
    peers.ended(at, 0, true, now)
    assert.equal(peers.mayDial(at, now), true)
    peers.ended(at, 0, false, now)
    assert.equal(peers.mayDial(at, now + EARLY_FIRST_MS - 1), false, 'it begins anew')
    assert.equal(peers.mayDial(at, now + EARLY_FIRST_MS), true)
  })

  it(`are ${UNWILLING_MAX} at most: the oldest is dialled again at once`, () => {
    const peers = new UnwillingPeers()
    for (let port = 0; port <= UNWILLING_MAX; port++) peers.ended(`10.0.0.1:${port}`, 0, false, 0)
    assert.deepEqual(
      [0, 1, UNWILLING_MAX].map((port) => peers.mayDial(`10.0.0.1:${port}`, 0)),
      [true, false, false],
    )
  })
})

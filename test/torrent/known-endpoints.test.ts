import assert from 'node:assert/strict'
import type { NodeId, PeerId } from '../../src/events/index.ts'
import { BanList } from '../../src/torrent/ban-list.ts'
import { KnownEndpoints } from '../../src/torrent/known-endpoints.ts'

const node = 'a'.repeat(64) as NodeId
const address = 'ip:192.0.2.1' as PeerId

describe('endpoints that were dialled', () => {
  it('are dialled again whoever was found there, but not where that was this node', () => {
    const known = new KnownEndpoints()
    const bans = new BanList()
    known.learn('192.0.2.1:1', node)
    known.isSelf('192.0.2.2:1')
    assert.deepEqual(
      ['192.0.2.1:1', '192.0.2.2:1', '192.0.2.3:1'].map((endpoint) => known.mayDial(endpoint, bans)),
      [true, false, true],
    )
    assert.deepEqual(
      ['192.0.2.1:1', '192.0.2.2:1', '192.0.2.3:1'].map((endpoint) => known.peerAt(endpoint)),
      [node, undefined, undefined],
    )
  })

  it('of 4,096 are remembered, and the one of longest ago is found out again', () => {
    const known = new KnownEndpoints()
    for (let port = 1; port <= 4_096; port++) known.learn(`192.0.2.1:${port}`, address)
    assert.equal(known.peerAt('192.0.2.1:1'), address)
    known.learn('192.0.2.2:1', address)
    assert.deepEqual(
      ['192.0.2.2:1', '192.0.2.1:4096'].map((endpoint) => known.peerAt(endpoint)),
      [address, address],
    )
    const left = Array.from({ length: 4_096 }, (_, at) => known.peerAt(`192.0.2.1:${at + 1}`)).filter(
      (peer) => peer !== undefined,
    )
    assert.equal(left.length, 4_095)
  })
})

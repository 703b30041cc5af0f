import assert from 'node:assert/strict'
import { DEPTH_MAX, RequestDepth } from '../../../src/torrent/swarm/request-depth.ts'

describe('how many blocks are under way', () => {
  const first = new RequestDepth().of(10_000, 1)
  const proven = (blocks: number): RequestDepth => {
    const depth = new RequestDepth()
    depth.completes(blocks)
    depth.judged(blocks, true)
    return depth
  }

  it('grows with each that comes while the rate grows, then follows the rate', () => {
    const depth = proven(2_000)
    assert.equal(depth.of(10_000, 1), first)
    for (let count = 0; count < 100; count++) depth.received()
    assert.equal(depth.of(10_000, 1), first + 100)
    assert.equal(depth.of(50, 1), 50, 'no more than the peer takes')
    depth.tick(1_000_000)
    depth.tick(1_000_000)
    assert.equal(depth.of(10_000, 1), Math.ceil(2_000_000 / 16_384))
    depth.tick(1e12)
    assert.equal(depth.of(10_000, 1), DEPTH_MAX)
    depth.tick(0)
    assert.equal(depth.of(10_000, 1), first)
    depth.stalled()
    assert.equal(depth.of(10_000, 1), 1)
  })

  it('are few, or one piece, with a peer of which nothing was good yet, or a piece was bad, however fast it is', () => {
    const depth = new RequestDepth()
    depth.tick(1e9)
    depth.tick(1e9)
    assert.deepEqual([depth.of(10_000, 4), depth.of(10_000, 100)], [first, 100])
    depth.completes(10)
    assert.equal(depth.of(10_000, 4), first - 10, 'what waits for its verdict counts')
    depth.completes(10)
    assert.equal(depth.of(10_000, 4), 0)
    depth.judged(10, false)
    depth.judged(10, true)
    assert.equal(depth.of(10_000, 4), first + 10)
    depth.distrust()
    assert.equal(depth.of(10_000, 4), first)
  })
})

import assert from 'node:assert/strict'
import { ServeQueue } from '../../../src/torrent/swarm/serve-queue.ts'

describe('what a peer asked for', () => {
  const block = (index: number, at: number, length = 16_384) => ({ index, offset: at * 16_384, length })

  it('is read in runs: the next blocks of the same piece, up to so many bytes with their headers', () => {
    const queue = new ServeQueue()
    const all = [block(1, 0), block(1, 1), block(1, 2), block(1, 4), block(2, 5), block(2, 6, 100)]
    for (const each of all) queue.add(each)
    assert.deepEqual(queue.takeRun(2 * (16_384 + 13)), all.slice(0, 2))
    assert.deepEqual(queue.takeRun(1_000_000), all.slice(2, 3))
    assert.deepEqual(queue.takeRun(1), all.slice(3, 4), 'one at least')
    assert.equal(queue.size, 2)
    assert.deepEqual(queue.takeRun(1_000_000), all.slice(4))
    assert.deepEqual([queue.takeRun(1), queue.size], [[], 0])
  })

  it('is taken back by the same three numbers, once', () => {
    const queue = new ServeQueue()
    for (const each of [block(1, 0), block(1, 1), block(1, 1)]) queue.add(each)
    assert.equal(queue.cancel(block(1, 1, 5)), false)
    assert.equal(queue.cancel(block(1, 1)), true)
    assert.equal(queue.size, 2)
    queue.takeRun(1)
    assert.equal(queue.cancel(block(1, 0)), false, 'it is being answered')
    assert.deepEqual(queue.clear(), [block(1, 1)])
    assert.equal(queue.size, 0)
  })
})

import assert from 'node:assert/strict'
import { SendBuffers } from '../../../src/torrent/swarm/send-buffers.ts'

const BLOCK = 16_384 + 13

describe('memory for what is sent', () => {
  it('comes in powers of two of a block with its header', () => {
    const buffers = new SendBuffers()
    assert.deepEqual(
      [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 5 * BLOCK].map((bytes) => buffers.take(bytes).length / BLOCK),
      [1, 1, 1, 2, 2, 4, 8],
    )
  })

  it('is used again by whoever asks for as much, and by nobody twice', () => {
    const buffers = new SendBuffers()
    const [one, other] = [buffers.take(1), buffers.take(1)]
    buffers.giveBack(one)
    assert.notEqual(buffers.take(BLOCK + 1), one)
    assert.equal(buffers.take(1), one)
    assert.notEqual(buffers.take(1), one)
    buffers.giveBack(other)
    buffers.giveBack(one)
    assert.deepEqual(new Set([buffers.take(1), buffers.take(1)]), new Set([one, other]))
  })

  it('is kept up to 8 MiB', () => {
    const buffers = new SendBuffers()
    const most = Math.floor((8 * 1024 * 1024) / BLOCK)
    const all = Array.from({ length: most + 1 }, () => buffers.take(1))
    for (const buffer of all) buffers.giveBack(buffer)
    const again = Array.from({ length: most + 1 }, () => buffers.take(1))
    assert.equal(again.filter((buffer) => all.includes(buffer)).length, most)
    // What was taken out again makes room.
    for (const buffer of again.slice(0, 2)) buffers.giveBack(buffer)
    assert.ok(again.slice(0, 2).includes(buffers.take(1)))
  })

  it('of exactly 8 MiB is kept', () => {
    const buffers = new SendBuffers()
    const whole = new Uint8Array(8 * 1024 * 1024)
    buffers.giveBack(whole)
    const block = buffers.take(1)
    buffers.giveBack(block)
    assert.notEqual(buffers.take(1), block, 'there is no room for one more')
  })
})

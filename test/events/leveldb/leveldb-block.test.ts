import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isBlockWhole, TRAILER_BYTES, unmask } from '../../../src/events/leveldb/leveldb-block.ts'
import { bytesOf, sealedBlock } from './leveldb-writer.ts'

describe('a block of a table', () => {
  it('has a checksum that is rotated and shifted', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (crc) => {
        const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
        assert.equal(unmask(masked), crc)
      }),
      { examples: [[0], [0xffffffff], [1], [0x8000_0000], [0x7fff]] },
    )
  })

  it('is whole wherever it stands, and not with a single bit changed, in its kind and its checksum too', () => {
    const block = sealedBlock(bytesOf('content'), 1)
    const size = block.length - TRAILER_BYTES
    assert.equal(size, 7)
    const bytes = bytesOf('before', block, 'behind')
    const isWhole = (changed: Uint8Array, offset = 6): boolean => isBlockWhole(changed, { offset, size })
    assert.equal(isWhole(bytes), true)
    for (let at = 6; at < 6 + block.length; at++)
      for (const mask of [1, 128]) assert.equal(isWhole(bytes.with(at, (bytes[at] ?? 0) ^ mask)), false, `${at}`)
    for (const offset of [5, 7]) assert.equal(isWhole(bytes, offset), false)
  })

  it('is whole at the very end of a file, and not where that is cut off', () => {
    const block = sealedBlock(bytesOf('content'))
    const handle = { offset: 0, size: 7 }
    assert.equal(isBlockWhole(block, handle), true)
    for (let length = 0; length < block.length; length++) assert.equal(isBlockWhole(block.slice(0, length), handle), false)
    assert.equal(isBlockWhole(block, { offset: 100, size: 7 }), false)
    // A view that begins elsewhere than its buffer.
    assert.equal(isBlockWhole(bytesOf('xyz', block).subarray(3), handle), true)
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { crc32c, crc32cSteps } from '../../../src/events/leveldb/crc32c.ts'

/** Bit by bit, as RFC 3720 defines it. */
function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

describe("LevelDB's checksums", () => {
  it('are those of RFC 3720', () => {
    assert.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff), 0, 32), 0x62a8ab43)
    const counting = Uint8Array.from({ length: 32 }, (_, index) => index)
    assert.equal(crc32c(counting, 0, 32), 0x46dd794e)
    assert.equal(crc32c(counting.toReversed(), 0, 32), 0x113fdb5c)
    assert.equal(crc32c(new TextEncoder().encode('.123456789.'), 1, 10), 0xe3069283)
  })

  it('are of the bytes between two places, whatever stands around them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40, size: 'max' }), fc.nat(40), fc.nat(40), (bytes, one, other) => {
        const [start, end] = [Math.min(one, other, bytes.length), Math.min(Math.max(one, other), bytes.length)]
        const expected = bitByBit(bytes.subarray(start, end))
        assert.equal(crc32c(bytes, start, end), expected)
        assert.equal(crc32cSteps.end(bytes.subarray(start, end).reduce(crc32cSteps.add, crc32cSteps.start)), expected)
      }),
    )
  })
})

import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { flippedBit } from '../../../src/events/damage/corrected-bit.ts'

describe('a bit that flipped', () => {
  it('is found by the checksum, wherever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000, size: 'max' }), fc.nat(), fc.nat(7), (bytes, place, bit) => {
        const wanted = crc32(bytes)
        const byte = place % bytes.length
        bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit)
        assert.deepEqual(flippedBit(bytes.length, crc32(bytes), wanted), { byte, mask: 1 << bit })
      }),
    )
  })

  it('may be one of the checksum itself', () => {
    const found = crc32(new Uint8Array([1, 2, 3]))
    for (let bit = 0; bit < 32; bit++)
      assert.deepEqual(flippedBit(3, found, (found ^ (1 << bit)) >>> 0), { byte: -1, mask: (1 << bit) >>> 0 })
  })

  it('is not found where nothing is wrong, or more than one bit', () => {
    const bytes = new Uint8Array(500).fill(9)
    const wanted = crc32(bytes)
    assert.equal(flippedBit(bytes.length, wanted, wanted), undefined)
    for (let other = 1; other < bytes.length; other++) {
      const changed = bytes.slice()
      changed[0] = 8
      changed[other] = 8
      assert.equal(flippedBit(changed.length, crc32(changed), wanted), undefined)
    }
  })
})

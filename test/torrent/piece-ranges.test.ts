import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bitfieldOf, countBits, hasBit, rangesOf, rangesOfBitfield, setBit } from '../../src/torrent/piece-ranges.ts'

describe('piece ranges', () => {
  it('hold the same pieces as a set, merged and sorted, and through a bitfield and back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99), { maxLength: 100, size: 'max' }), (indexes) => {
        const expected = [...new Set(indexes)].sort((a, b) => a - b)
        const ranges = rangesOf(indexes)
        assert.deepEqual(
          ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at)),
          expected,
        )
        const bitfield = bitfieldOf(ranges, 100)
        assert.equal(bitfield.length, 13)
        assert.equal(countBits(bitfield), expected.length)
        assert.deepEqual(rangesOfBitfield(bitfield, 100), ranges)
      }),
    )
  })

  it('are cut at the end of the torrent', () => {
    assert.deepEqual([...bitfieldOf([{ first: 6, count: 100 }], 9)], [0b00000011, 0b10000000])
  })

  it('beyond the torrent, and before it, set no bit', () => {
    assert.deepEqual([...bitfieldOf([{ first: 9, count: 3 }], 9)], [0, 0])
    assert.deepEqual([...bitfieldOf([{ first: -2, count: 4 }], 9)], [0b11000000, 0])
    assert.deepEqual([...bitfieldOf([], 8)], [0])
    assert.deepEqual([...bitfieldOf([], 0)], [])
  })

  it('of a bitfield leave out bits behind the last piece', () => {
    assert.deepEqual(rangesOfBitfield(Uint8Array.of(0xff), 3), [{ first: 0, count: 3 }])
    assert.deepEqual(rangesOfBitfield(Uint8Array.of(0b01011000), 8), [
      { first: 1, count: 1 },
      { first: 3, count: 2 },
    ])
    assert.deepEqual(rangesOfBitfield(Uint8Array.of(0), 8), [])
  })
})

describe('a bit of a bitfield', () => {
  it('is set high bit first, and leaves the others as they are', () => {
    const bitfield = Uint8Array.of(0, 0b00000001)
    for (const index of [0, 9]) setBit(bitfield, index)
    assert.deepEqual([...bitfield], [0b10000000, 0b01000001])
    setBit(bitfield, 9)
    assert.deepEqual([...bitfield], [0b10000000, 0b01000001])
    assert.deepEqual(
      Array.from({ length: 18 }, (_, index) => index).filter((index) => hasBit(bitfield, index)),
      [0, 9, 15],
    )
    assert.equal(countBits(bitfield), 3)
    assert.equal(countBits(Uint8Array.of(0xff, 0, 0x81)), 10)
  })
})

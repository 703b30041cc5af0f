import assert from 'node:assert/strict'
import { Cursor, VarintError, varintLength, writeVarint } from '../../../src/events/codec/varint.ts'

describe('a number in bytes', () => {
  it('is given back as it was written, in as many bytes as were told', () => {
    for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const bytes = new Uint8Array(10)
      const end = writeVarint(bytes, 1, value)
      assert.equal(end - 1, varintLength(value))
      const cursor = new Cursor(bytes, 1)
      assert.equal(cursor.varint(), value)
      assert.equal(cursor.at, end)
    }
  })

  it('has ten bytes at most, and ends within what is read', () => {
    const long = (continued: number): Uint8Array => Uint8Array.from([...Array(continued).fill(128), 0])
    assert.equal(new Cursor(long(9)).varint(), 0)
    assert.throws(() => new Cursor(long(10)).varint(), VarintError)
    assert.throws(() => new Cursor(new Uint8Array([128, 1]), 0, 1).varint(), VarintError)
  })

  it('does not lead past the end: the last byte can be skipped, one more cannot', () => {
    const bytes = new Uint8Array(8)
    const cursor = new Cursor(bytes, 2, 6)
    assert.throws(() => cursor.skip(5), VarintError)
    assert.throws(() => cursor.skip(Number.NaN), VarintError)
    assert.equal(cursor.at, 2)
    assert.equal(cursor.skip(4), 2)
    assert.equal(cursor.skip(0), 6)
  })

  it('says what is wrong with it', () => {
    assert.throws(() => new Cursor(new Uint8Array()).varint(), { name: 'VarintError', message: 'a number is cut off' })
    assert.throws(() => new Cursor(new Uint8Array(11).fill(128)).varint(), { message: 'a number has more than ten bytes' })
    assert.throws(() => new Cursor(new Uint8Array()).skip(1), { message: 'bytes are cut off' })
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FieldReader } from '../../../src/events/codec/field-reader.ts'
import { utf8Length } from '../../../src/events/model/utf8-length.ts'

class Refusal extends Error {}

const fields = new FieldReader((sentence, options) => new Refusal(sentence, options))
const refused = (run: () => unknown, sentence: string): void =>
  assert.throws(run, (error) => error instanceof Refusal && error.message === sentence)

describe('the reader of fields', () => {
  const bytes = (length: number) => new Uint8Array(length).fill(0xab)

  it('takes bytes of one length alone, as they are', () => {
    const value = bytes(20)
    assert.equal(fields.bytes(value, 20, 'a digest'), value)
    for (const wrong of [bytes(19), bytes(21), bytes(0), null, undefined])
      refused(() => fields.bytes(wrong, 20, 'a digest'), 'a digest must have 20 bytes')
    assert.equal(fields.node(bytes(32)), 'ab'.repeat(32))
    refused(() => fields.node(bytes(33)), 'a node id must have 32 bytes')
    assert.equal(fields.infoHash(bytes(20)), 'ab'.repeat(20))
    refused(() => fields.infoHash(bytes(32)), 'an info hash must have 20 bytes')
    assert.equal(fields.signature(bytes(64)).length, 64)
    refused(() => fields.signature(bytes(63)), 'a signature must have 64 bytes')
  })

  it('takes bytes up to a length, and none for nothing', () => {
    assert.equal(fields.bytesUpTo(bytes(5), 5, 'a record').length, 5)
    assert.equal(fields.bytesUpTo(null, 5, 'a record').length, 0)
    refused(() => fields.bytesUpTo(bytes(6), 5, 'a record'), 'a record has more than 5 bytes')
  })

  it('counts a text in bytes of UTF-8, whatever its script', () => {
    for (const [character, each] of [
      ['x', 1],
      ['é', 2],
      ['電', 3],
      ['🎬', 4],
    ] as const) {
      const fits = character.repeat(12 / each)
      assert.equal(fields.text(fits, 12, 'a title'), fits)
      refused(() => fields.text(`${fits}x`, 12, 'a title'), 'a title has more than 12 bytes')
      refused(() => fields.text(fits, 11, 'a title'), 'a title has more than 11 bytes')
    }
    assert.equal(fields.text(undefined, 0, 'a title'), '')
  })

  it('takes whole numbers from 0 to a maximum, 2^53 - 1 unless said', () => {
    assert.deepEqual([fields.count(null), fields.count(0), fields.count(7, 'a depth', 7)], [0, 0, 7])
    assert.equal(fields.count(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      refused(() => fields.count(wrong), 'a count is out of range')
    refused(() => fields.count(8, 'a depth', 7), 'a depth is out of range')
    assert.equal(fields.port(65_535), 65_535)
    refused(() => fields.port(65_536), 'a port is out of range')
  })

  it('takes lists up to a length, and words of a few', () => {
    assert.deepEqual(fields.list([1, 2], 2, 'tags'), [1, 2])
    assert.deepEqual(fields.list(null, 2, 'tags'), [])
    refused(() => fields.list([1, 2, 3], 2, 'tags'), 'more than 2 tags')
    assert.equal(fields.oneOf(['a', 'b'], 'b', 'role'), 'b')
    for (const wrong of ['c', '', 'toString', null]) refused(() => fields.oneOf(['a', 'b'], wrong, 'role'), 'unknown role')
  })

  it('reads a message, and says why where it cannot', () => {
    const codec = { decode: (given: Uint8Array) => given.length }
    assert.equal(fields.message(codec, bytes(9), 'a record'), 9)
    const cause = new RangeError('index out of range')
    const broken = {
      decode: () => {
        throw cause
      },
    }
    assert.throws(
      () => fields.message(broken, bytes(1), 'a record'),
      (error) => error instanceof Refusal && error.message === 'a record cannot be read' && error.cause === cause,
    )
  })
})

describe('the length of a text in UTF-8', () => {
  it('is that of its encoding', () => {
    const encoder = new TextEncoder()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(utf8Length(text), encoder.encode(text).length)
      }),
      { numRuns: 500 },
    )
    for (const text of ['', '\u{10ffff}', '\ud800', '\udc00', '\udc00\ud800', '\ud800\ud800\udc00', '\u007f\u0080\u07ff\u0800'])
      assert.equal(utf8Length(text), encoder.encode(text).length, JSON.stringify(text))
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByteReader, ByteWriter, hexKey, key32 } from '../../src/projections/bytes.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const EDGES = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 35, 2 ** 49, 2 ** 53 - 1]

describe('numbers, text and bytes in a row', () => {
  const number = fc.oneof(fc.constantFrom(...EDGES), fc.maxSafeNat())
  const text = fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 70, size: 'max' }),
    fc.string({ unit: 'grapheme', maxLength: 70, size: 'max' }),
    fc.constantFrom('\x7f', '\x80', 'a\xff', '\x7f'.repeat(64), '\x80'.repeat(64), 'a'.repeat(23), 'a'.repeat(24)),
  )
  const item = fc.oneof(
    number.map((value) => ({ is: 'number' as const, value })),
    text.map((value) => ({ is: 'text' as const, value })),
    fc.nat(255).map((value) => ({ is: 'byte' as const, value })),
    fc.uint8Array({ maxLength: 300, size: 'max' }).map((value) => ({ is: 'raw' as const, value })),
    fc.uint8Array({ maxLength: 40, size: 'max' }).map((value) => ({ is: 'hex' as const, value: hexOf(value) })),
  )

  it('are read as they were written, however little room there was at first, and none is left over', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40, size: 'max' }), fc.constantFrom(0, 1, 256), (items, capacity) => {
        const writer = new ByteWriter(capacity)
        for (const one of items) {
          if (one.is === 'number') writer.number(one.value)
          else if (one.is === 'text') writer.text(one.value)
          else if (one.is === 'byte') writer.byte(one.value)
          else if (one.is === 'raw') writer.raw(one.value)
          else writer.hex(one.value)
        }
        const bytes = writer.take()
        assert.deepEqual([writer.length, writer.view()], [bytes.length, bytes])
        const reader = new ByteReader(Uint8Array.of(9, 9, ...bytes), 2)
        for (const one of items) {
          if (one.is === 'number') assert.equal(reader.number(), one.value)
          else if (one.is === 'text') assert.equal(reader.text(), one.value)
          else if (one.is === 'byte') assert.equal(reader.byte(), one.value)
          else if (one.is === 'raw') assert.deepEqual(reader.raw(one.value.length), one.value)
          else assert.equal(reader.hex(one.value.length / 2), one.value)
        }
        assert.ok(reader.isAtEnd)
      }),
      { numRuns: 60 },
    )
  })

  it('stand in the form that rows on disks have: seven bits a byte, the lowest first, and UTF-8 behind its length', () => {
    const written = (write: (writer: ByteWriter) => void): string => {
      const writer = new ByteWriter(0)
      write(writer)
      return hexOf(writer.view())
    }
    const numbers = [0, 127, 128, 300, 2 ** 32, Number.MAX_SAFE_INTEGER]
    assert.deepEqual(
      numbers.map((value) => written((writer) => writer.number(value))),
      ['00', '7f', '8001', 'ac02', '8080808010', 'ffffffffffffff0f'],
    )
    assert.equal(
      written((writer) => writer.text('aé')),
      '0361c3a9',
    )
    assert.equal(
      written((writer) => writer.text('a'.repeat(200))),
      `c801${'61'.repeat(200)}`,
    )
    assert.equal(
      written((writer) => writer.hex('00a9ff')),
      '00a9ff',
    )
  })

  it('begin anew in the same memory, of which `take` is a copy', () => {
    const writer = new ByteWriter(4)
    writer.raw(Uint8Array.of(1, 2, 3))
    const [taken, view] = [writer.take(), writer.view()]
    writer.clear()
    assert.equal(writer.length, 0)
    writer.byte(7)
    assert.deepEqual([taken, view, writer.take()], [Uint8Array.of(1, 2, 3), Uint8Array.of(7, 2, 3), Uint8Array.of(7)])
  })
})

describe('keys of bytes', () => {
  it('are in the order of their numbers, of four bytes each', () => {
    const numbers = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31, 2 ** 32 - 1]
    assert.deepEqual(numbers.map(key32).sort(), numbers.map(key32))
    assert.equal(key32(0x01fe_80ff), '\x01\xfe\x80\xff')
  })

  it('are the bytes that pairs of hex digits stand for', () => {
    assert.equal(hexKey('00ff1aa9'), '\x00\xff\x1a\xa9')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.equal(hexKey(hexOf(bytes)), String.fromCharCode(...bytes))
      }),
    )
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Bencoded } from '../../src/torrent/bencode.ts'
import { decode, decodePrefix, dictionarySpans } from '../../src/torrent/bencode.ts'
import type { Plain } from './bencode-writer.ts'
import { bencode } from './bencode-writer.ts'

const { value: anyValue } = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.uint8Array({ maxLength: 20, size: 'max' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.stringMatching(/^[a-z ]{0,8}$/), tie('value'), { maxKeys: 4 }),
  ),
}))

function plain(value: Bencoded): Plain {
  if (typeof value === 'number' || value instanceof Uint8Array) return value
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]))
  return (value as readonly Bencoded[]).map(plain)
}

describe('bencode', () => {
  it('reads back whatever was written', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = bencode(value)
        assert.deepEqual(Buffer.from(bencode(plain(decode(bytes, { sortedKeys: true })))), Buffer.from(bytes))
      }),
    )
  })

  const malformed = [
    '',
    'i',
    'ie',
    'i-e',
    'i-0e',
    'i01e',
    'i1',
    'i1.5e',
    'i9007199254740993e',
    '1',
    '1:',
    '-1:',
    '01:a',
    'l',
    'l-3:e',
  ]
  const dictionaries = ['d', 'd1:a', 'd1:ai1e', 'di1ei1ee', 'd1:ai1e1:ai2ee', 'd1:y-3:e', 'i1ei2e', '3:abcx', '999999999999:a']
  for (const text of [...malformed, ...dictionaries]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => decode(Buffer.from(text)), { name: 'BencodeError' })
    })
  }

  it('reads the largest safe integers, and refuses the next', () => {
    assert.equal(decode(Buffer.from('i9007199254740991e')), Number.MAX_SAFE_INTEGER)
    assert.equal(decode(Buffer.from('i-9007199254740991e')), -Number.MAX_SAFE_INTEGER)
    for (const text of ['i9007199254740992e', 'i-9007199254740992e']) {
      assert.throws(() => decode(Buffer.from(text)), { name: 'BencodeError' })
    }
  })

  it('refuses the bytes beside the digits, and a string that is a byte short', () => {
    for (const text of ['i1/e', 'i1:e', '2:a', '1;a']) assert.throws(() => decode(Buffer.from(text)), { name: 'BencodeError' })
    assert.deepEqual(decode(Buffer.from('i0e')), 0)
    assert.equal(decode(Buffer.from('i-19e')), -19)
  })

  it('refuses what is nested too deep, before the stack ends', () => {
    const nested = (depth: number) => Buffer.from('l'.repeat(depth) + 'e'.repeat(depth))
    assert.throws(() => decode(nested(1_000_000)), { name: 'BencodeError' })
    // The outermost value is at depth 0, and 64 is the last.
    assert.throws(() => decode(nested(66)), { name: 'BencodeError' })
    assert.doesNotThrow(() => decode(nested(65)))
    assert.deepEqual(decode(nested(2)), [[]])
  })

  it('reads a value and says where it ends', () => {
    assert.deepEqual(decodePrefix(Buffer.from('i42etail')), { value: 42, end: 4 })
  })

  it('gives the bytes of each entry as they stand', () => {
    const spans = dictionarySpans(Buffer.from('d4:infod1:bi1e1:ai2ee1:xi1ee'))
    assert.equal(Buffer.from(spans.get('info') ?? []).toString(), 'd1:bi1e1:ai2ee')
  })

  it('ends on any bytes, with a value or its own error', () => {
    const bytes = fc
      .array(fc.constantFrom(...'dlie:-0123456789a'), { maxLength: 60, size: 'max' })
      .map((letters) => Buffer.from(letters.join('')))
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          decode(input)
        } catch (error) {
          assert.equal((error as Error).name, 'BencodeError')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

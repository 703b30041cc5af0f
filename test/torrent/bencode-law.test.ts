import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decode, encode } from '../../src/torrent/bencode.ts'
import { bencode, type Plain } from './bencode-writer.ts'

describe('written bencode', () => {
  it('reads back, keys sorted', () => {
    const { value } = fc.letrec<{ value: Plain }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.uint8Array({ maxLength: 40, size: 'max' }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(value, (each) => {
        const bytes = encode(each)
        assert.deepEqual(Buffer.from(bytes), Buffer.from(bencode(each)))
        decode(bytes, { sortedKeys: true })
      }),
    )
  })
})

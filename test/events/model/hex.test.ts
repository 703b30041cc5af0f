import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fromHex, toHex } from '../../../src/events/index.ts'
import { hexName } from '../../../src/events/model/hex-names.ts'

describe('hex', () => {
  it('is what the platform says, both ways and in either case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
        const text = Buffer.from(bytes).toString('hex')
        assert.equal(toHex(bytes), text)
        assert.deepEqual([...fromHex(text)], [...bytes])
        assert.deepEqual([...fromHex(text.toUpperCase())], [...bytes])
      }),
    )
    const long = new Uint8Array(100_000).map((_, index) => index)
    assert.equal(toHex(long), Buffer.from(long).toString('hex'))
  })

  it('refuses what is no hex', () => {
    for (const text of ['a', 'zz', '0g', ' 0', '\u01300', '-1', '0\u0661']) assert.throws(() => fromHex(text), RangeError, text)
  })

  it('gives equal names to equal bytes, whatever came before, also where four first bytes are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 8, maxLength: 8, max: 2 }), { maxLength: 60, size: 'max' }), (list) => {
        for (const bytes of list) {
          const padded = new Uint8Array([9, ...bytes, 9])
          assert.equal(hexName(padded, 1, 8), toHex(bytes))
          assert.equal(hexName(padded, 1, 4), toHex(bytes, 0, 4))
        }
      }),
    )
  })
})

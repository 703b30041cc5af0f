import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ArrivedBytes } from '../../../src/torrent/encryption/arrived-bytes.ts'

describe('bytes that have arrived', () => {
  it('come out as they went in, however they are pushed and taken', () => {
    const step = fc.oneof(fc.uint8Array({ maxLength: 600, size: 'max' }), fc.nat(600))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const arrived = new ArrivedBytes()
        let expected = Buffer.alloc(0)
        for (const each of steps) {
          if (typeof each === 'number') {
            const count = Math.min(each, expected.length)
            assert.deepEqual(Buffer.from(arrived.take(count)), expected.subarray(0, count))
            expected = expected.subarray(count)
          } else {
            arrived.push(each)
            expected = Buffer.concat([expected, each])
          }
          assert.equal(arrived.length, expected.length)
        }
      }),
    )
  })

  it('have a pattern only where all of it has arrived', () => {
    const arrived = new ArrivedBytes()
    arrived.push(Buffer.from('..ab'))
    assert.equal(arrived.has(Buffer.from('abc'), 2), false)
    arrived.push(Buffer.from('c'))
    assert.equal(arrived.has(Buffer.from('abc'), 2), true)
    assert.equal(arrived.has(Buffer.from('abc'), 1), false)
    arrived.take(2)
    assert.equal(arrived.has(Buffer.from('abc'), 0), true)
  })
})

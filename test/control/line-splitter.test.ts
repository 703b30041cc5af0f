import assert from 'node:assert/strict'
import fc from 'fast-check'
import { LineSplitter } from '../../src/control/line-splitter.ts'
import { anyText } from './any-text.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('control line splitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const lines = fc.array(
      anyText.map((text) => text.replaceAll('\n', ' ')),
      { maxLength: 30, size: 'max' },
    )
    fc.assert(
      fc.property(lines, fc.array(fc.nat(20), { minLength: 1, maxLength: 40, size: 'max' }), (texts, sizes) => {
        const whole = bytes(texts.map((text) => `${text}\n`).join(''))
        const splitter = new LineSplitter()
        const found: unknown[] = []
        for (let at = 0, turn = 0; at < whole.length; turn += 1) {
          const size = (sizes[turn % sizes.length] ?? 0) + 1
          found.push(...splitter.push(whole.subarray(at, at + size)))
          at += size
        }
        assert.deepEqual(
          found,
          texts.map((text) => text.toWellFormed()),
        )
      }),
    )
  })

  it('tells once of a line that is too long, and goes on with the next', () => {
    const splitter = new LineSplitter(10)
    assert.deepEqual(splitter.push(bytes('0123456789')), [])
    assert.deepEqual(splitter.push(bytes('x')), [{ tooLong: true }])
    assert.deepEqual(splitter.push(bytes('more and more and more')), [])
    assert.deepEqual(splitter.push(bytes('\nshort\n')), ['short'])
  })

  it('takes a line of exactly the longest length', () => {
    assert.deepEqual(new LineSplitter(10).push(bytes('0123456789\n')), ['0123456789'])
    assert.deepEqual(new LineSplitter(10).push(bytes('0123456789a\nb\n')), [{ tooLong: true }, 'b'])
  })
})

import assert from 'node:assert/strict'
import { joinBytes } from '../../../src/events/codec/join-bytes.ts'

describe('joined bytes', () => {
  it('are the parts one behind the other, also where some are empty or there is none', () => {
    assert.deepEqual(joinBytes([Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)]), Uint8Array.of(1, 2, 3))
    assert.deepEqual(joinBytes([]), new Uint8Array())
  })

  it('are a copy', () => {
    const part = Uint8Array.of(1)
    const joined = joinBytes([part])
    part[0] = 9
    assert.deepEqual(joined, Uint8Array.of(1))
  })
})

import assert from 'node:assert/strict'
import { hexName } from '../../../src/events/model/hex-names.ts'

describe('the shared hex of a key', () => {
  it('is another for each key, also where only one byte differs from the one before', () => {
    for (const length of [20, 21, 22, 23, 32]) {
      const key = new Uint8Array(length + 3).fill(7)
      for (let place = 0; place < length; place++) {
        const other = key.with(3 + place, 8)
        for (const bytes of [key, other, other, key])
          assert.equal(hexName(bytes, 3, length), Buffer.from(bytes.subarray(3)).toString('hex'), `byte ${place} of ${length}`)
      }
    }
  })

  it('is not that of a shorter key which begins it', () => {
    const key = new Uint8Array(32).fill(9)
    assert.equal(hexName(key, 0, 32).length, 64)
    assert.equal(hexName(key, 0, 20).length, 40)
    assert.equal(hexName(key, 0, 32).length, 64)
  })
})

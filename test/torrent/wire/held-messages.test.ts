import assert from 'node:assert/strict'
import fc from 'fast-check'
import { HeldMessages } from '../../../src/torrent/wire/held-messages.ts'

describe('messages that are held', () => {
  it('come out as they went in, whatever becomes of the memory they came in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 9_000, size: 'max' }), { maxLength: 20, size: 'max' }),
        (messages) => {
          const held = new HeldMessages(1_000_000)
          const before = messages.map((message) => [...message])
          for (const message of messages) {
            assert.equal(held.add(message), true)
            message.fill(0)
          }
          assert.deepEqual(
            [...held].map((message) => [...message]),
            before,
          )
        },
      ),
    )
  })

  it('have a bound, lengths included', () => {
    const held = new HeldMessages(100)
    assert.equal(held.add(new Uint8Array(46)), true)
    assert.equal(held.add(new Uint8Array(47)), false)
    assert.equal(held.add(new Uint8Array(46)), true)
    assert.equal(held.add(new Uint8Array(0)), false)
    assert.equal([...held].length, 2)
  })
})

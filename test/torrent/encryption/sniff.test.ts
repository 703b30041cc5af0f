import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sniff } from '../../../src/torrent/encryption/sniff.ts'

const OPENING = Buffer.from('\x13BitTorrent protocol', 'latin1')

describe('the first bytes of an inbound connection', () => {
  it('are plain as soon as the opening of BEP 3 is whole, and could be either until then', () => {
    for (let length = 0; length < OPENING.length; length++) assert.equal(sniff(OPENING.subarray(0, length)), 'more')
    assert.equal(sniff(OPENING), 'plain')
    assert.equal(sniff(Buffer.concat([OPENING, Buffer.alloc(48)])), 'plain')
  })

  it('are encrypted from the first byte on that differs', () => {
    fc.assert(
      fc.property(fc.nat(OPENING.length - 1), fc.integer({ min: 1, max: 255 }), fc.uint8Array(), (at, difference, more) => {
        const bytes = Buffer.from(OPENING)
        bytes[at] = (bytes[at] ?? 0) ^ difference
        assert.equal(sniff(bytes.subarray(0, at)), 'more')
        assert.equal(sniff(bytes.subarray(0, at + 1)), 'encrypted')
        assert.equal(sniff(Buffer.concat([bytes, more])), 'encrypted')
      }),
    )
  })
})

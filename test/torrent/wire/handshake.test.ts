import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeHandshake, encodeHandshake } from '../../../src/torrent/wire/handshake.ts'

describe('a handshake', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        (infoHash, peerId) => {
          assert.deepEqual(decodeHandshake(encodeHandshake(infoHash, peerId)), {
            infoHash,
            peerId,
            hasExtended: true,
            hasFast: true,
          })
        },
      ),
    )
  })

  it('of another protocol, of another length, or without extensions is told apart', () => {
    const good = encodeHandshake(new Uint8Array(20), new Uint8Array(20))
    for (let at = 0; at < 20; at++) {
      const other = good.slice()
      other[at] = (other[at] ?? 0) ^ 1
      assert.equal(decodeHandshake(other), undefined)
    }
    assert.equal(decodeHandshake(good.subarray(1)), undefined)
    const plain = good.slice().fill(0, 20, 28)
    assert.deepEqual([decodeHandshake(plain)?.hasExtended, decodeHandshake(plain)?.hasFast], [false, false])
  })

  it('names each extension by one bit of the reserved bytes, and others are passed over', () => {
    const bytes = encodeHandshake(new Uint8Array(20).fill(1), new Uint8Array(20).fill(2))
    assert.deepEqual([...bytes.subarray(20, 28)], [0, 0, 0, 0, 0, 0x10, 0, 0x04])
    assert.equal(Buffer.from(bytes.subarray(0, 20)).toString('latin1'), '\x13BitTorrent protocol')
    const reserved = (...bits: number[]) => {
      const other = bytes.slice()
      other.set(bits, 20)
      const { hasExtended, hasFast } = decodeHandshake(other) ?? assert.fail()
      return [hasExtended, hasFast]
    }
    assert.deepEqual(reserved(0, 0, 0, 0, 0, 0x10, 0, 0), [true, false])
    assert.deepEqual(reserved(0, 0, 0, 0, 0, 0, 0, 0x04), [false, true])
    assert.deepEqual(reserved(255, 255, 255, 255, 255, 0xef, 255, 0xfb), [false, false])
    assert.deepEqual(reserved(0, 0, 0, 0, 0, 255, 0, 255), [true, true])
  })

  it('is a copy, and has 68 bytes', () => {
    const bytes = encodeHandshake(new Uint8Array(20).fill(1), new Uint8Array(20).fill(2))
    const read = decodeHandshake(bytes) ?? assert.fail()
    bytes.fill(9)
    assert.deepEqual([read.infoHash, read.peerId], [new Uint8Array(20).fill(1), new Uint8Array(20).fill(2)])
    assert.equal(decodeHandshake(new Uint8Array([...encodeHandshake(new Uint8Array(20), new Uint8Array(20)), 0])), undefined)
  })
})

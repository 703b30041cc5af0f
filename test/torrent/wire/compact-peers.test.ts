import assert from 'node:assert/strict'
import { compactOf, peersOfCompact } from '../../../src/torrent/wire/compact-peers.ts'

const V6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

describe('compact peers', () => {
  it('are six bytes of IPv4 or eighteen of IPv6, one after the other', () => {
    assert.deepEqual(peersOfCompact(Uint8Array.of(192, 0, 2, 1, 0x1a, 0xe1, 192, 0, 2, 2, 0, 1), 4, 9), [
      '192.0.2.1:6881',
      '192.0.2.2:1',
    ])
    assert.deepEqual(peersOfCompact(Uint8Array.from([...V6, 255, 255]), 6, 9), ['[2001:db8::1]:65535'])
    assert.deepEqual(peersOfCompact(new Uint8Array(), 4, 9), [])
  })

  it('without a port, and what is left over at the end, are nobody', () => {
    assert.deepEqual(peersOfCompact(Uint8Array.of(192, 0, 2, 1, 0, 0, 192, 0, 2, 2, 1, 0, 192, 0, 2, 3, 1), 4, 9), [
      '192.0.2.2:256',
    ])
    assert.deepEqual(peersOfCompact(Uint8Array.from([...V6, 0]), 6, 9), [])
  })

  it('are so many and no more', () => {
    const three = Uint8Array.from([1, 2, 3].flatMap((last) => [192, 0, 2, last, 0, 9]))
    assert.deepEqual(peersOfCompact(three, 4, 3).length, 3)
    assert.deepEqual(peersOfCompact(three, 4, 2), ['192.0.2.1:9', '192.0.2.2:9'])
    assert.deepEqual(peersOfCompact(three, 4, 0), [])
  })

  it('are written as they are read, IPv4 that is mapped among the IPv4 ones', () => {
    const bytes = (host: string, port: number) => {
      const compact = compactOf(host, port)
      return compact && [compact.family, ...compact.bytes]
    }
    assert.deepEqual(bytes('192.0.2.1', 6881), [4, 192, 0, 2, 1, 0x1a, 0xe1])
    assert.deepEqual(bytes('::ffff:192.0.2.1', 1), [4, 192, 0, 2, 1, 0, 1])
    assert.deepEqual(bytes('2001:db8::1', 65_535), [6, ...V6, 255, 255])
    for (const [host, port] of [
      ['peer.example', 1],
      ['fe80::1%eth0', 1],
      ['192.0.2.1', 0],
      ['192.0.2.1', 65_536],
      ['192.0.2.1', -1],
      ['192.0.2.1', Number.NaN],
    ] as const)
      assert.equal(bytes(host, port), undefined)
  })
})

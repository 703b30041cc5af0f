import assert from 'node:assert/strict'
import { bytesOfIp, ipOfBytes } from '../../src/torrent/ip-bytes.ts'

const bytes = (host: string): number[] | undefined => {
  const read = bytesOfIp(host)
  return read && [...read]
}
const groups = (...numbers: number[]): number[] => numbers.flatMap((number) => [number >> 8, number & 0xff])

describe('an IP address as bytes', () => {
  it('is four bytes of IPv4, from 0 to 255 each', () => {
    assert.deepEqual(bytes('0.0.0.0'), [0, 0, 0, 0])
    assert.deepEqual(bytes('255.1.20.255'), [255, 1, 20, 255])
    for (const host of [
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '1.1.1.256',
      'a.b.c.d',
      '1.2.3.4x',
      'x1.2.3.4',
      '1.2.3.4444',
      '1..2.3',
    ])
      assert.equal(bytes(host), undefined, host)
  })

  it('is sixteen bytes of IPv6, with one run of zeros left out or none', () => {
    assert.deepEqual(bytes('1:2:3:4:5:6:7:ffff'), groups(1, 2, 3, 4, 5, 6, 7, 0xffff))
    assert.deepEqual(bytes('::'), groups(0, 0, 0, 0, 0, 0, 0, 0))
    assert.deepEqual(bytes('::1'), groups(0, 0, 0, 0, 0, 0, 0, 1))
    assert.deepEqual(bytes('FE80::'), groups(0xfe80, 0, 0, 0, 0, 0, 0, 0))
    assert.deepEqual(bytes('1::3:4:5:6:7:8'), groups(1, 0, 3, 4, 5, 6, 7, 8))
    assert.deepEqual(bytes('2001:db8::a0b:1'), groups(0x2001, 0xdb8, 0, 0, 0, 0, 0xa0b, 1))
    for (const host of [
      ...[':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '1:2:3:4::5:6:7:8', '::1:2:3:4:5:6:7:8'],
      ...['12345::', 'g::', '::x1', '1:2:3:4:5:6:7:', 'localhost:1', '::1%eth0', '[::1]'],
    ])
      assert.equal(bytes(host), undefined, host)
  })

  it('may have IPv4 at its end, and is four bytes where that is mapped', () => {
    assert.deepEqual(bytes('64:ff9b::192.0.2.33'), groups(0x64, 0xff9b, 0, 0, 0, 0, 0xc000, 0x221))
    assert.deepEqual(bytes('::ffff:192.0.2.33'), [192, 0, 2, 33])
    assert.deepEqual(bytes('::ffff:c000:221'), [192, 0, 2, 33])
    assert.deepEqual(bytes('::fffe:192.0.2.33'), groups(0, 0, 0, 0, 0, 0xfffe, 0xc000, 0x221))
    assert.deepEqual(bytes('::feff:192.0.2.33'), groups(0, 0, 0, 0, 0, 0xfeff, 0xc000, 0x221))
    assert.deepEqual(bytes('1::ffff:192.0.2.33'), groups(1, 0, 0, 0, 0, 0xffff, 0xc000, 0x221))
    for (const host of ['::ffff:192.0.2.256', '::ffff:192.0.2', '::1.2.3.4:5', '1:2:3:4:5:6:7:1.2.3.4'])
      assert.equal(bytes(host), undefined, host)
  })
})

describe('bytes as an IP address', () => {
  it('are written as RFC 5952 says: the first longest run of two zeros or more left out', () => {
    for (const [host, ...numbers] of [
      ['1:2:3:4:5:6:7:8', 1, 2, 3, 4, 5, 6, 7, 8],
      ['::', 0, 0, 0, 0, 0, 0, 0, 0],
      ['::1', 0, 0, 0, 0, 0, 0, 0, 1],
      ['fe80::', 0xfe80, 0, 0, 0, 0, 0, 0, 0],
      ['1:0:3:4:5:6:7:8', 1, 0, 3, 4, 5, 6, 7, 8],
      ['1::4:0:0:7:8', 1, 0, 0, 4, 0, 0, 7, 8],
      ['1:0:0:4::8', 1, 0, 0, 4, 0, 0, 0, 8],
      ['2001:db8:a0b:12f0::', 0x2001, 0xdb8, 0xa0b, 0x12f0, 0, 0, 0, 0],
    ] as const)
      assert.equal(ipOfBytes(Uint8Array.from(groups(...numbers))), host)
  })

  it('are IPv4 where there are four of them, or it is mapped', () => {
    assert.equal(ipOfBytes(Uint8Array.of(192, 0, 2, 33)), '192.0.2.33')
    assert.equal(ipOfBytes(Uint8Array.from(groups(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x221))), '192.0.2.33')
    assert.equal(ipOfBytes(Uint8Array.from(groups(0, 0, 0, 0, 1, 0xffff, 0xc000, 0x221))), '::1:ffff:c000:221')
    assert.equal(ipOfBytes(Uint8Array.from(groups(0, 0, 0, 0, 0, 0xff00, 0xc000, 0x221))), '::ff00:c000:221')
  })
})

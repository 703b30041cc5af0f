import assert from 'node:assert/strict'
import { parseMagnet } from '../../src/torrent/magnet.ts'

const HEX = '0123456789abcdef0123456789abcdef01234567'

describe('a magnet link', () => {
  it('gives the info hash of hex and of base32 alike', () => {
    assert.equal(parseMagnet(`magnet:?xt=urn:btih:${HEX}`).infoHash, HEX)
    assert.equal(parseMagnet(`magnet:?xt=urn:btih:${HEX.toUpperCase()}`).infoHash, HEX)
    assert.equal(parseMagnet('magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH').infoHash, HEX)
  })

  it('gives name and peers, and leaves trackers and web sources alone', () => {
    const uri = `magnet:?dn=A%20name&xt=urn:btmh:1220ab&xt=urn:btih:${HEX}&tr=http://t&xs=http://x&x.pe=10.0.0.1:6881&x.pe=[::1]:7&x.pe=no`
    assert.deepEqual(parseMagnet(uri), {
      infoHash: HEX,
      name: 'A name',
      peers: [
        { host: '10.0.0.1', port: 6881 },
        { host: '::1', port: 7 },
      ],
    })
  })

  it('names 16 peers at most, each at a port that there is', () => {
    const peersOf = (...endpoints: string[]) =>
      parseMagnet(`magnet:?xt=urn:btih:${HEX}${endpoints.map((each) => `&x.pe=${each}`).join('')}`).peers
    const ports = Array.from({ length: 17 }, (_, at) => at + 1)
    assert.deepEqual(
      peersOf(...ports.map((port) => `a:${port}`)).map(({ port }) => port),
      ports.slice(0, 16),
    )
    assert.deepEqual(peersOf('a:0', 'a:65536', 'a:65535', 'a:1', ':1'), [
      { host: 'a', port: 65_535 },
      { host: 'a', port: 1 },
    ])
  })

  it('has a name of 255 letters at most', () => {
    const nameOf = (letters: number) => parseMagnet(`magnet:?xt=urn:btih:${HEX}&dn=${'x'.repeat(letters)}`).name
    assert.deepEqual([nameOf(255)?.length, nameOf(256)?.length, nameOf(0)], [255, 255, undefined])
  })

  const bad: readonly [string, RegExp][] = [
    ['', /does not start with magnet/],
    ['http://example.org', /does not start with magnet/],
    ['magnet:?dn=x', /no xt=urn:btih:/],
    ['magnet:?xt=urn:sha1:abc', /no xt=urn:btih:/],
    ['magnet:?xt=urn:btmh:1220abcd', /version 2 torrent only/],
    ['magnet:?xt=urn:btih:1234', /40 hex digits or 32 base32 letters/],
    [`magnet:?xt=urn:btih:${HEX}0`, /40 hex digits/],
    ['magnet:?xt=urn:btih:01234567890123456789012345678901', /32 base32 letters/],
  ]
  for (const [uri, sentence] of bad) {
    it(`refuses ${JSON.stringify(uri)} with a sentence`, () => {
      assert.throws(() => parseMagnet(uri), { code: 'BAD_MAGNET', message: sentence })
    })
  }
})

import assert from 'node:assert/strict'
import { parseMagnet } from '../../src/torrent/magnet.ts'

const HEX = '0123456789abcdef0123456789abcdef01234567'

describe('a magnet link', () => {
  it('gives the info hash of hex and of base32 alike', () => {
    assert.equal(parseMagnet(`magnet:?xt=urn:btih:${HEX}`).infoHash, HEX)
    assert.equal(parseMagnet(`magnet:?xt=urn:btih:${HEX.toUpperCase()}`).infoHash, HEX)
    assert.equal(parseMagnet('magnet:?xt=urn:btih:AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH').infoHash, HEX)
  })

  it('gives name, peers and trackers', () => {
    const uri = `magnet:?dn=A%20name&xt=urn:btmh:1220ab&xt=urn:btih:${HEX}&tr=http://t&xs=http://x&x.pe=10.0.0.1:6881&x.pe=[::1]:7&x.pe=no`
    assert.deepEqual(parseMagnet(uri), {
      infoHash: HEX,
      name: 'A name',
      trackers: ['http://t'],
      webSeeds: [],
      selected: undefined,
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

  const readable: readonly [string, string][] = [
    ['a bare info hash', HEX],
    ['a bare info hash in capitals, with white space around it', ` ${HEX.toUpperCase()}\n`],
    ['a bare info hash in base32', 'AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH'],
    ['leading white space', `  \tmagnet:?xt=urn:btih:${HEX}`],
    ['a key with a number', `magnet:?xt.1=urn:btih:${HEX}&xt.2=urn:sha1:x`],
    ['a key in capitals', `magnet:?XT=urn:btih:${HEX}`],
    ['everything in capitals', `MAGNET:?XT=URN:BTIH:${HEX.toUpperCase()}`],
    ['a hybrid', `magnet:?xt=urn:btmh:1220ab&xt=urn:btih:${HEX}`],
    ['encoded colons', `magnet:?xt=urn%3Abtih%3A${HEX}`],
    ['a slash before its question mark', `magnet:/?xt=urn:btih:${HEX}`],
    ['the entities of a page', `magnet:?dn=x&amp;xt=urn:btih:${HEX}`],
  ]
  for (const [name, uri] of readable) {
    it(`is read with ${name}`, () => {
      assert.equal(parseMagnet(uri).infoHash, HEX)
    })
  }

  it('gives all its trackers and web seeds, each once, and no other URLs', () => {
    const uri = `magnet:?xt=urn:btih:${HEX}&tr=udp://a:1&tr.1=http://b/x&TR=udp://a:1&tr=file:///etc/passwd&ws=https://w/f&ws=ftp://w/`
    const { trackers, webSeeds } = parseMagnet(uri)
    assert.deepEqual({ trackers, webSeeds }, { trackers: ['udp://a:1', 'http://b/x'], webSeeds: ['https://w/f'] })
    const many = Array.from({ length: 200 }, (_, at) => `&tr=udp://a:${at}`).join('')
    assert.equal(parseMagnet(`magnet:?xt=urn:btih:${HEX}${many}`).trackers.length, 128)
  })

  it('gives the files that it selects as ranges, ascending and apart', () => {
    const selected = (so: string) => parseMagnet(`magnet:?xt=urn:btih:${HEX}&so=${so}`).selected
    assert.deepEqual(selected('4-6,0,2,5-9,10'), [
      { first: 0, last: 0 },
      { first: 2, last: 2 },
      { first: 4, last: 10 },
    ])
    assert.deepEqual(selected('x,7-3,-1,1'), [{ first: 1, last: 1 }])
    assert.equal(selected('all'), undefined)
    assert.equal(selected(Array.from({ length: 5_000 }, (_, at) => 2 * at).join(','))?.length, 1_024)
  })

  it('is refused where it is longer than any link', () => {
    const uri = (letters: number) => `magnet:?xt=urn:btih:${HEX}&dn=`.padEnd(letters, 'x')
    assert.equal(parseMagnet(uri(65_536)).infoHash, HEX)
    assert.throws(() => parseMagnet(uri(65_537)), { code: 'BAD_MAGNET', message: /65537 letters, at most 65536/ })
  })

  const bad: readonly [string, RegExp][] = [
    ['', /does not start with magnet/],
    ['http://example.org', /does not start with magnet/],
    ['magnet:?dn=x', /no xt=urn:btih:/],
    ['magnet:?xt=urn:sha1:abc', /no xt=urn:btih:/],
    ['magnet:?xt=urn:btmh:1220abcd', /v2-only torrent \(btmh\), and those are not supported yet: ask for a link/],
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

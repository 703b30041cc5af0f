import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { InfoHash } from '../../../src/events/index.ts'
import { decodeLsd, encodeLsd, LSD_BYTES_MAX, LSD_TORRENTS_MAX } from '../../../src/torrent/sources/lsd-message.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const HASH = 'a1'.repeat(20) as InfoHash
const many = (count: number) => Array.from({ length: count }, (_, index) => index.toString(16).padStart(40, '0') as InfoHash)
const lines = (...given: string[]) => bytes(`BT-SEARCH * HTTP/1.1\r\n${given.join('\r\n')}\r\n\r\n\r\n`)

describe('an announcement to the local network', () => {
  it('is what it was when it is read', () => {
    for (const family of [4, 6] as const) {
      const said = { port: 6881, infoHashes: many(3), cookie: 'c00c1e' }
      assert.deepEqual(decodeLsd(encodeLsd(said, family)), said)
    }
  })

  it('is written as BEP 14 has it', () => {
    const text = new TextDecoder().decode(encodeLsd({ port: 6881, infoHashes: [HASH], cookie: 'c' }, 6))
    assert.equal(
      text,
      `BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\nPort: 6881\r\nInfohash: ${HASH}\r\ncookie: c\r\n\r\n\r\n`,
    )
  })

  it('fits into one datagram with as many torrents as it may have', () => {
    const said = { port: 65_535, infoHashes: many(LSD_TORRENTS_MAX), cookie: '0'.repeat(16) }
    for (const family of [4, 6] as const) {
      const datagram = encodeLsd(said, family)
      assert.ok(datagram.length <= LSD_BYTES_MAX, `${datagram.length} bytes`)
      assert.equal(decodeLsd(datagram)?.infoHashes.length, LSD_TORRENTS_MAX)
    }
  })

  it('is read with headers in any order and spelling, each torrent once', () => {
    const said = decodeLsd(lines(`INFOHASH:  ${HASH.toUpperCase()}  `, `infohash: ${HASH}`, 'X-Else: 1', 'pOrT:\t7000 '))
    assert.deepEqual(said, { port: 7_000, infoHashes: [HASH], cookie: undefined })
  })

  it('leaves out torrents that it cannot name', () => {
    const said = decodeLsd(lines('Port: 1', `Infohash: ${HASH}`, 'Infohash: 12', `Infohash: ${HASH}00`))
    assert.deepEqual(said?.infoHashes, [HASH])
  })

  it('keeps no more than 64 letters of a cookie', () => {
    assert.equal(decodeLsd(lines('Port: 1', `Infohash: ${HASH}`, `cookie: ${'c'.repeat(65)}`))?.cookie, 'c'.repeat(64))
  })

  const REFUSED: Readonly<Record<string, Uint8Array>> = {
    nothing: bytes(''),
    'another request': bytes(`M-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HASH}\r\n\r\n`),
    'no port': lines(`Infohash: ${HASH}`),
    'port 0': lines('Port: 0', `Infohash: ${HASH}`),
    'port 65536': lines('Port: 65536', `Infohash: ${HASH}`),
    'a port that is no number': lines('Port: 0x50', `Infohash: ${HASH}`),
    'no torrent': lines('Port: 6881'),
    'one byte too many': bytes(`BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HASH}\r\nX: `.padEnd(LSD_BYTES_MAX + 1, 'x')),
  }
  for (const [what, datagram] of Object.entries(REFUSED)) {
    it(`is not read with ${what}`, () => assert.equal(decodeLsd(datagram), undefined))
  }

  it('is read when it is as long as it may be', () => {
    assert.ok(decodeLsd(bytes(`BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${HASH}\r\nX: `.padEnd(LSD_BYTES_MAX, 'x'))))
  })

  it('may be anything', () => {
    const start = fc.constantFrom('', 'BT-SEARCH * HTTP/1.1\r\n', 'BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ')
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 1_500, size: 'max' }), (head, rest) => {
        const said = decodeLsd(Uint8Array.from([...bytes(head), ...rest]))
        assert.ok(said === undefined || (said.port > 0 && said.infoHashes.length > 0))
      }),
    )
  })
})

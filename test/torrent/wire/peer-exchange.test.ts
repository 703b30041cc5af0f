import assert from 'node:assert/strict'
import { decode, encode } from '../../../src/torrent/bencode.ts'
import { decodePeerExchange, EXCHANGED_MAX, encodePeerExchange } from '../../../src/torrent/wire/peer-exchange.ts'

const many = (count: number, of: (index: number) => string) => Array.from({ length: count }, (_, index) => of(index + 1))

describe('a message of peer exchange', () => {
  it('names those that were added, of both families, and leaves out names', () => {
    const message = encodePeerExchange(['192.0.2.1:6881', 'peer.example:1', '[2001:db8::1]:6882'], ['192.0.2.2:1'])
    assert.deepEqual(decodePeerExchange(message), ['192.0.2.1:6881', '[2001:db8::1]:6882'])
  })

  it('has one byte of flags for each, and those that left', () => {
    const fields = decode(
      encodePeerExchange(['192.0.2.1:1', '192.0.2.2:1', '[2001:db8::1]:1'], ['192.0.2.3:1', '[2001:db8::2]:1']),
    )
    assert.ok(fields instanceof Map)
    assert.deepEqual(
      [...fields].map(([name, value]) => [name, (value as Uint8Array).length]),
      [
        ['added', 12],
        ['added.f', 2],
        ['added6', 18],
        ['added6.f', 1],
        ['dropped', 6],
        ['dropped6', 18],
      ],
    )
  })

  it('has fifty of each family at most, written and read', () => {
    const message = encodePeerExchange([...many(51, (at) => `192.0.2.${at}:1`), ...many(51, (at) => `[2001:db8::${at}]:1`)], [])
    assert.equal(decodePeerExchange(message)?.length, 2 * EXCHANGED_MAX)
    const long = new Uint8Array(51 * 6).fill(1)
    assert.equal(decodePeerExchange(encode({ added: long }))?.length, EXCHANGED_MAX)
    assert.equal(decodePeerExchange(encode({ added6: new Uint8Array(51 * 18).fill(1) }))?.length, EXCHANGED_MAX)
  })

  it('that is none is told apart, and one that names nobody is one', () => {
    for (const bytes of [new Uint8Array(), Uint8Array.of(0), encode([]), encode(5)])
      assert.equal(decodePeerExchange(bytes), undefined)
    for (const message of [encode({}), encode({ added: 5, added6: [] }), encodePeerExchange([], [])])
      assert.deepEqual(decodePeerExchange(message), [])
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encode } from '../../../src/torrent/bencode.ts'
import {
  type Announcement,
  announceUrl,
  readHttpAnswer,
  readUdpAnswer,
  TrackerError,
  udpAnnounce,
  udpConnect,
} from '../../../src/torrent/sources/tracker-messages.ts'
import { compactOf, peersOfCompact } from '../../../src/torrent/wire/compact-peers.ts'

const announcement: Announcement = {
  ...{ infoHash: new Uint8Array(20).fill(0xab), peerId: new Uint8Array(20).fill(0x2d), port: 6881 },
  ...{ uploadedBytes: 5, downloadedBytes: 6, leftBytes: 7, event: 'started', wanted: 80, key: 0xbeef },
}

describe('what is said to a tracker over HTTP', () => {
  it('is a query behind its address', () => {
    const url = announceUrl('http://t.example/announce', announcement)
    assert.match(
      url,
      /^http:\/\/t\.example\/announce\?info_hash=(%ab){20}&peer_id=(%2d){20}&port=6881&uploaded=5&downloaded=6&left=7/,
    )
    assert.match(url, /&compact=1&numwant=80&key=0000beef&event=started$/)
    assert.match(announceUrl('http://t.example/announce?pass=1', announcement), /announce\?pass=1&info_hash=/)
    assert.match(announceUrl('http://t.example/a', { ...announcement, event: 'stopped' }), /numwant=0.*event=stopped$/)
    assert.ok(!announceUrl('http://t.example/a', { ...announcement, event: undefined }).includes('event='))
  })
})

describe('the answer of a tracker over HTTP', () => {
  const read = (answer: Parameters<typeof encode>[0]) => readHttpAnswer(encode(answer))
  const peers = Uint8Array.from([127, 0, 0, 1, 0x1a, 0xe1, 10, 0, 0, 2, 0, 0])

  it('names peers in either form, and how many there are', () => {
    const answer = read({ interval: 900, complete: 3, incomplete: 4, peers, 'warning message': 'be kind' })
    assert.deepEqual(answer, {
      ...{ intervalMs: 900_000, seeders: 3, leechers: 4, peers: ['127.0.0.1:6881'], warning: 'be kind' },
    })
    const listed = read({
      peers: [{ ip: '10.0.0.1', port: 1 }, { ip: '::1', port: 2 }, { ip: 'a.name', port: 3 }, { ip: '10.0.0.1', port: 0 }, 5],
    })
    assert.deepEqual(listed.peers, ['10.0.0.1:1', '[::1]:2'])
    const v6 = Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1, 0, 80])
    assert.deepEqual(read({ peers6: v6 }).peers, ['[2001:db8::1]:80'])
  })

  it('has an interval within bounds, whatever it says', () => {
    for (const [interval, ms] of [
      [59, 60_000],
      [60, 60_000],
      [61, 61_000],
      [7_200, 7_200_000],
      [7_201, 7_200_000],
      [2 ** 40, 7_200_000],
      [0, 1_800_000],
      [-5, 1_800_000],
    ] as const) {
      assert.equal(read({ interval }).intervalMs, ms, String(interval))
    }
    assert.equal(read({}).intervalMs, 1_800_000)
    assert.equal(read({ interval: 100, 'min interval': 300 }).intervalMs, 300_000)
  })

  it('names 200 peers at most', () => {
    assert.equal(read({ peers: new Uint8Array(6 * 300).fill(1) }).peers.length, 200)
    assert.equal(read({ peers: Array.from({ length: 300 }, () => ({ ip: '10.0.0.1', port: 1 })) }).peers.length, 200)
    assert.equal(read({ peers: new Uint8Array(6 * 150).fill(1), peers6: new Uint8Array(18 * 150).fill(1) }).peers.length, 200)
  })

  it('is a sentence where it refuses, or is no answer', () => {
    assert.throws(() => read({ 'failure reason': 'unregistered torrent' }), /it refuses: unregistered torrent/)
    assert.throws(() => read(['x']), TrackerError)
    assert.throws(() => readHttpAnswer(new TextEncoder().encode('<html>')), /no bencode/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
        try {
          readHttpAnswer(bytes)
        } catch (error) {
          assert.ok(error instanceof TrackerError)
        }
      }),
    )
  })
})

describe('what is said to a tracker over UDP', () => {
  it('stands where BEP 15 has it', () => {
    assert.equal(Buffer.from(udpConnect(5)).toString('hex'), '00000417271019800000000000000005')
    const bytes = Buffer.from(udpAnnounce(0x0102030405060708n, 9, announcement))
    assert.equal(bytes.length, 98)
    assert.equal(bytes.subarray(0, 16).toString('hex'), '01020304050607080000000100000009')
    assert.equal(bytes.subarray(16, 36).toString('hex'), 'ab'.repeat(20))
    assert.deepEqual([bytes.readBigUInt64BE(56), bytes.readBigUInt64BE(64), bytes.readBigUInt64BE(72)], [6n, 7n, 5n])
    assert.deepEqual(
      [bytes.readUInt32BE(80), bytes.readUInt32BE(88), bytes.readInt32BE(92), bytes.readUInt16BE(96)],
      [2, 0xbeef, 80, 6881],
    )
  })
})

describe('the answer of a tracker over UDP', () => {
  const answer = (action: number, transaction: number, rest: number[]): Uint8Array => {
    const bytes = Buffer.alloc(8 + rest.length)
    bytes.writeUInt32BE(action, 0)
    bytes.writeUInt32BE(transaction, 4)
    bytes.set(rest, 8)
    return bytes
  }
  const numbers = (...values: number[]): number[] => values.flatMap((value) => [0, 0, value >> 8, value & 0xff])

  it('is read for the transaction that asked, and for no other', () => {
    assert.deepEqual(readUdpAnswer(answer(0, 7, numbers(0, 9)), 7, 4), { connection: 9n })
    assert.equal(readUdpAnswer(answer(0, 8, numbers(0, 9)), 7, 4), undefined)
    assert.equal(readUdpAnswer(new Uint8Array(7), 0, 4), undefined)
    assert.deepEqual(readUdpAnswer(answer(1, 7, [...numbers(600, 2, 3), 10, 0, 0, 1, 0, 80]), 7, 4), {
      ...{ intervalMs: 600_000, leechers: 2, seeders: 3, peers: ['10.0.0.1:80'], warning: undefined },
    })
  })

  it('is a sentence where it refuses, or is too short', () => {
    assert.throws(() => readUdpAnswer(answer(3, 7, [...Buffer.from('go away')]), 7, 4), /it refuses: go away/)
    assert.throws(() => readUdpAnswer(answer(1, 7, numbers(1, 2)), 7, 4), /too short/)
    assert.throws(() => readUdpAnswer(answer(0, 7, numbers(1)), 7, 4), /too short/)
    assert.throws(() => readUdpAnswer(answer(2, 7, numbers(1, 2, 3)), 7, 4), TrackerError)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120, size: 'max' }), fc.constantFrom(4 as const, 6 as const), (bytes, family) => {
        try {
          readUdpAnswer(Buffer.concat([bytes.subarray(0, 4), new Uint8Array(4), bytes.subarray(8)]), 0, family)
        } catch (error) {
          assert.ok(error instanceof TrackerError)
        }
      }),
    )
  })
})

describe('compact peers', () => {
  it('are read as they were written, and what is left over is nobody', () => {
    const endpoints = fc.oneof(fc.ipV4(), fc.ipV6()).map((host) => ({ host, port: 1 }))
    fc.assert(
      fc.property(endpoints, fc.integer({ min: 1, max: 65_535 }), ({ host }, port) => {
        const compact = compactOf(host, port)
        // With an IPv4 tail, which no socket names an address by.
        if (compact === undefined) {
          assert.match(host, /:.*\./)
          return
        }
        const [endpoint = ''] = peersOfCompact(Buffer.concat([compact.bytes, new Uint8Array(5)]), compact.family, 9)
        assert.equal(endpoint.slice(endpoint.lastIndexOf(':') + 1), String(port))
        const again = compactOf(endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, ''), port)
        assert.deepEqual(again, compact)
      }),
    )
    for (const [host, port] of [
      ['a.name', 1],
      ['256.0.0.1', 1],
      ['1.2.3.4', 0],
      ['1.2.3.4', 65_536],
      ['1:2:3', 1],
      ['::1::', 1],
    ] as const) {
      assert.equal(compactOf(host, port), undefined, host)
    }
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { AddressId } from '../../src/events/index.ts'
import { BanList } from '../../src/torrent/ban-list.ts'
import {
  canonicalHost,
  endpointOf,
  hostOf,
  isBelieved,
  networkOf,
  portOf,
  type Reach,
  reachOf,
} from '../../src/torrent/endpoint.ts'
import { bytesOfIp, ipOfBytes } from '../../src/torrent/ip-bytes.ts'
import { KnownEndpoints } from '../../src/torrent/known-endpoints.ts'

describe('an endpoint', () => {
  const SPELLINGS: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
    ['name.example', 'name.example'],
    ['1:2:3', '1:2:3'],
    ['::1::', '::1::'],
    ['::1.2.3.400', '::1.2.3.400'],
  ]
  for (const [text, canonical] of SPELLINGS) {
    it(`with the address ${text} is written ${canonical}`, () => assert.equal(canonicalHost(text), canonical))
  }

  it('of IPv6 has brackets, and gives address and port back', () => {
    const endpoint = endpointOf('2001:DB8::0:1', 6881)
    assert.deepEqual([endpoint, hostOf(endpoint), portOf(endpoint)], ['[2001:db8::1]:6881', '2001:db8::1', 6881])
    assert.equal(endpointOf('::ffff:192.0.2.1', 1), '192.0.2.1:1')
  })

  it('has an address that gives the same bytes in its one spelling', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(0, 1, 255), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
    )
    fc.assert(
      fc.property(bytes, (address) => {
        const text = ipOfBytes(address)
        const again = bytesOfIp(text)
        assert.ok(again)
        assert.equal(ipOfBytes(again), text)
        assert.deepEqual([...again], [...address.subarray(address.length - again.length)])
      }),
    )
  })

  it('counts for its /64 where it is IPv6', () => {
    assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
    assert.equal(networkOf('2001:db8:1:2::'), networkOf('2001:db8:1:2:ffff::1'))
    assert.notEqual(networkOf('2001:db8:1:2::'), networkOf('2001:db8:1:3::'))
    assert.deepEqual(
      [networkOf('192.0.2.1'), networkOf('::ffff:192.0.2.1'), networkOf('x:y')],
      ['192.0.2.1', '192.0.2.1', 'x:y'],
    )
  })

  const REACHES: [string, Reach][] = [
    ['0.0.0.0', 'none'],
    ['0.1.2.3', 'none'],
    ['223.255.255.255', 'world'],
    ['224.0.0.1', 'none'],
    ['255.255.255.255', 'none'],
    ['127.0.0.1', 'machine'],
    ['127.255.0.1', 'machine'],
    ['::ffff:127.0.0.1', 'machine'],
    ['10.1.2.3', 'site'],
    ['172.15.0.1', 'world'],
    ['172.16.0.1', 'site'],
    ['172.31.0.1', 'site'],
    ['172.32.0.1', 'world'],
    ['192.168.0.1', 'site'],
    ['192.167.0.1', 'world'],
    ['169.254.0.1', 'site'],
    ['100.63.0.1', 'world'],
    ['100.64.0.1', 'site'],
    ['100.127.0.1', 'site'],
    ['100.128.0.1', 'world'],
    ['::', 'none'],
    ['::1', 'machine'],
    ['::2', 'none'],
    ['ff15::efc0:988f', 'none'],
    ['fc00::1', 'site'],
    ['fd12::1', 'site'],
    ['fe80::1%eth0', 'site'],
    ['fe7f::1', 'world'],
    ['2001:db8::1', 'world'],
    ['tracker.example', 'world'],
  ]
  for (const [host, reach] of REACHES) it(`with ${host} reaches ${reach}`, () => assert.equal(reachOf(host), reach))

  it('of this machine is believed of this machine alone, and one that nobody can have of nobody', () => {
    assert.equal(isBelieved('127.0.0.1:22', 'world'), false)
    assert.equal(isBelieved('[::1]:22', 'site'), false)
    assert.equal(isBelieved('127.0.0.1:22', 'machine'), true)
    assert.equal(isBelieved('192.168.0.1:80', 'world'), true)
    assert.equal(isBelieved('224.0.0.1:80', 'machine'), false)
    assert.equal(isBelieved('192.0.2.1:0', 'machine'), false)
    assert.equal(isBelieved('192.0.2.1:65536', 'machine'), false)
    assert.equal(isBelieved('192.0.2.1:65535', 'world'), true)
  })

  it('under a ban is not dialled, in whatever spelling, and neither are others of its /64', () => {
    const bans = new BanList()
    const endpoints = new KnownEndpoints()
    bans.ban('ip:2001:db8:1:2::7' as AddressId)
    bans.ban('ip:192.0.2.1' as AddressId)
    for (const banned of ['2001:db8:1:2::7', '2001:db8:1:2:3:4:5:6', '::ffff:192.0.2.1', '192.0.2.1']) {
      const endpoint = endpointOf(banned, 6881)
      endpoints.learn(endpoint, `ip:${hostOf(endpoint)}` as AddressId)
      assert.equal(bans.needsProof(banned), true, banned)
      assert.equal(endpoints.mayDial(endpoint, bans), false, banned)
    }
    assert.equal(bans.needsProof('2001:db8:1:3::7'), false)
    bans.unban('ip:2001:db8:1:2::7' as AddressId)
    assert.equal(bans.needsProof('2001:db8:1:2::7'), false)
  })
})

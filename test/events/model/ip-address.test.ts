import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import {
  decodePayload,
  type EventOf,
  encodePayload,
  isDialable,
  isIpAddress,
  isIpv4,
  isMemberAddress,
  NO_ADDRESS,
  type NodeId,
  PayloadError,
} from '../../../src/events/index.ts'
import { plainMember } from '../../../src/events/model/member-payload.ts'
import { ipv4s } from '../arbitraries.ts'

type Change = EventOf<'member.alive' | 'member.suspect' | 'member.dead' | 'member.refuted' | 'member.left'>

const KINDS = ['member.alive', 'member.suspect', 'member.dead', 'member.refuted', 'member.left'] as const
const subject = 'a'.repeat(64) as NodeId
const change = (address: { host: string; port: number; dhtPort: number }, kind: Change['kind'] = 'member.alive'): Change => ({
  ...{ kind, subject, incarnation: 3, role: 'index' as const },
  ...address,
})

/** Read as arriving by both decoders: by hand, and with a field behind it that only the generated one reads. */
function arriving(event: Change): (Change | 'refused')[] {
  const { number, payload } = encodePayload(event)
  return [payload, Uint8Array.from([...payload, 120, 0])].map((bytes) => {
    try {
      return decodePayload(number, bytes) as Change
    } catch (error) {
      assert.ok(error instanceof PayloadError, String(error))
      return 'refused'
    }
  })
}

const stored = (event: Change): Change[] => {
  const { number, payload } = encodePayload(event)
  const unplain = Uint8Array.from([...payload, 120, 0])
  return [payload, unplain].map((bytes) => decodePayload(number, bytes, 0, bytes.length, 'stored') as Change)
}

/** Near misses are likelier among these than among any texts. */
const hosts = fc.oneof(
  ipv4s,
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6(),
  fc.domain(),
  fc.string({ unit: fc.constantFrom(...'0123456789.'), maxLength: 17 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  ipv4s.map((host) => `${host}\0`),
  ipv4s.map((host) => host.replace('.', String.fromCharCode(256 + 46))),
)
const addresses = fc.record({ host: hosts, port: fc.oneof(fc.constant(0), fc.nat(65_535)), dhtPort: fc.nat(65_535) })

describe('an address that travels', () => {
  const given: readonly [host: string, isOne: boolean][] = [
    ['127.0.0.1', true],
    ['1.0.0.0', true],
    ['10.255.255.255', true],
    ['192.168.1.1', true],
    ['169.254.0.1', true],
    ['223.255.255.255', true],
    ['0.0.0.0', false],
    ['0.1.2.3', false],
    ['224.0.0.1', false],
    ['239.255.255.255', false],
    ['240.0.0.1', false],
    ['255.255.255.255', false],
    ['256.0.0.1', false],
    ['1.2.3.256', false],
    ['01.2.3.4', false],
    ['1.2.3.04', false],
    ['1.2.3.00', false],
    ['1.2.3', false],
    ['1.2.3.', false],
    ['.1.2.3', false],
    ['1..2.3', false],
    ['1.2.3.4.', false],
    ['1.2.3.4.5', false],
    ['16909060', false],
    ['0x7f.0.0.1', false],
    ['1.2.3.4 ', false],
    [' 1.2.3.4', false],
    ['1.2.3.٤', false],
    ['1.2.3.-4', false],
    ['localhost', false],
    ['victim.example', false],
    ['::1', false],
    ['::ffff:1.2.3.4', false],
    ['', false],
  ]
  for (const [host, isOne] of given)
    it(`${isOne ? 'takes' : 'refuses'} ${JSON.stringify(host)}`, () => assert.equal(isIpv4(host), isOne))

  it('is one by the rules of Node as well, whatever the text', () => {
    fc.assert(
      fc.property(hosts, (host) => {
        const first = Number(host.split('.')[0])
        assert.equal(isIpv4(host), isIPv4(host) && first >= 1 && first <= 223)
      }),
      { numRuns: 5_000 },
    )
  })

  it('has a port of 1 to 65535', () => {
    const at = (port: unknown) => isDialable({ host: '10.0.0.1', port })
    assert.deepEqual([1, 65_535].map(at), [true, true])
    assert.deepEqual([0, 65_536, -1, 1.5, Number.NaN, '1', null, undefined].map(at), Array(8).fill(false))
    assert.deepEqual([null, undefined, {}, { host: ['10.0.0.1'], port: 1 }].map(isDialable), [false, false, false, false])
  })

  it('is none at all, or one with a port', () => {
    assert.equal(isMemberAddress(NO_ADDRESS), true)
    assert.equal(isMemberAddress({ host: '', port: 0, dhtPort: 9 }), true)
    assert.equal(isMemberAddress({ host: '', port: 1, dhtPort: 0 }), false)
    assert.equal(isMemberAddress({ host: '10.0.0.1', port: 0, dhtPort: 0 }), false)
    assert.equal(isMemberAddress({ host: '10.0.0.1', port: 1, dhtPort: 65_536 }), false)
  })

  it('of a BitTorrent peer may be IPv6 too, in lower case and without a zone', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), hosts, fc.string({ unit: fc.constantFrom(...'0f:.1'), maxLength: 20 })), (text) => {
        const isSix = isIPv6(text) && text === text.toLowerCase() && !text.includes('%')
        assert.equal(isIpAddress(text), isSix || isIpv4(text), text)
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('an IPv6 address', () => {
  it('has eight groups, or fewer and one gap', () => {
    assert.equal(isIpAddress('1:2:3:4:5:6:7:8'), true)
    assert.equal(isIpAddress('1:2:3:4:5:6::8'), true)
    for (const text of [
      '1:2:3:4::5:6:7:8',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      '::1.2.3.4::',
      '1:2:3:4:5:6:7:8::',
    ])
      assert.equal(isIpAddress(text), false, text)
  })
})

describe('the address of a member in an event', () => {
  it('is decoded as one that can be dialled or as none, or the event is refused, by both decoders alike', () => {
    let refused = 0
    fc.assert(
      fc.property(addresses, fc.constantFrom(...KINDS), (address, kind) => {
        const event = change(address, kind)
        const [byHand, generated] = arriving(event)
        assert.deepEqual(byHand, generated)
        if (isMemberAddress(address)) assert.deepEqual(byHand, event)
        else assert.equal(byHand, 'refused')
        if (byHand === 'refused') refused++
        const { payload } = encodePayload(event)
        const plain = plainMember(kind, payload, 0, payload.length)
        assert.ok(plain === undefined || isMemberAddress(plain))
      }),
      { numRuns: 5_000 },
    )
    assert.ok(refused > 1_000)
  })

  it('is refused whatever the bytes are where it stands', () => {
    const { number, payload } = encodePayload(change({ host: '198.51.100.1', port: 9, dhtPort: 0 }))
    const at = payload.indexOf('1'.charCodeAt(0), 40)
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (host) => {
        const changed = payload.slice()
        changed.set(host, at)
        let read: Change | undefined
        try {
          read = decodePayload(number, changed) as Change
        } catch {}
        assert.ok(read === undefined || isIPv4(read.host))
      }),
    )
  })

  it('counts as unknown in an event that a log holds already', () => {
    fc.assert(
      fc.property(addresses, fc.constantFrom(...KINDS), (address, kind) => {
        const event = change(address, kind)
        const expected = isMemberAddress(address) ? event : { ...event, ...NO_ADDRESS }
        assert.deepEqual(stored(event), [expected, expected])
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the address of a peer that proved no key', () => {
  it('is refused in an event if it is none, and read as it stands from a log', () => {
    for (const text of ['ip:victim.example', 'ip:1.2.3.04', 'ip:0.0.0.0', 'ip:fe80::1%eth0', 'ip:::1::', 'ip: 1.2.3.4']) {
      const banned = { kind: 'operator.banned' as const, subject: text as NodeId, reason: '' }
      const { number, payload } = encodePayload(banned)
      assert.throws(() => decodePayload(number, payload), PayloadError, text)
      assert.deepEqual(decodePayload(number, payload, 0, payload.length, 'stored'), banned)
      const infoHash = '1'.repeat(40) as EventOf<'piece.suspected'>['infoHash']
      const suspected = encodePayload({ kind: 'piece.suspected', infoHash, index: 0, sources: [banned.subject] })
      assert.throws(() => decodePayload(suspected.number, suspected.payload), PayloadError, text)
      const judged = encodePayload({ kind: 'piece.judged', subject: banned.subject, infoHash, good: [], bad: [] })
      assert.throws(() => decodePayload(judged.number, judged.payload), PayloadError, text)
    }
  })
})

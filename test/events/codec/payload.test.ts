import assert from 'node:assert/strict'
import {
  type AddressId,
  decodePayload,
  type Event,
  type EventKind,
  encodePayload,
  type InfoHash,
  type NodeId,
  PayloadError,
} from '../../../src/events/index.ts'
import { EVERY_KIND } from '../samples.ts'

const infoHash = '1'.repeat(40) as InfoHash
const subject = 'd'.repeat(64) as NodeId

const sampleOf = <K extends EventKind>(kind: K): Extract<Event, { kind: K }> => {
  const sample = EVERY_KIND.find(({ event }) => event.kind === kind)
  assert.ok(sample)
  return sample.event as Extract<Event, { kind: K }>
}

/** Reads back what was written without any check, as a peer could send it. */
const read = (event: Event, origin: 'arriving' | 'stored' = 'arriving'): Event => {
  const { number, payload } = encodePayload(event)
  return decodePayload(number, payload, 0, payload.length, origin)
}

const long = (length: number): string => 'x'.repeat(length)
const badPiece = {
  ...{ index: 1, evidence: 'sole-source' as const, offset: 0, length: 1 },
  ...{ expected: '0'.repeat(40), received: '1'.repeat(40) },
}
const published = { ...sampleOf('torrent.published') }
const judged = { kind: 'piece.judged' as const, subject, infoHash, good: [], bad: [] }
const stamped = { kind: 'download.stamped' as const, infoHash }
const changed = { ...sampleOf('download.changed') }
const started = { ...sampleOf('node.started') }
const alive = { ...sampleOf('member.alive') }

/** What is bounded, an event at its bound, and one that is past it by one. */
const BOUNDS: readonly [what: string, most: Event, more: Event][] = [
  ['tags', { ...published, tags: Array(32).fill('a') }, { ...published, tags: Array(33).fill('a') }],
  ['a tag', { ...published, tags: [long(192)] }, { ...published, tags: [long(193)] }],
  ['a title', { ...published, title: long(1536) }, { ...published, title: long(1537) }],
  ['a count', { ...published, sizeBytes: 2 ** 53 - 1 }, { ...published, sizeBytes: 2 ** 53 }],
  [
    'the end of a range',
    { ...judged, good: [{ first: 2 ** 32 - 5, count: 5 }] },
    { ...judged, good: [{ first: 2 ** 32 - 5, count: 6 }] },
  ],
  [
    'ranges',
    { ...judged, good: Array(4096).fill({ first: 1, count: 1 }) },
    { ...judged, good: Array(4097).fill({ first: 1, count: 1 }) },
  ],
  ['bad pieces', { ...judged, bad: Array(4096).fill(badPiece) }, { ...judged, bad: Array(4097).fill(badPiece) }],
  [
    'stamps',
    { ...stamped, stamps: Array(4096).fill({ file: 1, stamp: 'a' }) },
    { ...stamped, stamps: Array(4097).fill({ file: 1, stamp: 'a' }) },
  ],
  ['a stamp', { ...stamped, stamps: [{ file: 1, stamp: long(96) }] }, { ...stamped, stamps: [{ file: 1, stamp: long(97) }] }],
  ['a path', { ...changed, path: long(4096) }, { ...changed, path: long(4097) }],
  ['a version', { ...started, software: long(128) }, { ...started, software: long(129) }],
  ['a reason', { kind: 'node.stopped', reason: long(3072) }, { kind: 'node.stopped', reason: long(3073) }],
  [
    "an operator's reason",
    { kind: 'operator.banned', subject, reason: long(3072) },
    { kind: 'operator.banned', subject, reason: long(3073) },
  ],
  [
    'the name of a policy',
    { kind: 'policy.adopted', policy: long(128), parameters: {} },
    { kind: 'policy.adopted', policy: long(129), parameters: {} },
  ],
  ['a port', { ...alive, dhtPort: 65_535 }, { ...alive, dhtPort: 65_536 }],
  [
    'a credential',
    { kind: 'node.admitted', credential: new Uint8Array(320) },
    { kind: 'node.admitted', credential: new Uint8Array(321) },
  ],
  [
    'a genesis record',
    { kind: 'network.joined', genesis: new Uint8Array(256), credential: new Uint8Array() },
    { kind: 'network.joined', genesis: new Uint8Array(257), credential: new Uint8Array() },
  ],
  [
    'a revocation',
    { kind: 'access.revoked', revocation: new Uint8Array(192), ownerSignature: new Uint8Array(64) },
    { kind: 'access.revoked', revocation: new Uint8Array(193), ownerSignature: new Uint8Array(64) },
  ],
]

describe('a payload', () => {
  for (const [what, most, more] of BOUNDS)
    it(`takes ${what} up to the bound and refuses the next`, () => {
      assert.deepEqual(read(most), most)
      assert.throws(() => read(more), PayloadError)
    })

  it('has a claimed title, digests and signatures of their length', () => {
    const claim = { kind: 'torrent.withdrawn' as const, infoHash }
    assert.deepEqual(read({ ...claim, title: long(1536) }), { ...claim, title: long(1536) })
    assert.throws(() => read({ ...claim, title: long(1537) }), PayloadError)
    assert.throws(() => read({ ...judged, bad: [{ ...badPiece, received: '1'.repeat(38) }] }), PayloadError)
    assert.throws(() => read({ ...judged, infoHash: '1'.repeat(42) as InfoHash }), PayloadError)
    const revoked = { kind: 'access.revoked' as const, revocation: new Uint8Array(1) }
    assert.throws(() => read({ ...revoked, ownerSignature: new Uint8Array(63) }), PayloadError)
  })

  it('of a renewal is nothing at all', () => {
    const { number, payload } = encodePayload({ kind: 'offers.renewed' })
    assert.equal(payload.length, 0)
    assert.deepEqual(decodePayload(number, payload), { kind: 'offers.renewed' })
    assert.throws(() => decodePayload(number, Uint8Array.of(8, 1)), {
      name: 'PayloadError',
      message: 'a renewal says something',
    })
  })

  it('names an address of 64 characters at most, even in a log of long ago', () => {
    const banned = (length: number): Event => ({
      ...{ kind: 'operator.banned', reason: '' },
      subject: `ip:${long(length - 3)}` as AddressId,
    })
    assert.deepEqual(read(banned(64), 'stored'), banned(64))
    assert.throws(() => read(banned(65), 'stored'), PayloadError)
    assert.throws(() => read(banned(64)), PayloadError)
  })

  it('has words of the catalogue alone', () => {
    assert.throws(() => read({ ...started, role: 'owner' as 'client' }), /unknown role/)
    assert.throws(() => read({ ...changed, how: 'moved' as 'gone' }), /unknown change/)
    assert.throws(() => read({ ...judged, bad: [{ ...badPiece, evidence: 'rumour' as 'sole-source' }] }), /unknown evidence/)
  })
})

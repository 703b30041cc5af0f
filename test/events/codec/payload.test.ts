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

/** Field 4 of the message, a text. */
const originField = ({ origin }: { readonly origin: string }): number[] => [34, origin.length, ...Buffer.from(origin)]

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

  it('of a renewal is nothing, with room for some bytes of a later release and not for one more', () => {
    const { number, payload } = encodePayload({ kind: 'offers.renewed' })
    assert.equal(payload.length, 0)
    assert.deepEqual(decodePayload(number, payload), { kind: 'offers.renewed' })
    assert.deepEqual(decodePayload(number, new Uint8Array(64)), { kind: 'offers.renewed' })
    const message = 'a renewal has more than 64 bytes'
    assert.throws(() => decodePayload(number, new Uint8Array(65)), { name: 'PayloadError', message })
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

  // Field 15 of no message, as a varint: what is read by hand is left to the generated decoder.
  const UNKNOWN_FIELD = [120, 0]

  for (const { event } of EVERY_KIND)
    it(`of ${event.kind} is read as it was written, also with a field of a later release`, () => {
      const { number, payload } = encodePayload(event)
      assert.deepEqual(read(event), event)
      assert.deepEqual(decodePayload(number, Uint8Array.from([...payload, ...UNKNOWN_FIELD])), event)
    })

  it('that leaves out what has a default is read with it', () => {
    const hash = { infoHash }
    const text = (kind: EventKind, rest: object): Event => ({ kind, ...rest }) as Event
    const defaults: readonly Event[] = [
      text('download.removed', { ...hash, filesDeleted: false }),
      text('download.sourced', { ...hash, public: false, trackers: [], webSeeds: [], dht: false, local: false }),
      text('download.selected', { ...hash, priorities: '', others: 0, sequential: false, pieces: [] }),
      text('download.added', {
        ...{ ...hash, name: '', title: '', directory: '', origin: 'publish', magnet: '' },
        ...{ torrentFile: new Uint8Array(), overwrite: false },
      }),
      text('download.described', {
        ...{ ...hash, name: '', sizeBytes: 0, pieceCount: 0, pieceLengthBytes: 0, torrentFile: new Uint8Array() },
      }),
      text('policy.adopted', { policy: '', parameters: {} }),
      text('network.joined', { genesis: new Uint8Array(), credential: new Uint8Array() }),
    ]
    for (const event of defaults) {
      // The encoder leaves out nothing that is set; what is false, empty or 0 is what it is set to here.
      const { number } = encodePayload(event)
      const hashField = 'infoHash' in event ? [10, 20, ...Buffer.from(infoHash, 'hex')] : []
      const origin = event.kind === 'download.added' ? originField(event) : []
      assert.deepEqual(decodePayload(number, Uint8Array.from([...hashField, ...origin])), event)
    }
  })

  it('is a copy: nothing of the bytes that it was read from is kept', () => {
    for (const kind of ['network.joined', 'node.admitted', 'access.revoked', 'download.added', 'download.described'] as const) {
      const event = sampleOf(kind)
      const { number, payload } = encodePayload(event)
      const decoded = decodePayload(number, payload)
      payload.fill(0)
      assert.deepEqual(decoded, event)
    }
  })

  it('of a quarantine names an author or none', () => {
    const quarantined = sampleOf('event.quarantined')
    for (const author of [null, subject]) assert.equal((read({ ...quarantined, author }) as typeof quarantined).author, author)
    assert.throws(() => read({ ...quarantined, author: 'd'.repeat(62) as NodeId }), /a node id must have 32 bytes/)
    assert.throws(() => read({ ...quarantined, reason: 'dull' as 'flood' }), /unknown reason/)
    for (const reason of ['clock-jump', 'bad-signature', 'malformed', 'flood', 'equivocation'] as const)
      assert.equal((read({ ...quarantined, reason }) as typeof quarantined).reason, reason)
  })

  it('has every word of the catalogue', () => {
    for (const role of ['bootstrap', 'index', 'client'] as const)
      assert.deepEqual(read({ ...started, role }), { ...started, role })
    for (const how of ['gone', 'shorter', 'modified', 'bad-piece'] as const)
      assert.deepEqual(read({ ...changed, how }), { ...changed, how })
    for (const evidence of ['sole-source', 'block-differs'] as const) {
      const event = { ...judged, bad: [{ ...badPiece, evidence }] }
      assert.deepEqual(read(event), event)
    }
    const added = sampleOf('download.added')
    for (const origin of ['download', 'publish'] as const) assert.deepEqual(read({ ...added, origin }), { ...added, origin })
    assert.throws(() => read({ ...added, origin: 'theft' as 'publish' }), /unknown origin/)
  })

  it('has digits of priorities from 0 to 3 and nothing else among them', () => {
    const selected = sampleOf('download.selected')
    assert.deepEqual(read({ ...selected, priorities: '0123' }), { ...selected, priorities: '0123' })
    for (const priorities of ['4', 'a0', '0a', '01 2'])
      assert.throws(() => read({ ...selected, priorities }), /a priority of a file is none of 0, 1, 2 and 3/)
  })

  it('says what is wrong with a piece and with the subject of a verdict', () => {
    const bad = { ...badPiece, received: '1'.repeat(38) }
    assert.throws(() => read({ ...judged, bad: [bad] }), /a digest must have 20 bytes/)
    assert.throws(() => read({ ...judged, bad: [{ ...badPiece, expected: '' }] }), /a digest must have 20 bytes/)
    const { number } = encodePayload(judged)
    assert.throws(() => decodePayload(number, new Uint8Array()), /a subject is neither a node key nor an address/)
    assert.throws(() => read({ ...judged, subject: 'ip:no address' as AddressId }), /a subject is neither/)
  })

  it('of a member without an address is refused where it arrives, and read without one in a log', () => {
    const nowhere = { ...alive, host: 'nowhere.example' }
    assert.throws(() => read(nowhere), /a member has no address that can be dialled/)
    assert.deepEqual(read(nowhere, 'stored'), { ...alive, host: '', port: 0, dhtPort: 0 })
  })

  it('that is no message of its kind says so, with the cause', () => {
    const { number } = encodePayload(started)
    assert.throws(
      () => decodePayload(number, Uint8Array.of(255)),
      (error: Error) =>
        error instanceof PayloadError && error.message === 'not a node.started message' && error.cause instanceof Error,
    )
  })

  it('of an unknown kind is kept as it is, and written again', () => {
    const event: Event = { kind: 'unknown', number: 9_999, payload: Uint8Array.of(1, 2, 3) }
    assert.deepEqual(encodePayload(event), { number: 9_999, version: 1, payload: event.payload })
    assert.deepEqual(decodePayload(9_999, Uint8Array.of(0, 1, 2, 3, 4), 1, 4), event)
  })
})

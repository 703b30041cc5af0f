import assert from 'node:assert/strict'
import { addressId, type InfoHash, KINDS, type NodeId, type PeerId, streamOf } from '../../../src/events/index.ts'
import { ALL_KINDS, belongsIn, isPresentVersion, kindOfNumber } from '../../../src/events/model/kinds.ts'
import { EVERY_KIND } from '../samples.ts'

describe('the stream of an own event', () => {
  it('is the one of its kind', () => {
    for (const { event, stream } of EVERY_KIND) {
      assert.ok(event.kind !== 'unknown')
      assert.equal(streamOf({ event }), stream, event.kind)
      assert.equal(KINDS[event.kind].stream, stream, event.kind)
    }
  })

  it('is the local one for what its author keeps to itself', () => {
    for (const { event } of EVERY_KIND) assert.equal(streamOf({ event, isPrivate: true }), 'local', event.kind)
  })

  it('is the local one for a verdict about an address, and gossip for one about a key', () => {
    const judged = (subject: PeerId) =>
      streamOf({ event: { kind: 'piece.judged', subject, infoHash: '1'.repeat(40) as InfoHash, good: [], bad: [] } })
    assert.equal(judged(addressId('10.0.0.1')), 'local')
    assert.equal(judged('a'.repeat(64) as NodeId), 'gossip')
  })

  it('is the local one for a kind that this version does not know', () => {
    assert.equal(streamOf({ event: { kind: 'unknown', number: 4000, payload: new Uint8Array() } }), 'local')
  })
})

describe('a kind', () => {
  it('is found by its number, in the order of these, and by no other', () => {
    const numbers = ALL_KINDS.map((kind) => KINDS[kind].number)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    assert.deepEqual(ALL_KINDS.toSorted(), Object.keys(KINDS).sort())
    for (const kind of ALL_KINDS) assert.equal(kindOfNumber(KINDS[kind].number), kind)
    assert.equal(kindOfNumber(4_000), undefined)
  })

  it('is of the present version by its row alone', () => {
    for (const kind of ALL_KINDS) {
      const { number, version } = KINDS[kind]
      assert.deepEqual(
        [version - 1, version, version + 1].map((each) => isPresentVersion(number, each)),
        [false, true, false],
      )
    }
    assert.equal(isPresentVersion(4_000, 1), false)
  })

  it('stands in its own stream and in the local one, and one that nobody knows in any', () => {
    const streams = ['local', 'gossip', 'index'] as const
    for (const kind of ALL_KINDS)
      assert.deepEqual(
        streams.map((stream) => belongsIn(kind, stream)),
        streams.map((stream) => stream === 'local' || stream === KINDS[kind].stream),
      )
    assert.deepEqual(
      streams.map((stream) => belongsIn('unknown', stream)),
      [true, true, true],
    )
  })
})

import assert from 'node:assert/strict'
import { addressId, type InfoHash, KINDS, type NodeId, type PeerId, streamOf } from '../../../src/events/index.ts'
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

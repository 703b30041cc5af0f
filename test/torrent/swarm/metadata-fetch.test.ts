import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
  METADATA,
  METADATA_PIECE_BYTES,
  MetadataFetch,
  metadataPiece,
} from '../../../src/torrent/swarm/metadata-fetch.ts'

describe('the info dictionary of a peer', () => {
  it('comes in pieces, eight asked for at a time, in any order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 * METADATA_PIECE_BYTES }), fc.infiniteStream(fc.nat()), (size, order) => {
        const info = Uint8Array.from({ length: size }, (_, at) => at % 251)
        const fetch = new MetadataFetch(size)
        let asked = fetch.ask()
        let isComplete = false
        for (const pick of order) {
          if (asked.length === 0) break
          assert.ok(asked.length <= 8 && !isComplete)
          const [piece = 0] = asked.splice(pick % asked.length, 1)
          isComplete = fetch.data(piece, metadataPiece(info, piece) ?? new Uint8Array())
          assert.equal(fetch.data(piece, new Uint8Array(1)), false, 'twice is once')
          asked = [...asked, ...fetch.ask()]
        }
        assert.ok(isComplete)
        assert.deepEqual(fetch.bytes, info)
      }),
      { numRuns: 30 },
    )
  })

  it('takes no piece that was not asked for', () => {
    const fetch = new MetadataFetch(20 * METADATA_PIECE_BYTES)
    fetch.ask()
    assert.equal(fetch.data(8, new Uint8Array(METADATA_PIECE_BYTES)), false)
    assert.equal(fetch.data(19, new Uint8Array(METADATA_PIECE_BYTES)), false)
    assert.ok(fetch.bytes.every((byte) => byte === 0))
  })

  it('has messages as BEP 9 says', () => {
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
    assert.equal(text(encodeMetadataMessage(METADATA.request, 3)), 'd8:msg_typei0e5:piecei3ee')
    const data = encodeMetadataMessage(METADATA.data, 0, { totalBytes: 34, block: Buffer.from('xx') })
    assert.equal(text(data), 'd8:msg_typei1e5:piecei0e10:total_sizei34eexx')
    assert.deepEqual(decodeMetadataMessage(data), { type: 1, piece: 0, block: data.subarray(-2) })
  })
})

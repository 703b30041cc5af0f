import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { MetadataSizes } from '../../src/torrent/metadata-bounds.ts'
import { ruleMetadata } from '../../src/torrent/metadata-bounds.ts'

const METADATA_PIECE_BYTES = 16_384
const neither: MetadataSizes = { theirBytes: undefined, ourBytes: undefined }
const their = (theirBytes: number): MetadataSizes => ({ theirBytes, ourBytes: undefined })
const our = (ourBytes: number): MetadataSizes => ({ theirBytes: undefined, ourBytes })

const payload = (head: string, block: Uint8Array = new Uint8Array()) => Buffer.concat([Buffer.from(head), block])
const request = (piece: number) => payload(`d8:msg_typei0e5:piecei${piece}ee`)
const reject = (piece: number) => payload(`d8:msg_typei2e5:piecei${piece}ee`)
const data = (piece: number, totalBytes: number, blockBytes: number) =>
  payload(`d8:msg_typei1e5:piecei${piece}e10:total_sizei${totalBytes}ee`, Buffer.alloc(blockBytes, 7))

function said(bytes: Uint8Array, sizes: MetadataSizes): string {
  const ruling = ruleMetadata(bytes, sizes)
  if (ruling === 'late') return ruling
  return 'violation' in ruling ? ruling.violation : `takes ${Buffer.from(ruling.rewritten).toString('latin1')}`
}

describe('the bounds of ut_metadata', () => {
  it('are the pieces of our metadata for a request', () => {
    assert.equal(said(request(1), our(METADATA_PIECE_BYTES + 1)), 'takes d8:msg_typei0e5:piecei1ee')
    assert.equal(said(request(2), our(METADATA_PIECE_BYTES + 1)), 'ut_metadata piece out of range')
    assert.equal(said(request(-1), our(METADATA_PIECE_BYTES + 1)), 'ut_metadata piece out of range')
    // 10 MB are 611 pieces.
    const last = 610
    assert.match(said(request(last), neither), /^takes/)
    assert.equal(said(request(last + 1), neither), 'ut_metadata piece out of range')
  })

  it('are the pieces of the metadata that the peer announced for its answers', () => {
    assert.match(said(reject(0), their(100)), /^takes/)
    for (const answer of [reject(1), data(1, 100, 100)])
      assert.equal(said(answer, their(100)), 'ut_metadata piece out of range')
    for (const answer of [reject(0), data(0, 100, 100)]) {
      assert.equal(said(answer, neither), 'ut_metadata answer of a peer that announced no metadata')
    }
  })

  it('are whole pieces for data, but for the last, which is what is left', () => {
    const bytes = METADATA_PIECE_BYTES + 10
    assert.match(said(data(0, bytes, METADATA_PIECE_BYTES), their(bytes)), /^takes/)
    assert.match(said(data(1, bytes, 10), their(bytes)), /^takes/)
    for (const [piece, length] of [
      [0, METADATA_PIECE_BYTES - 1],
      [0, METADATA_PIECE_BYTES + 1],
      [1, 9],
      [1, 11],
      [1, METADATA_PIECE_BYTES],
    ] as const) {
      assert.match(said(data(piece, bytes, length), their(bytes)), new RegExp(`^ut_metadata data of ${length} bytes where`))
    }
    assert.equal(said(data(1, bytes + 1, 10), their(bytes)), 'ut_metadata data of another size than announced')
  })

  it('let data go by that comes when we have it all', () => {
    assert.equal(said(data(0, 100, 100), { theirBytes: 100, ourBytes: 100 }), 'late')
  })

  it('let unknown types go by, and take nothing without a type or a piece', () => {
    assert.equal(said(payload('d8:msg_typei9e5:piecei0ee'), their(100)), 'late')
    assert.equal(said(payload('d5:piecei0ee'), their(100)), 'ut_metadata message without a type')
    assert.equal(said(payload('d8:msg_typei0ee'), their(100)), 'ut_metadata message without a piece')
    for (const bytes of ['', 'le', 'd5:piecel-3:ee'])
      assert.equal(said(payload(bytes), their(100)), 'malformed ut_metadata message')
  })

  it('are written anew: what webtorrent finds behind the first "ee" is the block', () => {
    const words = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text))
    fc.assert(
      fc.property(words, fc.uint8Array({ minLength: 1, maxLength: 40, size: 'max' }), (word, block) => {
        const head = Buffer.concat([Buffer.from(`d1:a${word.length}:`), word, Buffer.from('8:msg_typei1e5:piecei0ee')])
        const ruling = ruleMetadata(Buffer.concat([head, block]), their(block.length))
        assert.ok(typeof ruling === 'object' && 'rewritten' in ruling)
        const asText = new TextDecoder().decode(ruling.rewritten)
        const end = asText.indexOf('ee') + 2
        assert.equal(asText.slice(0, end), `d8:msg_typei1e5:piecei0e10:total_sizei${block.length}ee`)
        assert.deepEqual(ruling.rewritten.slice(end), block)
      }),
    )
  })
})

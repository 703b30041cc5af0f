import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encode } from '../../../src/torrent/bencode.ts'
import { decodeExtendedHandshake, encodeExtendedHandshake } from '../../../src/torrent/wire/extended-handshake.ts'
import { decodeHandshake, encodeHandshake } from '../../../src/torrent/wire/handshake.ts'
import {
  encodeBare,
  encodeBitfield,
  encodeBlockMessages,
  encodeExtended,
  encodeHave,
  MESSAGE,
  PIECE_HEADER_BYTES,
  putPieceHeader,
} from '../../../src/torrent/wire/messages.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('messages of BEP 3, 6 and 10', () => {
  it('are the bytes that the BEPs say', () => {
    assert.equal(hex(encodeBare(MESSAGE.unchoke)), '0000000101')
    assert.equal(hex(encodeHave(0x01020304)), '000000050401020304')
    assert.equal(hex(encodeBitfield(Uint8Array.of(0xf0, 0x80))), '0000000305f080')
    assert.equal(hex(encodeExtended(3, Uint8Array.of(9))), '00000003140309')
    const blocks = [
      { index: 1, offset: 0x4000, length: 0x4000 },
      { index: 0xffffffff, offset: 0, length: 1 },
    ]
    assert.equal(
      hex(encodeBlockMessages(MESSAGE.request, blocks)),
      '0000000d06000000010000400000004000' + '0000000d06ffffffff0000000000000001',
    )
    const framed = new Uint8Array(PIECE_HEADER_BYTES + 2)
    putPieceHeader(framed, 1, { index: 2, offset: 3, length: 5 })
    assert.equal(hex(framed), '000000000e07000000020000000300')
  })
})

describe('a handshake', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        (infoHash, peerId) => {
          assert.deepEqual(decodeHandshake(encodeHandshake(infoHash, peerId)), {
            infoHash,
            peerId,
            hasExtended: true,
            hasFast: true,
          })
        },
      ),
    )
  })

  it('of another protocol, of another length, or without extensions is told apart', () => {
    const good = encodeHandshake(new Uint8Array(20), new Uint8Array(20))
    for (let at = 0; at < 20; at++) {
      const other = good.slice()
      other[at] = (other[at] ?? 0) ^ 1
      assert.equal(decodeHandshake(other), undefined)
    }
    assert.equal(decodeHandshake(good.subarray(1)), undefined)
    const plain = good.slice().fill(0, 20, 28)
    assert.deepEqual([decodeHandshake(plain)?.hasExtended, decodeHandshake(plain)?.hasFast], [false, false])
  })
})

describe('an extended handshake', () => {
  it('tells the ids of extensions, the client, the size of the metadata and how many requests are taken', () => {
    const bytes = encodeExtendedHandshake({ ut_metadata: 1, p2pt_id: 3 }, { v: 'p2pt', reqq: 1024, metadata_size: 77, p: 6881 })
    assert.deepEqual(decodeExtendedHandshake(bytes, undefined), {
      ids: new Map([
        ['p2pt_id', 3],
        ['ut_metadata', 1],
      ]),
      ...{ client: 'p2pt', metadataBytes: 77, requestsMax: 1024, port: 6881 },
    })
  })

  it('adds to the one before, and takes back an extension by the id 0', () => {
    const first = decodeExtendedHandshake(
      encode({ m: { ut_metadata: 1, lt_donthave: 2 }, v: 'a', reqq: 9, metadata_size: 5, p: 7 }),
      undefined,
    )
    assert.deepEqual(decodeExtendedHandshake(encode({ m: { ut_metadata: 0 } }), first), {
      ids: new Map([['lt_donthave', 2]]),
      ...{ client: 'a', metadataBytes: 5, requestsMax: 9, port: 7 },
    })
  })

  it('without the least sense still has values in range', () => {
    const odd = decodeExtendedHandshake(encode({ reqq: 1_000_000, metadata_size: 0, v: 'x'.repeat(1_000) }), undefined)
    assert.deepEqual([odd.requestsMax, odd.metadataBytes, odd.client.length, odd.ids.size], [0xffff, undefined, 64, 0])
    assert.equal(decodeExtendedHandshake(encode({ reqq: 0, v: 5 }), undefined).requestsMax, 250)
    const portOf = (p: number) => decodeExtendedHandshake(encode({ p }), undefined).port
    assert.deepEqual([0, 1, 65_535, 65_536, -1].map(portOf), [undefined, 1, 65_535, undefined, undefined])
  })
})

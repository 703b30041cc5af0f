import assert from 'node:assert/strict'
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

import assert from 'node:assert/strict'
import { PIECE_COUNT_MAX } from '../../src/torrent/metainfo.ts'
import { PieceClaims } from '../../src/torrent/piece-claims.ts'

const UPDATES = 'more than 128 updates of everything it has'

describe('what a peer says it has', () => {
  it('may be said anew 128 times, in whatever way', () => {
    const one = Uint8Array.of(0x80)
    for (const say of [(claims: PieceClaims) => claims.haveAll(), (claims: PieceClaims) => claims.bitfield(one, 8)]) {
      const claims = new PieceClaims()
      assert.deepEqual(
        Array.from({ length: 129 }, () => say(claims)),
        Array(129).fill(undefined),
      )
      assert.equal(say(claims), UPDATES)
    }
  })

  it('is nothing only as its first word', () => {
    const claims = new PieceClaims()
    assert.equal(claims.haveNone(), undefined)
    assert.equal(claims.haveNone(), 'have none after it said what it has')
    assert.equal(claims.haveAll(), undefined)
  })

  it('is a bitfield of the length that the torrent has, with no piece behind the last', () => {
    assert.equal(new PieceClaims().bitfield(Uint8Array.of(0, 0x80), 9), undefined)
    assert.equal(new PieceClaims().bitfield(Uint8Array.of(0, 0x40), 9), 'a piece beyond the last one')
    assert.equal(new PieceClaims().bitfield(Uint8Array.of(0xff), 9), 'a bitfield of 1 bytes where 2 are right')
    assert.equal(new PieceClaims().bitfield(Uint8Array.of(0xff, 0, 0), 9), 'a bitfield of 3 bytes where 2 are right')
    assert.equal(new PieceClaims().bitfield(new Uint8Array(2), 9), undefined)
    assert.equal(new PieceClaims().bitfield(Uint8Array.of(0x01), 8), undefined)
    assert.equal(new PieceClaims().bitfield(Uint8Array.of(0x01), 7), 'a piece beyond the last one')
  })

  it('is of one length all the time', () => {
    const claims = new PieceClaims()
    assert.equal(claims.bitfield(new Uint8Array(2), undefined), undefined)
    assert.equal(claims.bitfield(new Uint8Array(2), undefined), undefined)
    assert.equal(claims.bitfield(new Uint8Array(3), undefined), 'a bitfield of another length than the one before')
  })

  it('has as many pieces as a torrent may have where it is not known how many there are', () => {
    const most = PIECE_COUNT_MAX / 8
    assert.equal(new PieceClaims().bitfield(new Uint8Array(most), undefined), undefined)
    assert.equal(new PieceClaims().bitfield(new Uint8Array(most + 1), undefined), `a bitfield of ${most + 1} bytes`)
    assert.equal(new PieceClaims().names(PIECE_COUNT_MAX - 1, 'have', undefined), undefined)
    assert.equal(new PieceClaims().names(PIECE_COUNT_MAX, 'have', undefined), 'have beyond the last piece')
    assert.equal(new PieceClaims().names(8, 'have', 9), undefined)
    assert.equal(new PieceClaims().names(9, 'suggest', 9), 'suggest beyond the last piece')
  })

  it('is looked at once it is known how many pieces there are', () => {
    const bits = new PieceClaims()
    bits.bitfield(Uint8Array.of(0x10, 0), undefined)
    assert.equal(bits.problemWith(9), undefined)
    assert.equal(bits.problemWith(8), 'a bitfield of 2 bytes where 1 are right')
    const named = new PieceClaims()
    named.names(8, 'have', undefined)
    named.names(3, 'have', undefined)
    assert.equal(named.problemWith(9), undefined)
    assert.equal(named.problemWith(8), 'a piece beyond the last one')
    assert.equal(new PieceClaims().problemWith(0), undefined)
    const both = new PieceClaims()
    both.bitfield(Uint8Array.of(0x80, 0), undefined)
    both.names(12, 'have', undefined)
    both.bitfield(Uint8Array.of(0x80, 0), undefined)
    assert.equal(both.problemWith(12), 'a piece beyond the last one')
    assert.equal(both.problemWith(13), undefined)
  })

  it('may be taken back once for each piece', () => {
    const claims = new PieceClaims()
    assert.equal(claims.takesBack(3, 3), 'lt_donthave beyond the last piece')
    for (let count = 0; count < 3; count++) assert.equal(claims.takesBack(2, 3), undefined)
    assert.equal(claims.takesBack(2, 3), 'more pieces taken back than there are')
    assert.equal(new PieceClaims().takesBack(PIECE_COUNT_MAX, undefined), 'lt_donthave beyond the last piece')
    assert.equal(new PieceClaims().takesBack(0, undefined), undefined)
  })
})

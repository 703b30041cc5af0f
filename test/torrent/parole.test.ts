import assert from 'node:assert/strict'
import type { Millis, PeerId } from '../../src/events/index.ts'
import { OVERDUE_PIECE_MS, PAROLE_BLOCK_MS, PAROLE_PIECE_MS, Parole } from '../../src/torrent/parole.ts'

const liar = 'ip:liar' as PeerId
const other = 'ip:other' as PeerId
const yes = () => true
const no = () => false
const at = (ms: number) => () => ms as Millis

describe('parole', () => {
  it('leaves everyone else alone', () => {
    const parole = new Parole()
    assert.equal(parole.mayAsk(other, 0, no, at(0)), true)
  })

  it('gives a peer one whole piece at a time, and that piece to nobody else', () => {
    const parole = new Parole()
    parole.begin(liar)
    assert.equal(parole.mayAsk(liar, 0, no, at(0)), false)
    assert.equal(parole.mayAsk(liar, 1, yes, at(0)), true)
    assert.equal(parole.mayAsk(liar, 1, no, at(0)), true)
    assert.equal(parole.mayAsk(liar, 2, yes, at(0)), false)
    assert.equal(parole.mayAsk(other, 1, yes, at(0)), false)
    assert.equal(parole.mayAsk(other, 2, no, at(0)), true)
    parole.settle(1)
    assert.equal(parole.mayAsk(other, 1, no, at(0)), true)
    assert.equal(parole.mayAsk(liar, 2, yes, at(0)), true)
  })

  it('keeps a peer on thin ice to one whole piece at a time, whatever it sends', () => {
    const parole = new Parole(new Set([liar]))
    assert.equal(parole.mayAsk(liar, 0, yes, at(0)), true)
    assert.equal(parole.mayAsk(liar, 1, yes, at(0)), false)
    parole.settle(0)
    parole.clear(liar)
    assert.equal(parole.has(liar), true)
    assert.equal(parole.mayAsk(liar, 1, yes, at(0)), true)
    assert.equal(parole.mayAsk(liar, 2, yes, at(0)), false)
  })

  it('keeps two peers on parole apart', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.begin(other)
    assert.equal(parole.mayAsk(liar, 1, yes, at(0)), true)
    assert.equal(parole.mayAsk(other, 1, yes, at(0)), false)
    assert.equal(parole.mayAsk(other, 2, yes, at(0)), true)
  })

  it('frees the piece of a peer that left or was cleared', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.mayAsk(liar, 1, yes, at(0))
    parole.leave(liar)
    assert.equal(parole.mayAsk(other, 1, no, at(0)), true)
    assert.equal(parole.has(liar), true)
    parole.mayAsk(liar, 2, yes, at(0))
    parole.clear(liar)
    assert.equal(parole.mayAsk(other, 2, no, at(0)), true)
    assert.equal(parole.mayAsk(liar, 3, no, at(0)), true)
  })

  it('takes back a piece that had no verdict for 5 s', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.mayAsk(liar, 1, yes, at(100))
    assert.deepEqual(parole.overdue((PAROLE_PIECE_MS + 99) as Millis), [])
    assert.equal(parole.mayAsk(other, 1, no, at(0)), false)
    assert.deepEqual(parole.overdue((PAROLE_PIECE_MS + 100) as Millis), [liar])
    assert.equal(parole.mayAsk(other, 1, no, at(0)), true)
    assert.deepEqual(parole.overdue((PAROLE_PIECE_MS * 2) as Millis), [])
  })

  it('gives a piece that was overdue to nobody on parole for 10 s: others are asked for it meanwhile', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.mayAsk(liar, 1, yes, at(0))
    parole.overdue(PAROLE_PIECE_MS as Millis)
    const until = PAROLE_PIECE_MS + OVERDUE_PIECE_MS
    assert.equal(parole.mayAsk(liar, 1, yes, at(until - 1)), false)
    assert.equal(parole.mayAsk(other, 1, no, at(until - 1)), true)
    assert.equal(parole.mayAsk(liar, 2, yes, at(until - 1)), true)
    parole.settle(2)
    assert.equal(parole.mayAsk(liar, 1, yes, at(until)), true)
  })

  it('gives a piece of 128 MiB its time while its blocks come, and takes it back 5 s after the last', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.mayAsk(liar, 1, yes, at(0))
    // 64 KiB/s and more: a block every 200 ms.
    let now = 0
    for (let block = 0; block < 8_192; block++) {
      now += 200
      parole.received(liar, 1, at(now))
      assert.deepEqual(parole.overdue(now as Millis), [])
    }
    assert.deepEqual(parole.overdue((now + PAROLE_PIECE_MS - 1) as Millis), [])
    assert.deepEqual(parole.overdue((now + PAROLE_PIECE_MS) as Millis), [liar])
  })

  it('takes a piece back that trickles, and counts no blocks of others', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.mayAsk(liar, 1, yes, at(0))
    for (let block = 1; block <= 2; block++) parole.received(liar, 1, at(2_000 * block))
    parole.received(other, 1, at(4_000))
    parole.received(liar, 2, at(4_000))
    const end = PAROLE_PIECE_MS + 2 * PAROLE_BLOCK_MS
    assert.deepEqual(parole.overdue((end - 1) as Millis), [])
    assert.deepEqual(parole.overdue(end as Millis), [liar])
    parole.received(liar, 1, at(end))
    assert.deepEqual(parole.overdue((2 * end) as Millis), [])
  })

  it('has room for 4,096 peers, and lets the oldest off, with its piece, for one more', () => {
    const parole = new Parole()
    const peer = (at: number) => `ip:${at}` as PeerId
    for (let at = 0; at < 4_096; at++) parole.begin(peer(at))
    assert.equal(parole.mayAsk(peer(0), 7, yes, at(0)), true)
    parole.begin(peer(4_096))
    assert.deepEqual(
      [0, 1, 4_096].map((each) => parole.has(peer(each))),
      [false, true, true],
    )
    assert.equal(parole.mayAsk(other, 7, no, at(0)), true)
  })

  it('is empty without anybody on it, and not with one who stays', () => {
    const parole = new Parole()
    assert.equal(parole.isEmpty, true)
    parole.begin(liar)
    assert.equal(parole.isEmpty, false)
    parole.clear(liar)
    assert.equal(parole.isEmpty, true)
    assert.equal(new Parole(new Set([liar])).isEmpty, false)
  })
})

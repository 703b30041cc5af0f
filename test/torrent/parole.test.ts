import assert from 'node:assert/strict'
import type { Millis, PeerId } from '../../src/events/index.ts'
import { PAROLE_PIECE_MS, Parole } from '../../src/torrent/parole.ts'

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
})

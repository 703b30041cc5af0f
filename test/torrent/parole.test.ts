import assert from 'node:assert/strict'
import type { PeerId } from '../../src/events/index.ts'
import { Parole } from '../../src/torrent/parole.ts'

const liar = 'ip:liar' as PeerId
const other = 'ip:other' as PeerId
const yes = () => true
const no = () => false

describe('parole', () => {
  it('leaves everyone else alone', () => {
    const parole = new Parole()
    assert.equal(parole.mayAsk(other, 0, no), true)
  })

  it('gives a peer one whole piece at a time, and that piece to nobody else', () => {
    const parole = new Parole()
    parole.begin(liar)
    assert.equal(parole.mayAsk(liar, 0, no), false)
    assert.equal(parole.mayAsk(liar, 1, yes), true)
    assert.equal(parole.mayAsk(liar, 1, no), true)
    assert.equal(parole.mayAsk(liar, 2, yes), false)
    assert.equal(parole.mayAsk(other, 1, yes), false)
    assert.equal(parole.mayAsk(other, 2, no), true)
    parole.settle(1)
    assert.equal(parole.mayAsk(other, 1, no), true)
    assert.equal(parole.mayAsk(liar, 2, yes), true)
  })

  it('keeps two peers on parole apart', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.begin(other)
    assert.equal(parole.mayAsk(liar, 1, yes), true)
    assert.equal(parole.mayAsk(other, 1, yes), false)
    assert.equal(parole.mayAsk(other, 2, yes), true)
  })

  it('frees the piece of a peer that left or was cleared', () => {
    const parole = new Parole()
    parole.begin(liar)
    parole.mayAsk(liar, 1, yes)
    parole.leave(liar)
    assert.equal(parole.mayAsk(other, 1, no), true)
    assert.equal(parole.has(liar), true)
    parole.mayAsk(liar, 2, yes)
    parole.clear(liar)
    assert.equal(parole.mayAsk(other, 2, no), true)
    assert.equal(parole.mayAsk(liar, 3, no), true)
  })
})

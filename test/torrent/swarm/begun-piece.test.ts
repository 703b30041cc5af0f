import assert from 'node:assert/strict'
import { BegunPiece } from '../../../src/torrent/swarm/begun-piece.ts'

const BLOCK = 16_384
/** Three blocks, the last of 100 bytes. */
const begun = () => new BegunPiece(7, 2 * BLOCK + 100, 'a')

describe('a piece that was begun', () => {
  it('is asked for block by block, each of one peer', () => {
    const piece = begun()
    assert.deepEqual([piece.blockCount, piece.open, piece.got, piece.lead, piece.isIdle], [3, 3, 0, 'a', true])
    assert.deepEqual(piece.askOpen('a'), { index: 7, offset: 0, length: BLOCK })
    assert.deepEqual(piece.askOpen('b'), { index: 7, offset: BLOCK, length: BLOCK })
    assert.deepEqual(piece.askOpen('a'), { index: 7, offset: 2 * BLOCK, length: 100 })
    assert.equal(piece.askOpen('a'), undefined)
    assert.deepEqual([piece.open, piece.isIdle, piece.isComplete], [0, false, false])
    assert.deepEqual(
      [...piece.owedBy('a')].map(({ offset }) => offset),
      [0, 2 * BLOCK],
    )
    assert.deepEqual([...piece.owedBy('c')], [])
  })

  it('takes a block of whoever owes it, of its length, once', () => {
    const piece = begun()
    piece.askOpen('a')
    assert.equal(piece.receive('b', 0, BLOCK), undefined)
    assert.equal(piece.receive('a', 0, BLOCK - 1), undefined)
    assert.equal(piece.receive('a', BLOCK, BLOCK), undefined)
    assert.equal(piece.receive('a', 5, BLOCK), undefined)
    assert.equal(piece.receive('a', 3 * BLOCK, BLOCK), undefined)
    assert.deepEqual(piece.receive('a', 0, BLOCK), ['a'])
    assert.equal(piece.receive('a', 0, BLOCK), undefined)
    assert.deepEqual([piece.got, piece.open, piece.isIdle, piece.isComplete], [1, 2, true, false])
    for (const [offset, length] of [
      [BLOCK, BLOCK],
      [2 * BLOCK, 100],
    ] as const) {
      piece.askOpen('b')
      assert.deepEqual(piece.receive('b', offset, length), ['b'])
    }
    assert.deepEqual([piece.isComplete, piece.isIdle], [true, true])
  })

  it('has a block open again that nobody owes any more, and asks for it first', () => {
    const piece = begun()
    for (const peer of ['a', 'a', 'b']) piece.askOpen(peer)
    assert.equal(piece.release('b', 0), false)
    assert.equal(piece.release('a', 3 * BLOCK), false)
    assert.equal(piece.release('a', BLOCK), true)
    assert.equal(piece.release('a', 0), true)
    assert.equal(piece.release('a', 0), false)
    assert.equal(piece.open, 2)
    assert.deepEqual([piece.askOpen('c')?.offset, piece.askOpen('c')?.offset, piece.askOpen('c')], [0, BLOCK, undefined])
  })

  it('is asked for of several peers in the end, of each once', () => {
    const piece = begun()
    piece.askOpen('a')
    assert.equal(piece.askOwed('a', 1), undefined, 'it owes it itself')
    assert.equal(piece.askOwed('b', 2), undefined)
    assert.equal(piece.askOwed('b', 1)?.offset, 0)
    assert.equal(piece.askOwed('c', 1), undefined)
    assert.equal(piece.askOwed('c', 2)?.offset, 0)
    assert.equal(piece.release('b', 0), true)
    assert.equal(piece.open, 2, 'others owe it still')
    assert.deepEqual(piece.receive('c', 0, BLOCK), ['a', 'c'])
    assert.equal(piece.receive('a', 0, BLOCK), undefined)
    assert.equal(piece.release('a', 0), false)
    assert.equal(piece.askOwed('d', 1), undefined)
  })

  it('passes over what is here when it looks for an open block', () => {
    const piece = begun()
    for (const peer of ['a', 'b', 'c']) piece.askOpen(peer)
    piece.receive('b', BLOCK, BLOCK)
    piece.release('a', 0)
    piece.release('c', 2 * BLOCK)
    assert.deepEqual([piece.askOpen('d')?.offset, piece.askOpen('d')?.offset], [0, 2 * BLOCK])
  })
})

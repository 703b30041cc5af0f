import assert from 'node:assert/strict'
import type { FileSelection } from '../../src/events/index.ts'
import { piecePriorities, priorityOfFile, wantedPieces } from '../../src/torrent/file-selection.ts'

const selection = (priorities: string, others: FileSelection['others']): FileSelection => ({
  priorities,
  others,
  sequential: false,
})

describe('the priority of a file', () => {
  it('is the normal one where nobody chose, its own, or that of all others', () => {
    assert.deepEqual(
      [0, 9].map((file) => priorityOfFile(undefined, file)),
      [2, 2],
    )
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((file) => priorityOfFile(selection('0123', 1), file)),
      [0, 1, 2, 3, 1],
    )
    assert.equal(priorityOfFile(selection('', 0), 0), 0)
  })
})

describe('the priority of a piece', () => {
  const file = (path: string, lengthBytes: number, padding = false) => ({ path: ['t', path], lengthBytes, padding })
  /** Pieces of ten bytes: a is in 0 and 1, b in 1 and 2, the padding fills 2, nothing is in none, c is 3. */
  const metainfo = {
    files: [file('a', 15), file('b', 10), file('pad', 5, true), file('none', 0), file('c', 10)],
    ...{ pieceLengthBytes: 10, pieceCount: 4 },
  }
  const of = (priorities: string, others: FileSelection['others'] = 2) => [
    ...piecePriorities(metainfo, selection(priorities, others)),
  ]

  it('is the highest of the files in it', () => {
    assert.deepEqual([...piecePriorities(metainfo, undefined)], [2, 2, 2, 2])
    assert.deepEqual(of('1323'), [1, 3, 3, 2])
    assert.deepEqual(of('31'), [3, 3, 1, 2])
  })

  it('is none where nobody wants a file in it: what is padding, or has no bytes, is no reason', () => {
    assert.deepEqual(of('00332', 2), [0, 0, 0, 2])
    assert.deepEqual(of('10333', 0), [1, 1, 0, 3])
    assert.deepEqual(of('01330', 3), [0, 1, 1, 0])
  })

  it('says which pieces are wanted', () => {
    assert.deepEqual(wantedPieces(Uint8Array.of(0, 1, 3, 0, 2)), [
      { first: 1, count: 2 },
      { first: 4, count: 1 },
    ])
    assert.deepEqual(wantedPieces(new Uint8Array(3)), [])
  })
})

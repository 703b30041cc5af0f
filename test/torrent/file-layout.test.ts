import assert from 'node:assert/strict'
import { FileLayout } from '../../src/torrent/file-layout.ts'

const file = (name: string, lengthBytes: number) => ({ path: [name], lengthBytes, padding: false })

describe('the layout of files', () => {
  const layout = new FileLayout({ pieceLengthBytes: 10, files: [file('a', 10), file('none', 0), file('b', 11), file('c', 4)] })

  it('tells where a piece ends', () => {
    assert.deepEqual(
      [0, 1, 2].map((piece) => layout.endOf(piece)),
      [10, 20, 30],
    )
  })

  it('tells the first and last piece of a file, and none for one without a byte', () => {
    assert.deepEqual(
      layout.files.map((each) => layout.piecesOf(each)),
      [{ first: 0, last: 0 }, undefined, { first: 1, last: 2 }, { first: 2, last: 2 }],
    )
  })

  it('cuts a run of bytes at the ends of files, up to the last byte and no further', () => {
    const spans = (...run: [number, number, number]) =>
      [...layout.spans(...run)].map((span) => [span.file.index, span.fileOffset, span.pieceOffset, span.length])
    assert.deepEqual(spans(0, 0, 10), [[0, 0, 0, 10]])
    assert.deepEqual(spans(2, 0, 5), [
      [2, 10, 0, 1],
      [3, 0, 1, 4],
    ])
    assert.deepEqual(spans(2, 4, 1), [[3, 3, 4, 1]])
    assert.throws(() => spans(2, 4, 2), RangeError)
  })
})

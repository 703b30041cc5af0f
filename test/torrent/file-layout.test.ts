import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FileLayout, layoutOf } from '../../src/torrent/file-layout.ts'

const file = (name: string, lengthBytes: number) => ({ path: [name], lengthBytes, padding: false })

describe('the layout of files', () => {
  const layout = new FileLayout({ pieceLengthBytes: 10, files: [file('a', 10), file('none', 0), file('b', 11), file('c', 4)] })

  it('lays each file after the one before it, with its own path where it has another', () => {
    const files = [file('a', 10), { ...file('b', 4), ownPath: ['b', 'of the torrent'], padding: true }]
    assert.deepEqual(new FileLayout({ pieceLengthBytes: 10, files }).files, [
      { index: 0, path: ['a'], ownPath: ['a'], offset: 0, length: 10, padding: false },
      { index: 1, path: ['b'], ownPath: ['b', 'of the torrent'], offset: 10, length: 4, padding: true },
    ])
  })

  it('is made once for a torrent, and for each torrent by itself', () => {
    const [one, two] = [1, 2].map((lengthBytes) => ({ pieceLengthBytes: 10, files: [file('a', lengthBytes)] }))
    assert.ok(one && two)
    assert.equal(layoutOf(one), layoutOf(one))
    assert.deepEqual([layoutOf(one).files[0]?.length, layoutOf(two).files[0]?.length], [1, 2])
  })

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
    assert.deepEqual(spans(2, 4, 0), [])
    assert.throws(() => spans(2, 4, 2), { name: 'RangeError', message: 'outside of the torrent' })
  })

  it('leaves out files without a byte in the midst of a run', () => {
    const files = [file('a', 3), file('none', 0), file('none either', 0), file('b', 3)]
    const spans = [...new FileLayout({ pieceLengthBytes: 6, files }).spans(0, 0, 6)]
    assert.deepEqual(
      spans.map((span) => [span.file.index, span.length]),
      [
        [0, 3],
        [3, 3],
      ],
    )
  })

  it('counts the bytes of a file in its first, its last and its whole pieces', () => {
    const wide = new FileLayout({ pieceLengthBytes: 10, files: [file('a', 7), file('b', 20), file('none', 0), file('c', 3)] })
    const bytes = (index: number, ...pieces: number[]) =>
      wide.bytesIn(wide.files[index] ?? assert.fail(), (piece) => pieces.includes(piece))
    assert.deepEqual([bytes(1, 0), bytes(1, 1), bytes(1, 2), bytes(1, 3)], [3, 10, 7, 0])
    assert.deepEqual([bytes(1, 0, 2), bytes(1, 0, 1, 2), bytes(1)], [10, 20, 0])
    assert.deepEqual([bytes(0, 0), bytes(2, 0, 1, 2), bytes(3, 2), bytes(3, 1)], [7, 0, 3, 0])
  })

  it('finds every byte in the file that has it, and counts each once, whatever the files', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 12, size: 'max' }),
        fc.integer({ min: 1, max: 12 }),
        (lengths, pieceLengthBytes) => {
          const any = new FileLayout({ pieceLengthBytes, files: lengths.map((length, index) => file(`${index}`, length)) })
          const owners = lengths.flatMap((length, index) => Array.from({ length }, (_, at) => [index, at]))
          for (const [byte, owner] of owners.entries()) {
            const [piece, offset] = [Math.floor(byte / pieceLengthBytes), byte % pieceLengthBytes]
            const spans = [...any.spans(piece, offset, 1)].map((span) => [span.file.index, span.fileOffset])
            assert.deepEqual(spans, [owner])
          }
          const even = (piece: number) => piece % 2 === 0
          for (const each of any.files) {
            const own = owners.flatMap(([index], byte) => (index === each.index ? [Math.floor(byte / pieceLengthBytes)] : []))
            assert.equal(any.bytesIn(each, even), own.filter(even).length)
          }
        },
      ),
      { seed: 11, numRuns: 60 },
    )
  })
})

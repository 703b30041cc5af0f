import assert from 'node:assert/strict'
import { PIECES_PER_VERDICT_MAX, STAMPS_MAX } from '../../../src/events/index.ts'
import { checked, described, stamped } from '../../../src/roles/client/download-events.ts'
import { hash } from '../../projections/envelopes.ts'

const infoHash = hash('film')
const pieces = (count: number) => Array.from({ length: count }, (_, at) => ({ first: at * 2, count: 1 }))
const stamps = (count: number) => Array.from({ length: count }, (_, file) => ({ file, stamp: `stamp ${file}` }))

describe('what the engine tells, as events', () => {
  it('is a check in one event where that is long enough, and in more where it is not, with everything in its order', () => {
    assert.deepEqual(checked(infoHash, { pieces: [], stamps: [] }), [{ kind: 'download.checked', infoHash, pieces: [] }])
    for (const [count, events] of [
      [PIECES_PER_VERDICT_MAX, 1],
      [PIECES_PER_VERDICT_MAX + 1, 2],
      [2 * PIECES_PER_VERDICT_MAX + 1, 3],
    ] as const) {
      const all = pieces(count)
      const told = checked(infoHash, { pieces: all, stamps: [] })
      assert.deepEqual(
        told.map(({ kind }) => kind),
        ['download.checked', ...Array<string>(events - 1).fill('download.verified')],
      )
      const inAll = told.flatMap((event) => ('pieces' in event ? event.pieces : []))
      assert.deepEqual(inAll, all)
      assert.ok(told.every((event) => 'infoHash' in event && event.infoHash === infoHash))
    }
  })

  it('is stamps behind the pieces, no more in an event than it takes, and no event of none', () => {
    assert.deepEqual(stamped(infoHash, []), [])
    const all = stamps(STAMPS_MAX + 1)
    const told = checked(infoHash, { pieces: pieces(1), stamps: all })
    assert.deepEqual(
      told.map(({ kind }) => kind),
      ['download.checked', 'download.stamped', 'download.stamped'],
    )
    assert.deepEqual(
      told.flatMap((event) => (event.kind === 'download.stamped' ? event.stamps : [])),
      all,
    )
    assert.equal(stamped(infoHash, stamps(STAMPS_MAX)).length, 1)
  })

  it('is of a metainfo what the log keeps of it', () => {
    const kept = {
      infoHash,
      name: 'film',
      sizeBytes: 5,
      pieceCount: 1,
      pieceLengthBytes: 16_384,
      torrentFile: Uint8Array.of(1),
    }
    assert.deepEqual(described({ ...kept, files: [] } as unknown as Parameters<typeof described>[0]), {
      kind: 'download.described',
      ...kept,
    })
  })
})

import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, Event, PieceRange } from '../../../src/events/index.ts'
import { downloadsIn, downloadsProjection, mergeRanges, pieceCount } from '../../../src/projections/index.ts'
import { EnvelopeMaker, foldAll, hash, node, rowsOf } from '../envelopes.ts'
import { projectionLaws } from '../projection.laws.ts'

const own = node('own')
const infoHash = hash('film')
const torrentFile = new TextEncoder().encode('d4:infode')
const added: Event = {
  ...{ kind: 'download.added', infoHash, name: 'film', title: 'The film', directory: '/d', origin: 'download' },
  ...{ magnet: 'magnet:?xt=urn:btih:00', torrentFile: new Uint8Array(), overwrite: false },
}
const described: Event = {
  ...{ kind: 'download.described', infoHash, name: 'Film', sizeBytes: 100, pieceCount: 10, pieceLengthBytes: 10 },
  torrentFile,
}
const verified = (...pieces: PieceRange[]): Event => ({ kind: 'download.verified', infoHash, pieces })

function downloadAfter(...events: Event[]) {
  const maker = new EnvelopeMaker()
  const state = foldAll(
    downloadsProjection(own),
    events.map((event) => maker.make(own, event, 'local')),
  )
  return downloadsIn(state)[0]
}

describe('downloads', () => {
  it('know all that a client needs to go on: files, metainfo, pieces', () => {
    const download = downloadAfter(added, described, verified({ first: 0, count: 2 }, { first: 5, count: 1 }), {
      kind: 'download.paused',
      infoHash,
    })
    assert.deepEqual(download, {
      ...{
        infoHash,
        name: 'Film',
        title: 'The film',
        directory: '/d',
        origin: 'download',
        magnet: 'magnet:?xt=urn:btih:00',
        torrentFile,
      },
      ...{ sizeBytes: 100, pieceCount: 10, pieceLengthBytes: 10, paused: true, completed: false },
      verified: [
        { first: 0, count: 2 },
        { first: 5, count: 1 },
      ],
      addedAt: 1_700_000_001_000,
    })
  })

  it('are told finished, resumed and removed', () => {
    assert.equal(downloadAfter(added, { kind: 'download.completed', infoHash })?.completed, true)
    assert.equal(
      downloadAfter(added, { kind: 'download.paused', infoHash }, { kind: 'download.resumed', infoHash })?.paused,
      false,
    )
    assert.equal(downloadAfter(added, { kind: 'download.removed', infoHash, filesDeleted: false }, described), undefined)
  })

  it('start without pieces when added again elsewhere, and keep them when added again in the same place', () => {
    const some = verified({ first: 0, count: 3 })
    assert.deepEqual(downloadAfter(added, some, added)?.verified, [{ first: 0, count: 3 }])
    assert.deepEqual(downloadAfter(added, some, { ...added, directory: '/e' } as Event)?.verified, [])
  })

  it('are not moved by the events of a stranger', () => {
    const maker = new EnvelopeMaker()
    const fold = downloadsProjection(own)
    assert.deepEqual(rowsOf(fold, foldAll(fold, [maker.make(node('eve'), added)])), [])
  })

  it('write progress without writing the metainfo again', () => {
    const maker = new EnvelopeMaker()
    const fold = downloadsProjection(own)
    const state = foldAll(fold, [maker.make(own, added, 'local'), maker.make(own, described, 'local')])
    assert.equal(fold.changes(state).length, 2)
    fold.apply(state, maker.make(own, verified({ first: 0, count: 1 }), 'local'))
    assert.deepEqual(
      fold.changes(state).map(([key]) => key),
      [`d/${infoHash}`],
    )
  })

  it('merge runs of pieces as a set of pieces would', () => {
    const runs = fc.array(fc.record({ first: fc.nat(40), count: fc.integer({ min: 1, max: 8 }) }), { maxLength: 8 })
    const set = (ranges: readonly PieceRange[]) =>
      new Set(ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index)))
    fc.assert(
      fc.property(runs, runs, (before, more) => {
        const merged = mergeRanges(mergeRanges([], before), more)
        assert.deepEqual([...set(merged)].sort(), [...set([...before, ...more])].sort())
        assert.equal(pieceCount(merged), set(merged).size, 'no piece twice')
        for (const [index, range] of merged.entries()) {
          const next = merged[index + 1]
          if (next !== undefined) assert.ok(range.first + range.count < next.first, 'runs that touch are one')
        }
      }),
    )
  })

  describe('laws', () => {
    const hashes = [infoHash, hash('other')] as const
    const events: fc.Arbitrary<Event> = fc.oneof(
      fc.constantFrom(...hashes).map((infoHash): Event => ({ ...added, infoHash }) as Event),
      fc.constantFrom(...hashes).map((infoHash): Event => ({ ...described, infoHash }) as Event),
      fc
        .tuple(fc.constantFrom(...hashes), fc.nat(20), fc.integer({ min: 1, max: 5 }))
        .map(([infoHash, first, count]): Event => ({ kind: 'download.verified', infoHash, pieces: [{ first, count }] })),
      fc
        .tuple(fc.constantFrom(...hashes), fc.constantFrom('download.completed', 'download.paused', 'download.resumed'))
        .map(([infoHash, kind]): Event => ({ kind, infoHash })),
      fc.constantFrom(...hashes).map((infoHash): Event => ({ kind: 'download.removed', infoHash, filesDeleted: true })),
    )
    const histories: fc.Arbitrary<readonly Envelope[]> = fc.array(events, { maxLength: 30 }).map((list) => {
      const maker = new EnvelopeMaker()
      return list.map((event) => maker.make(own, event, 'local'))
    })
    projectionLaws(() => downloadsProjection(own), histories)
  })
})

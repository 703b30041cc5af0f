import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, Event, PieceRange } from '../../../src/events/index.ts'
import { downloadsIn, downloadsProjection, mergeRanges, NO_SETTINGS, pieceCount } from '../../../src/projections/index.ts'
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
const done: Event = { kind: 'download.completed', infoHash }
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
      ...{ checked: false, overwrite: false, stamps: new Map(), changed: null, completedAt: null },
      ...{ selection: null, wanted: null, sources: { public: false, trackers: [], webSeeds: [], dht: false, local: false } },
      ...{ downloadedBytes: 0, uploadedBytes: 0, names: new Map(), move: null },
      limits: { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0, ratioGoalPercent: 0, seedGoalMs: 0 },
      verified: [
        { first: 0, count: 2 },
        { first: 5, count: 1 },
      ],
      addedAt: 1_700_000_001_000,
    })
  })

  it('have exactly the pieces that a check of the disk found, whatever was said before', () => {
    const changed: Event = { kind: 'download.changed', infoHash, file: 0, path: 'film', how: 'modified' }
    const stamped: Event = { kind: 'download.stamped', infoHash, stamps: [{ file: 0, stamp: '100-1-2' }] }
    const before = [added, described, verified({ first: 0, count: 10 }), stamped, done, changed]
    assert.deepEqual(downloadAfter(...before)?.changed, { file: 0, path: 'film', how: 'modified' })
    const after = downloadAfter(...before, { kind: 'download.checked', infoHash, pieces: [{ first: 4, count: 2 }] })
    assert.deepEqual(after?.verified, [{ first: 4, count: 2 }])
    assert.deepEqual([after?.checked, after?.changed, after?.completed, after?.stamps.size], [true, null, false, 0])
    const whole = downloadAfter(...before, { kind: 'download.checked', infoHash, pieces: [{ first: 0, count: 10 }] }, stamped)
    assert.equal(whole?.completed, true)
    assert.deepEqual([...(whole?.stamps ?? [])], [[0, '100-1-2']])
  })

  it('are complete with all that is wanted, until more is', () => {
    const selected = (priorities: string, others: 0 | 2, ...pieces: PieceRange[]): Event => ({
      ...{ kind: 'download.selected', infoHash, priorities, others, sequential: false, pieces },
    })
    const part = [added, described, selected('02', 0, { first: 3, count: 4 }), verified({ first: 3, count: 4 }), done]
    const partial = downloadAfter(...part)
    assert.deepEqual(partial?.selection, { priorities: '02', others: 0, sequential: false })
    assert.deepEqual(
      [partial?.wanted, partial?.completed, partial?.completedAt],
      [[{ first: 3, count: 4 }], true, 1_700_000_005_000],
    )
    assert.equal(
      downloadAfter(...part, { kind: 'download.checked', infoHash, pieces: [{ first: 2, count: 6 }] })?.completed,
      true,
    )
    assert.equal(
      downloadAfter(...part, { kind: 'download.checked', infoHash, pieces: [{ first: 4, count: 6 }] })?.completed,
      false,
    )
    assert.equal(downloadAfter(...part, selected('02', 0, { first: 3, count: 3 }))?.completed, true)
    assert.equal(downloadAfter(...part, selected('02', 0, { first: 3, count: 5 }))?.completed, false)
    const all = downloadAfter(...part, selected('22', 2))
    assert.deepEqual([all?.selection, all?.wanted, all?.completed], [null, null, false])
    assert.deepEqual(downloadAfter(...part, added)?.wanted, [{ first: 3, count: 4 }])
  })

  it('keep what a person set: limits, and where peers come from', () => {
    const limits = { downloadBytesPerSecond: 1, uploadBytesPerSecond: 2, ratioGoalPercent: 3, seedGoalMs: 4 }
    const sources = { public: true, trackers: ['udp://a'], webSeeds: ['http://b'], dht: true, local: false }
    const download = downloadAfter(...[added, { kind: 'download.limited', infoHash, ...limits } as Event], {
      kind: 'download.sourced',
      infoHash,
      ...sources,
    })
    assert.deepEqual([download?.limits, download?.sources], [limits, sources])
  })

  it('hold the settings of the client, the last of them, and none of strangers', () => {
    const projection = downloadsProjection(own)
    const maker = new EnvelopeMaker()
    const settings = {
      ...NO_SETTINGS,
      downloadsMax: 3,
      schedule: [{ when: '0 8 * * *', downloadBytesPerSecond: 5, uploadBytesPerSecond: 0 }],
    }
    const state = foldAll(projection, [
      maker.make(own, { kind: 'client.configured', ...NO_SETTINGS, downloadsMax: 9 }, 'local'),
      maker.make(own, { kind: 'client.configured', ...settings }, 'local'),
      maker.make(node('stranger'), { kind: 'client.configured', ...NO_SETTINGS }, 'local'),
    ])
    assert.deepEqual(state.settings, settings)
    assert.deepEqual(projection.load(rowsOf(projection, state)).settings, settings)
    assert.deepEqual(rowsOf(projection, projection.initial()), [])
  })

  it('remember what was selected only where it is not all in the usual way', () => {
    const selected = (priorities: string, others: 0 | 1 | 2 | 3 = 2, sequential = false) => {
      const event: Event = {
        kind: 'download.selected',
        infoHash,
        priorities,
        others,
        sequential,
        pieces: [{ first: 1, count: 2 }],
      }
      const { selection, wanted } = downloadAfter(added, described, event) ?? assert.fail()
      return [selection, wanted]
    }
    for (const plain of ['', '2', '222']) assert.deepEqual(selected(plain), [null, null])
    for (const [priorities, others, sequential] of [
      ['32', 2, false],
      ['23', 2, false],
      ['', 3, false],
      ['', 2, true],
      ['222', 1, false],
    ] as const)
      assert.deepEqual(selected(priorities, others, sequential), [{ priorities, others, sequential }, null])
    for (const [priorities, others] of [
      ['202', 2],
      ['', 0],
      ['22', 0],
    ] as const)
      assert.deepEqual(selected(priorities, others), [{ priorities, others, sequential: false }, [{ first: 1, count: 2 }]])
  })

  it('are listed by when they were added, then by info hash', () => {
    const maker = new EnvelopeMaker()
    const hashes = ['3', '1', '2'].map((digit) => digit.repeat(40) as typeof infoHash)
    const [first, ...rest] = hashes.map((each) => maker.make(own, { ...added, infoHash: each } as Event, 'local'))
    assert.ok(first)
    const together = rest.map((envelope) => ({ ...envelope, at: first.at }))
    const list = (envelopes: readonly Envelope[]) =>
      downloadsIn(foldAll(downloadsProjection(own), [...envelopes])).map((one) => one.infoHash[0])
    assert.deepEqual(list([first, ...rest]), ['3', '1', '2'])
    assert.deepEqual(list([first, ...together]), ['1', '2', '3'])
  })

  it('have a title of their own, that of their torrent where they have none, and none that is their info hash', () => {
    const title = (said: string, ...more: Event[]) => downloadAfter({ ...added, title: said } as Event, ...more)?.title
    assert.deepEqual(
      [title(infoHash), title(infoHash, described), title('', described), title('Mine', described)],
      ['', 'Film', 'Film', 'Mine'],
    )
  })

  it('tell which rows change, and which are gone', () => {
    const projection = downloadsProjection(own)
    const maker = new EnvelopeMaker()
    const state = projection.initial()
    const changed = (...events: Event[]) => {
      for (const event of events) projection.apply(state, maker.make(own, event, 'local'))
      return [...projection.changes(state)].map(([key, value]) => [key.replace(infoHash, '#'), value === null]).sort()
    }
    const names = [
      { file: 1, name: 'b' },
      { file: null, name: 'a' },
    ]
    const moving: Event = { kind: 'download.moving', infoHash, directory: '/e', names }
    const stamped: Event = {
      kind: 'download.stamped',
      infoHash,
      stamps: [
        { file: 511, stamp: 'x' },
        { file: 512, stamp: 'y' },
      ],
    }
    assert.deepEqual(changed(added), [
      ['d/#', false],
      ['m/#', true],
    ])
    assert.deepEqual(changed(described), [
      ['d/#', false],
      ['m/#', false],
    ])
    assert.deepEqual(changed(stamped), [
      ['s/#/0', false],
      ['s/#/1', false],
    ])
    assert.deepEqual(changed(moving, { kind: 'download.moved', infoHash }), [
      ['d/#', false],
      ['n/#', false],
    ])
    assert.deepEqual(changed({ kind: 'download.moved', infoHash }), [], 'once')
    assert.deepEqual(changed(added), [
      ['d/#', false],
      ['m/#', false],
      ['n/#', true],
      ['s/#/0', true],
      ['s/#/1', true],
    ])
    assert.deepEqual(changed(stamped, moving, { kind: 'download.moved', infoHash }).length, 4)
    assert.deepEqual(changed({ kind: 'download.removed', infoHash, filesDeleted: false }), [
      ['d/#', true],
      ['m/#', true],
      ['n/#', true],
      ['s/#/0', true],
      ['s/#/1', true],
    ])
    assert.deepEqual(changed(verified({ first: 0, count: 1 })), [])
  })

  it('keep the names of a move in the order of files, and the old ones until it is tidied', () => {
    const names = [
      { file: 1, name: 'b' },
      { file: null, name: 'a' },
      { file: 0, name: 'c' },
    ]
    const moving: Event = { kind: 'download.moving', infoHash, directory: '/e', names }
    const moved = downloadAfter(added, moving, { kind: 'download.moved', infoHash })
    assert.deepEqual(
      [...(moved?.names ?? [])],
      [
        [null, 'a'],
        [0, 'c'],
        [1, 'b'],
      ],
    )
    assert.deepEqual(moved?.move, { directory: '/d', names: names.map(({ file }) => ({ file, name: '' })), isDone: true })
    const back: Event = { kind: 'download.moving', infoHash, directory: '/d', names: [{ file: 0, name: '' }] }
    const again = downloadAfter(added, moving, { kind: 'download.moved', infoHash }, back, { kind: 'download.moved', infoHash })
    assert.deepEqual(
      [...(again?.names ?? [])],
      [
        [null, 'a'],
        [1, 'b'],
      ],
    )
    assert.deepEqual(again?.move?.names, [{ file: 0, name: 'c' }])
  })

  it('never count more bytes than a number holds', () => {
    const moved = (downloadedBytes: number): Event => ({
      kind: 'download.transferred',
      infoHash,
      downloadedBytes,
      uploadedBytes: 1,
    })
    const download = downloadAfter(added, moved(Number.MAX_SAFE_INTEGER), moved(5))
    assert.deepEqual([download?.downloadedBytes, download?.uploadedBytes], [Number.MAX_SAFE_INTEGER, 2])
  })

  it('refuse a row that is of no torrent', () => {
    assert.throws(
      () => downloadsProjection(own).load([['d/nothing', '{}']]),
      /a row of downloads is for no info hash: d\/nothing/,
    )
  })

  it('sum up what was moved', () => {
    const moved: Event = { kind: 'download.transferred', infoHash, downloadedBytes: 5, uploadedBytes: 7 }
    const download = downloadAfter(added, moved, moved)
    assert.deepEqual([download?.downloadedBytes, download?.uploadedBytes], [10, 14])
  })

  it('are in one place at any step of a move, and know the other one until that is tidied', () => {
    const names = [
      { file: null, name: 'Film' },
      { file: 3, name: 'three' },
    ]
    const moving: Event = { kind: 'download.moving', infoHash, directory: '/e', names }
    const moved: Event = { kind: 'download.moved', infoHash }
    const tidied: Event = { kind: 'download.tidied', infoHash }
    const placeAfter = (...events: Event[]) => {
      const download = downloadAfter(added, described, ...events)
      return [download?.directory, [...(download?.names ?? [])], download?.move]
    }
    const called: [number | null, string][] = [
      [null, 'Film'],
      [3, 'three'],
    ]
    const own = [
      { file: null, name: '' },
      { file: 3, name: '' },
    ]
    assert.deepEqual(placeAfter(moving), ['/d', [], { directory: '/e', names, isDone: false }])
    assert.deepEqual(placeAfter(moving, tidied), ['/d', [], null])
    assert.deepEqual(placeAfter(moving, moved), ['/e', called, { directory: '/d', names: own, isDone: true }])
    assert.deepEqual(placeAfter(moving, moved, moved), placeAfter(moving, moved), 'once')
    assert.deepEqual(placeAfter(moving, moved, tidied), ['/e', called, null])
    assert.deepEqual(placeAfter(moved), ['/d', [], null])
    const back: Event = { kind: 'download.moving', infoHash, directory: '/e', names: own.slice(0, 1) }
    assert.deepEqual(placeAfter(moving, moved, tidied, back, moved), [
      ...['/e', called.slice(1)],
      { directory: '/e', names: names.slice(0, 1), isDone: true },
    ])
    assert.deepEqual(placeAfter(moving, moved, added), ['/d', [], null], 'what is added stands under its own names')
    const kept = downloadAfter(added, described, verified({ first: 0, count: 10 }), done, moving, moved)
    assert.deepEqual([kept?.verified, kept?.completed, kept?.paused], [[{ first: 0, count: 10 }], true, false])
  })

  it('write a stamp without writing the other thousands again', () => {
    const maker = new EnvelopeMaker()
    const fold = downloadsProjection(own)
    const stamps = Array.from({ length: 3_000 }, (_, file) => ({ file, stamp: `1-${file}-1` }))
    const state = foldAll(fold, [maker.make(own, added, 'local')])
    fold.apply(state, maker.make(own, { kind: 'download.stamped', infoHash, stamps }, 'local'))
    fold.changes(state)
    fold.apply(state, maker.make(own, { kind: 'download.stamped', infoHash, stamps: [{ file: 2_999, stamp: 'x' }] }, 'local'))
    const changes = fold.changes(state)
    assert.deepEqual(
      changes.map(([key]) => key),
      [`s/${infoHash}/5`],
    )
    assert.deepEqual([...(downloadsIn(fold.load(rowsOf(fold, state)))[0]?.stamps ?? [])].length, 3_000)
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
    const NAMED = ['download.completed', 'download.paused', 'download.resumed', 'download.moved', 'download.tidied'] as const
    const events: fc.Arbitrary<Event> = fc.oneof(
      fc.constantFrom(...hashes).map((infoHash): Event => ({ ...added, infoHash }) as Event),
      fc.constantFrom(...hashes).map((infoHash): Event => ({ ...described, infoHash }) as Event),
      fc
        .tuple(fc.constantFrom(...hashes), fc.nat(20), fc.integer({ min: 1, max: 5 }))
        .map(([infoHash, first, count]): Event => ({ kind: 'download.verified', infoHash, pieces: [{ first, count }] })),
      fc
        .tuple(fc.constantFrom(...hashes), fc.nat(20), fc.integer({ min: 1, max: 5 }))
        .map(([infoHash, first, count]): Event => ({ kind: 'download.checked', infoHash, pieces: [{ first, count }] })),
      fc
        .tuple(fc.constantFrom(...hashes), fc.nat(1_500), fc.constantFrom('1-1-1', '2-2-2'))
        .map(([infoHash, file, stamp]): Event => ({ kind: 'download.stamped', infoHash, stamps: [{ file, stamp }] })),
      fc
        .constantFrom(...hashes)
        .map((infoHash): Event => ({ kind: 'download.changed', infoHash, file: 0, path: 'film', how: 'gone' })),
      fc
        .tuple(fc.constantFrom(...hashes), fc.constantFrom('/d', '/e'), fc.constantFrom(null, 0, 2), fc.constantFrom('', 'a'))
        .map(([infoHash, directory, file, name]): Event => {
          return { kind: 'download.moving', infoHash, directory, names: [{ file, name }] }
        }),
      fc.tuple(fc.constantFrom(...hashes), fc.constantFrom(...NAMED)).map(([infoHash, kind]): Event => ({ kind, infoHash })),
      fc.constantFrom(...hashes).map((infoHash): Event => ({ kind: 'download.removed', infoHash, filesDeleted: true })),
    )
    const histories: fc.Arbitrary<readonly Envelope[]> = fc.array(events, { maxLength: 30, size: 'max' }).map((list) => {
      const maker = new EnvelopeMaker()
      return list.map((event) => maker.make(own, event, 'local'))
    })
    projectionLaws(() => downloadsProjection(own), histories)
  })

  it('in a new place have nothing of the old one', () => {
    const checked: Event = { kind: 'download.checked', infoHash, pieces: [{ first: 0, count: 3 }] }
    const stamped: Event = { kind: 'download.stamped', infoHash, stamps: [{ file: 0, stamp: 'a' }] }
    const stays = downloadAfter(added, checked, stamped, added)
    assert.deepEqual([stays?.checked, stays?.verified.length, stays?.stamps.size], [true, 1, 1])
    const moved = downloadAfter(added, checked, stamped, { ...added, directory: '/e' } as Event)
    assert.deepEqual([moved?.checked, moved?.verified.length, moved?.stamps.size], [false, 0, 0])
  })

  it('have each stamp in one row, also at the border of two', () => {
    const projection = downloadsProjection(own)
    const maker = new EnvelopeMaker()
    const stamps = [511, 512, 1023, 1024].map((file) => ({ file, stamp: String(file) }))
    const state = foldAll(
      projection,
      [added, { kind: 'download.stamped', infoHash, stamps } as Event].map((event) => maker.make(own, event, 'local')),
    )
    const rows = rowsOf(projection, state).filter(([key]) => key.startsWith('s/'))
    assert.deepEqual(
      rows.map(([, value]) => (JSON.parse(value) as [number, string][]).map(([file]) => file)),
      [[511], [512, 1023], [1024]],
    )
  })
})

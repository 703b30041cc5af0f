import assert from 'node:assert/strict'
import type { Download } from '../../../src/projections/downloads/index.ts'
import { type RowFacts, torrentRow } from '../../../src/roles/client/torrent-row.ts'
import type { TorrentStatus } from '../../../src/torrent/index.ts'
import { hash } from '../../projections/envelopes.ts'

const limits = { downloadBytesPerSecond: 1, uploadBytesPerSecond: 2, ratioGoalPercent: 3, seedGoalMs: 4 }
const download = (more: Partial<Download> = {}) =>
  ({
    ...{
      infoHash: hash('film'),
      name: 'film.mkv',
      title: 'Film',
      directory: '/films',
      origin: 'magnet',
      magnet: '',
      sizeBytes: 100,
    },
    ...{ pieceCount: 10, paused: false, verified: [], selection: null, wanted: null, limits },
    ...more,
  }) as Download
const live = (more: Partial<TorrentStatus> = {}) =>
  ({
    state: 'downloading',
    downloadBytesPerSecond: 0,
    uploadBytesPerSecond: 0,
    timeLeftMs: undefined,
    peers: [],
    corruptPercent: 0,
    ...more,
  }) as TorrentStatus
const facts = (more: Partial<RowFacts> = {}): RowFacts => ({
  ...{ problem: null, note: undefined, held: undefined, why: 'it is new', moved: { downloadedBytes: 7, uploadedBytes: 8 } },
  unreached: () => 3,
  ...more,
})

describe('the row of a torrent', () => {
  it('is what the log says where the engine does not have it, which is a failure', () => {
    const row = torrentRow(download(), undefined, facts({ problem: 'no such disk' }))
    assert.deepEqual(row, {
      ...{
        infoHash: hash('film'),
        name: 'film.mkv',
        state: 'failed',
        why: 'it is new',
        problem: 'no such disk',
        origin: 'magnet',
      },
      ...{ directory: '/films', sizeBytes: 100, pieceCount: 10, piecesVerified: 0, piecesWanted: 10, piecesWantedVerified: 0 },
      ...{ sequential: false, downloadedBytes: 7, uploadedBytes: 8, downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 },
      ...{ timeLeftMs: null, peers: 0, unreached: 0, limits, corruptPercent: 0 },
      magnet: row.magnet,
    })
    assert.match(row.magnet, new RegExp(`^magnet:\\?xt=urn:btih:${hash('film')}&dn=Film`))
  })

  it('counts wanted pieces, and those of them that are here', () => {
    const verified = [
      { first: 0, count: 3 },
      { first: 6, count: 2 },
    ]
    const selection = { sequential: true } as Download['selection']
    const row = torrentRow(download({ verified, wanted: [{ first: 2, count: 5 }], selection }), live(), facts())
    assert.deepEqual([row.piecesVerified, row.piecesWanted, row.piecesWantedVerified, row.sequential], [5, 5, 2, true])
    const all = torrentRow(download({ verified }), live(), facts())
    assert.deepEqual([all.piecesVerified, all.piecesWanted, all.piecesWantedVerified], [5, 10, 5])
  })

  it('has the state of the engine, but for what a person paused and what waits for its turn', () => {
    const state = (more: Partial<Download>, status: TorrentStatus | undefined, held?: string) =>
      torrentRow(download(more), status, facts({ held })).state
    assert.equal(state({}, live({ state: 'seeding' })), 'seeding')
    assert.equal(state({ paused: true }, live({ state: 'paused' }), 'it waits'), 'paused')
    assert.equal(state({}, live({ state: 'paused' }), 'it waits'), 'queued')
    assert.equal(state({}, live({ state: 'paused' })), 'paused')
    assert.equal(state({}, live({ state: 'downloading' }), 'it waits'), 'downloading', 'it is being stopped')
    assert.equal(state({}, undefined, 'it waits'), 'failed')
  })

  it('names peers that could not be reached where nobody else is there to give anything', () => {
    const peers = [{}] as unknown as TorrentStatus['peers']
    const unreached = (status: TorrentStatus | undefined) => torrentRow(download(), status, facts()).unreached
    assert.deepEqual(
      [unreached(live()), unreached(live({ state: 'seeding' })), unreached(live({ peers })), unreached(undefined)],
      [3, 0, 0, 0],
    )
  })

  it('tells what the engine measures, and a note where there is one', () => {
    const peers = [{}, {}] as unknown as TorrentStatus['peers']
    const status = live({ peers, downloadBytesPerSecond: 5, uploadBytesPerSecond: 6, timeLeftMs: 7, corruptPercent: 8 })
    const row = torrentRow(download({ magnet: 'magnet:?own' }), status, facts({ note: 'look' }))
    assert.deepEqual(
      [
        row.peers,
        row.downloadBytesPerSecond,
        row.uploadBytesPerSecond,
        row.timeLeftMs,
        row.corruptPercent,
        row.note,
        row.magnet,
      ],
      [2, 5, 6, 7, 8, 'look', 'magnet:?own'],
    )
    assert.equal('note' in torrentRow(download(), status, facts()), false)
    assert.match(torrentRow(download({ title: '' }), status, facts()).magnet, /dn=film\.mkv/)
  })
})

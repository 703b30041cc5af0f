import assert from 'node:assert/strict'
import { checkTorrentFile, type Metainfo } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import type { Swarm, SwarmStatus } from '../../src/torrent/swarm.ts'
import { TorrentEntry } from '../../src/torrent/torrent-entry.ts'
import { statusOf } from '../../src/torrent/torrent-status.ts'
import { bencode } from './bencode-writer.ts'

const PIECE = 16_384
const info = { length: 4 * PIECE, name: 'x', 'piece length': PIECE, pieces: new Uint8Array(80) }
const metainfo = checkTorrentFile(bencode({ info }), sha1)
const entryOf = (known: Metainfo | undefined = metainfo) =>
  new TorrentEntry({ infoHash: metainfo.infoHash, directory: '/', paused: false, metainfo: known })

describe('what is known of a torrent', () => {
  it('tells the pieces that were not known to stand on the disk, and no others', () => {
    const entry = entryOf()
    const add = (first: number, count: number) => {
      const fresh = entry.addVerified([{ first, count }])
      return { fresh, settled: entry.settledBy(fresh) }
    }
    assert.deepEqual(add(0, 2), { fresh: [{ first: 0, count: 2 }], settled: [] })
    assert.deepEqual([entry.piecesVerified, entry.complete], [2, false])
    assert.deepEqual(add(1, 2), { fresh: [{ first: 2, count: 1 }], settled: [] })
    assert.deepEqual(add(0, 3), { fresh: [], settled: [] })
    assert.deepEqual(add(3, 1), { fresh: [{ first: 3, count: 1 }], settled: [0] })
    assert.equal(entry.complete, true)
  })
})

describe('a torrent that is not open', () => {
  const options = { infoHash: metainfo.infoHash, directory: '/d', paused: false }
  const selection = { priorities: '0', others: 0, sequential: false } as const

  it('is known by its metainfo, or by what a magnet link says, or by its info hash', () => {
    const bare = new TorrentEntry(options)
    assert.deepEqual(
      [bare.name, bare.pieceCount, bare.hasMetainfo, bare.isPrivate, bare.complete],
      [metainfo.infoHash, 0, false, false, false],
    )
    assert.equal(new TorrentEntry({ ...options, name: 'a link' }).name, 'a link')
    const whole = new TorrentEntry({ ...options, name: 'a link', metainfo })
    assert.deepEqual([whole.name, whole.pieceCount, whole.hasMetainfo, whole.isPrivate], ['x', 4, true, false])
    const ours = checkTorrentFile(bencode({ info: { ...info, private: 1 } }), sha1)
    assert.equal(entryOf(ours).isPrivate, true)
  })

  it('is as it was begun', () => {
    const plain = new TorrentEntry(options)
    assert.deepEqual(
      [plain.completed, plain.overwrite, plain.ownsFiles, plain.peers, plain.stampList, plain.problem, plain.rates],
      [false, false, false, [], [], undefined, { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 }],
    )
    const rates = { downloadBytesPerSecond: 5, uploadBytesPerSecond: 6 }
    const stamps = [{ file: 0, stamp: 'a' }]
    const changed = { file: 0, path: 'x', how: 'gone' } as const
    const begun = new TorrentEntry({
      ...options,
      rates,
      stamps,
      changed,
      overwrite: true,
      verified: [],
      peers: [{ host: 'h', port: 1 }],
    })
    assert.deepEqual([begun.overwrite, begun.ownsFiles, begun.stampList, begun.rates], [true, true, stamps, rates])
    assert.match(begun.problem ?? '', /x/)
    begun.stamp([
      { file: 0, stamp: 'b' },
      { file: 1, stamp: 'c' },
    ])
    assert.deepEqual(begun.stampList, [
      { file: 0, stamp: 'b' },
      { file: 1, stamp: 'c' },
    ])
  })

  it('is complete from the start where all its pieces are known, and not where one is missing', () => {
    const of = (count: number) => new TorrentEntry({ ...options, metainfo, verified: [{ first: 0, count }] })
    assert.deepEqual([of(4).completed, of(4).complete, of(3).completed, of(3).complete], [true, true, false, false])
    assert.deepEqual(
      [of(3).piecesVerified, of(3).hasPiece(2), of(3).hasPiece(3), of(3).verified],
      [3, true, false, [{ first: 0, count: 3 }]],
    )
    const unknown = new TorrentEntry({ ...options, verified: [{ first: 1, count: 1 }] })
    assert.deepEqual([unknown.verified, unknown.piecesVerified, unknown.hasPiece(1)], [[{ first: 1, count: 1 }], 0, false])
    assert.deepEqual([entryOf().verified, new TorrentEntry(options).verified], [undefined, undefined])
  })

  it('has what a check of the disk found, which is the whole truth', () => {
    const entry = new TorrentEntry({ ...options, metainfo, verified: [{ first: 0, count: 4 }] })
    const found = Uint8Array.of(0b01100000)
    entry.checked(found)
    found.fill(0)
    assert.deepEqual(
      [entry.verified, entry.piecesVerified, entry.complete, entry.completed],
      [[{ first: 1, count: 2 }], 2, false, false],
    )
    entry.completed = true
    entry.checked(Uint8Array.of(0b11110000))
    assert.deepEqual([entry.complete, entry.completed], [true, true], 'it was told already')
    entry.addVerified([{ first: 0, count: 1 }])
    assert.equal(entry.piecesVerified, 4)
  })

  it('wants what is selected, and is complete with that', () => {
    const entry = new TorrentEntry({ ...options, metainfo, verified: [{ first: 0, count: 1 }] })
    assert.deepEqual([entry.piecesWanted, entry.piecesWantedVerified, entry.priorities], [4, 1, undefined])
    entry.select(selection, metainfo)
    assert.deepEqual([entry.piecesWanted, entry.piecesWantedVerified, entry.complete, entry.selection], [0, 0, true, selection])
    entry.select({ ...selection, priorities: '3' }, metainfo)
    assert.deepEqual(
      [[...(entry.priorities ?? [])], entry.piecesWanted, entry.piecesWantedVerified, entry.complete],
      [[3, 3, 3, 3], 4, 1, false],
    )
    entry.select(undefined, metainfo)
    assert.equal(entry.priorities, undefined)
    const bare = new TorrentEntry({ ...options, selection })
    bare.select(selection, undefined)
    assert.deepEqual([bare.priorities, bare.piecesWanted], [undefined, 0])
    bare.describe(metainfo)
    assert.deepEqual([bare.piecesWanted, bare.completed], [0, true])
  })

  it('reads its metainfo again where it was let go of, while that can be read', async () => {
    let reads = 0
    let isReadable = true
    const readAgain = async () => {
      reads++
      return metainfo
    }
    assert.equal(await new TorrentEntry({ ...options, readAgain, isReadable: () => true }).load(), undefined)
    const entry = new TorrentEntry({ ...options, metainfo, readAgain, isReadable: () => isReadable })
    const held = await entry.load()
    assert.deepEqual([held === entry.metainfo, held?.name, reads], [true, 'x', 0])
    // As when nobody else holds it any more.
    entry.goTo({ directory: '/e', names: new Map(), metainfo: undefined })
    assert.deepEqual([entry.metainfo, entry.directory], [undefined, '/e'])
    isReadable = false
    assert.deepEqual([await entry.load(), reads], [undefined, 0])
    isReadable = true
    const read = await entry.load()
    assert.deepEqual([read?.name, reads, entry.metainfo === read], ['x', 1, true])
    const other = checkTorrentFile(bencode({ info }), sha1)
    entry.goTo({ directory: '/f', names: new Map(), metainfo: other })
    assert.deepEqual([entry.metainfo === other, entry.directory], [true, '/f'])
  })

  it('knows no fresh pieces while its metainfo is not there', () => {
    const bare = new TorrentEntry(options)
    assert.deepEqual([bare.addVerified([{ first: 0, count: 1 }]), bare.settledBy([{ first: 0, count: 1 }])], [[], []])
    const gone = entryOf()
    gone.goTo({ directory: '/e', names: new Map(), metainfo: undefined })
    assert.deepEqual([gone.addVerified([{ first: 0, count: 1 }]), gone.piecesVerified], [[], 0])
  })

  it('is told at rest with all that is known of it', () => {
    const entry = new TorrentEntry({ ...options, metainfo, verified: [{ first: 0, count: 3 }] })
    entry.downloadedBytes = 5
    entry.uploadedBytes = 6
    assert.deepEqual(entry.describeAtRest('paused'), {
      ...{ infoHash: metainfo.infoHash, name: 'x', state: 'paused', problem: undefined, directory: '/d' },
      ...{
        sizeBytes: 4 * PIECE,
        pieceCount: 4,
        pieceLengthBytes: PIECE,
        piecesVerified: 3,
        piecesWanted: 4,
        piecesWantedVerified: 3,
      },
      ...{ downloadedBytes: 5, uploadedBytes: 6, downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 },
      ...{ timeLeftMs: undefined, peers: [], corruptPercent: 0, isPrivate: false },
    })
    entry.checked(Uint8Array.of(0b11110000))
    assert.equal(entry.describeAtRest('seeding').timeLeftMs, 0)
    const bare = new TorrentEntry(options).describeAtRest('paused')
    assert.deepEqual([bare.sizeBytes, bare.pieceLengthBytes, bare.pieceCount, bare.timeLeftMs], [0, 0, 0, undefined])
  })
})

describe('the status of a torrent', () => {
  const swarm = (said: Partial<SwarmStatus> = {}) =>
    ({
      status: {
        ...{ downloadedBytes: 0, uploadedBytes: 0, downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 },
        ...{ isReady: true, isDone: false, ...said },
      },
      peers: () => [],
    }) as unknown as Swarm

  it('is what comes first: checking, failed, paused, fetching metadata, checking the disk, seeding or downloading', () => {
    const bare = new TorrentEntry({ infoHash: metainfo.infoHash, directory: '/', paused: false })
    const state = (entry: TorrentEntry, open: Swarm | undefined) => statusOf(entry, open).state
    assert.equal(state(bare, swarm()), 'fetching-metadata')
    assert.equal(state(bare, undefined), 'paused')
    const entry = entryOf()
    assert.deepEqual(
      [swarm(), swarm({ isDone: true }), swarm({ isReady: false, isDone: true })].map((open) => state(entry, open)),
      ['downloading', 'seeding', 'checking'],
    )
    entry.problem = 'the disk is full'
    assert.equal(state(entry, swarm()), 'failed')
    entry.recheck = new AbortController()
    assert.deepEqual([state(entry, swarm()), state(entry, undefined)], ['checking', 'checking'])
  })

  it('tells the time left from a rate of a byte a second on, and none below', () => {
    const left = (downloadBytesPerSecond: number) => statusOf(entryOf(), swarm({ downloadBytesPerSecond })).timeLeftMs
    assert.deepEqual([left(0.9), left(1), left(PIECE)], [undefined, 4 * PIECE * 1_000, 4_000])
  })
})

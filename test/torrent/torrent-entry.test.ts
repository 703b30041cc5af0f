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

import assert from 'node:assert/strict'
import { TORRENT_FILE_BYTES_MAX } from '../../../src/torrent/metainfo.ts'
import { METADATA } from '../../../src/torrent/swarm/metadata-fetch.ts'
import { MetadataFetches } from '../../../src/torrent/swarm/metadata-fetches.ts'
import type { Peer } from '../../../src/torrent/swarm/peer.ts'

const INFO = Uint8Array.of(1, 2, 3)

/** A peer that tells of an info dictionary, and what it was asked. */
class Having {
  readonly asked: number[] = []
  readonly sendsMetadata = true
  readonly metadataBytes: number

  constructor(metadataBytes: number = INFO.length) {
    this.metadataBytes = metadataBytes
  }

  askMetadata(pieces: readonly number[]): void {
    this.asked.push(...pieces)
  }
}

function fetching(...peers: Having[]) {
  let now = 0
  const fetched: Uint8Array[] = []
  const violations: string[] = []
  const fetches = new MetadataFetches({
    ...{ now: () => now, peers: () => peers as unknown as Peer[] },
    isRight: (info) => Buffer.compare(info, INFO) === 0,
    fetched: (info) => fetched.push(info),
    violated: (_, what) => violations.push(what),
  })
  const sends = (peer: Having, block: Uint8Array) =>
    fetches.received(peer as unknown as Peer, { type: METADATA.data, piece: 0, block })
  const rejects = (peer: Having) =>
    fetches.received(peer as unknown as Peer, { type: METADATA.reject, piece: 0, block: new Uint8Array() })
  const later = (ms: number) => {
    now += ms
    fetches.tick()
  }
  return { fetches, fetched, violations, sends, rejects, later }
}

const askedOf = (peers: readonly Having[]) => peers.map(({ asked }) => asked.length)

describe('the info dictionary of a magnet link', () => {
  it('is asked of three peers at a time, and the next when one says no', () => {
    const peers = [new Having(), new Having(), new Having(), new Having(), new Having()]
    const { fetches, rejects } = fetching(...peers)
    fetches.go()
    fetches.go()
    assert.deepEqual(askedOf(peers), [1, 1, 1, 0, 0])
    rejects(peers[1] as Having)
    assert.deepEqual(askedOf(peers), [1, 1, 1, 1, 0])
  })

  it('is told of once, and nothing is asked for after it', () => {
    const [one, other, third] = [new Having(), new Having(), new Having()]
    const { fetches, fetched, sends } = fetching(one, other)
    fetches.go()
    sends(one, INFO)
    sends(other, INFO)
    assert.deepEqual(fetched, [INFO])
    const late = fetching(third)
    late.fetches.end()
    late.fetches.go()
    assert.deepEqual(third.asked, [])
  })

  it('that does not hash right is a violation, and that peer is asked no more', () => {
    const peer = new Having()
    const { fetches, fetched, violations, sends, later } = fetching(peer)
    fetches.go()
    sends(peer, Uint8Array.of(9, 9, 9))
    later(1_000)
    assert.deepEqual([fetched, violations, peer.asked], [[], ['metadata that does not match its hash'], [0]])
  })

  it('is given up with a peer that sends none of it for more than five seconds, and asked of another', () => {
    const peers = [new Having(), new Having(), new Having(), new Having()]
    const { fetches, fetched, later, sends } = fetching(...peers)
    fetches.go()
    later(5_000)
    assert.deepEqual(askedOf(peers), [1, 1, 1, 0])
    later(1)
    assert.deepEqual(askedOf(peers), [1, 1, 1, 1])
    sends(peers[0] as Having, INFO)
    assert.deepEqual(fetched, [], 'it came too late')
    sends(peers[3] as Having, INFO)
    assert.deepEqual(fetched, [INFO])
  })

  it('is not asked for where it is longer than any that is taken', () => {
    const [fits, long] = [new Having(TORRENT_FILE_BYTES_MAX), new Having(TORRENT_FILE_BYTES_MAX + 1)]
    const { fetches } = fetching(long, fits)
    fetches.go()
    assert.equal(long.asked.length, 0)
    assert.ok(fits.asked.length > 0)
  })
})

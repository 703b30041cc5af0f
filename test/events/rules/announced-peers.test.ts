import assert from 'node:assert/strict'
import {
  ANNOUNCED_PEERS_MAX,
  AnnouncedPeers,
  boundAnnouncedPeers,
  HOSTS_PER_TORRENT_MAX,
  PEERS_PER_ANSWER_MAX,
  type PeerStore,
  PORTS_PER_HOST_MAX,
} from '../../../src/events/rules/announced-peers.ts'

const AGE_MS = 1_000
const HASH = 'ab'.repeat(20)

/** `10.0.x.y` of a number, and a port. */
const peerOf = (host: number, port = 6_881): Uint8Array => Uint8Array.of(10, 0, host >> 8, host & 255, port >> 8, port & 255)
const hashOf = (number: number): string => number.toString(16).padStart(40, '0')
const hostOf = (peer: Uint8Array): number => ((peer[2] as number) << 8) | (peer[3] as number)
const portOf = (peer: Uint8Array): number => ((peer[4] as number) << 8) | (peer[5] as number)

describe('announced peers of a Mainline node', () => {
  let nowMs = 0
  let peers: AnnouncedPeers
  beforeEach(() => {
    nowMs = 0
    peers = new AnnouncedPeers({ maxAgeMs: AGE_MS, now: () => nowMs, random: Math.random })
  })

  const hostsOf = (hash = HASH): Set<number> => new Set(peers.get(hash, 100_000).map(hostOf))

  it('are told to who asks for their torrent, each once', () => {
    for (let times = 0; times < 3; times++) peers.add(HASH, peerOf(1))
    assert.deepEqual(peers.get(HASH), [peerOf(1)])
    assert.deepEqual(peers.get(hashOf(1)), [])
  })

  it('are eight of one host for one torrent: a ninth takes the place of the one announced longest ago', () => {
    for (let port = 1; port <= PORTS_PER_HOST_MAX; port++) peers.add(HASH, peerOf(1, port))
    peers.add(HASH, peerOf(1, 1))
    peers.add(HASH, peerOf(1, PORTS_PER_HOST_MAX + 1))
    assert.deepEqual(peers.get(HASH).map(portOf).sort(), [1, 3, 4, 5, 6, 7, 8, 9])
    peers.add(hashOf(1), peerOf(1, 1))
    assert.equal(peers.size, PORTS_PER_HOST_MAX + 1)
  })

  it('are of so many hosts for one torrent: one more takes the place of the host silent for longest', () => {
    for (let host = 0; host < HOSTS_PER_TORRENT_MAX; host++) for (const port of [1, 2]) peers.add(HASH, peerOf(host, port))
    peers.add(HASH, peerOf(0, 1))
    assert.equal(hostsOf().size, HOSTS_PER_TORRENT_MAX)
    peers.add(HASH, peerOf(HOSTS_PER_TORRENT_MAX))
    const hosts = hostsOf()
    assert.equal(hosts.size, HOSTS_PER_TORRENT_MAX)
    assert.ok(hosts.has(HOSTS_PER_TORRENT_MAX) && hosts.has(0) && !hosts.has(1))
    assert.equal(peers.size, 2 * HOSTS_PER_TORRENT_MAX - 1)
  })

  it('are told fifty at a time, others every time', () => {
    for (let host = 0; host <= PEERS_PER_ANSWER_MAX; host++) peers.add(HASH, peerOf(host))
    const told = new Set<number>()
    while (told.size <= PEERS_PER_ANSWER_MAX) {
      const answer = new Set(peers.get(HASH).map(hostOf))
      assert.equal(answer.size, PEERS_PER_ANSWER_MAX)
      for (const host of answer) told.add(host)
    }
  })

  it('are told one of each host first: thirty hosts with eight ports each do not hide one with one', () => {
    peers.add(HASH, peerOf(0))
    for (let host = 1; host <= 30; host++) for (let port = 1; port <= 8; port++) peers.add(HASH, peerOf(host, port))
    for (let times = 0; times < 100; times++) {
      const answer = peers.get(HASH)
      assert.equal(answer.length, PEERS_PER_ANSWER_MAX)
      assert.ok(answer.some((peer) => hostOf(peer) === 0))
    }
  })

  it('are so many over all torrents: one more takes the place of the oldest of the host that has most', () => {
    peers.add(HASH, peerOf(0))
    for (let number = 1; number < ANNOUNCED_PEERS_MAX; number++) peers.add(hashOf(number), peerOf(1))
    assert.equal(peers.size, ANNOUNCED_PEERS_MAX)
    peers.add(hashOf(ANNOUNCED_PEERS_MAX), peerOf(1))
    peers.add(HASH, peerOf(2))
    assert.equal(peers.size, ANNOUNCED_PEERS_MAX)
    assert.deepEqual([...hostsOf()].sort(), [0, 2])
    for (const [number, kept] of [0, 0, 1].entries()) assert.equal(peers.get(hashOf(number + 1)).length, kept)
  })

  it('are forgotten when they do not announce again', () => {
    peers.add(HASH, peerOf(1))
    peers.add(HASH, peerOf(2))
    nowMs = AGE_MS - 1
    peers.add(HASH, peerOf(1))
    assert.deepEqual([...hostsOf()].sort(), [1, 2])
    nowMs = AGE_MS
    assert.deepEqual([...hostsOf()], [1])
    nowMs = 2 * AGE_MS - 1
    assert.deepEqual(peers.get(HASH), [])
    assert.equal(peers.size, 0)
  })

  it('are shuffled evenly, by the numbers that it is given', () => {
    const order = (numbers: readonly number[]): number[] => {
      const left = [...numbers]
      const some = new AnnouncedPeers({ maxAgeMs: AGE_MS, now: () => nowMs, random: () => left.shift() ?? 0 })
      for (let host = 1; host <= 4; host++) some.add(HASH, peerOf(host))
      return some.get(HASH).map(hostOf)
    }
    assert.deepEqual(order([0.99, 0.99, 0.99]), [1, 2, 3, 4])
    assert.deepEqual(order([0, 0, 0]), [2, 3, 4, 1])
    assert.deepEqual(order([0.5, 0.34, 0.5]), [1, 4, 2, 3])
  })

  it('are as many as were asked for', () => {
    for (let host = 0; host < 5; host++) for (const port of [1, 2]) peers.add(HASH, peerOf(host, port))
    for (const count of [0, 1, 5, 7, 10]) assert.equal(peers.get(HASH, count).length, count)
    assert.equal(new Set(peers.get(HASH, 5).map(hostOf)).size, 5)
    assert.equal(peers.get(HASH, 11).length, 10)
  })

  it('take the place of those of a DHT node, which are given up', () => {
    let destroyed = 0
    const dht = { _peers: { add: () => {}, get: () => [], destroy: () => void destroyed++ } as PeerStore }
    boundAnnouncedPeers(dht, { maxAgeMs: AGE_MS, now: () => nowMs, random: Math.random })
    assert.equal(destroyed, 1)
    dht._peers.add(HASH, peerOf(1))
    assert.deepEqual(dht._peers.get(HASH), [peerOf(1)])
    dht._peers.destroy()
    assert.deepEqual(dht._peers.get(HASH), [])
    assert.equal((dht._peers as AnnouncedPeers).size, 0)
    dht._peers.add(HASH, peerOf(1))
    assert.deepEqual(dht._peers.get(HASH), [peerOf(1)])
  })
})

import assert from 'node:assert/strict'
import type { TorrentSources } from '../../../src/events/index.ts'
import { encode } from '../../../src/torrent/bencode.ts'
import type { PublicSources } from '../../../src/torrent/sources/public-sources.ts'
import type { PeerLink } from '../../../src/torrent/swarm/peer.ts'
import { compactOf } from '../../../src/torrent/wire/compact-peers.ts'
import { decodePeerExchange, EXCHANGED_MAX, encodePeerExchange } from '../../../src/torrent/wire/peer-exchange.ts'
import { type LabPeer, madeUp, SwarmLab } from './swarm-lab.ts'

const PUBLIC: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: false, local: false }
const NO_SOURCES = { ready: () => {}, completed: () => {}, close: async () => {}, status: () => [] } as unknown as PublicSources
const EXTENDED = 20
const THEIR_ID = 5

/** A client that proves no key, says what it is told to say, and keeps what it hears. */
class Stranger {
  readonly sent: Uint8Array[] = []
  closed = ''
  readonly #peer
  readonly #at: LabPeer

  constructor(at: LabPeer, host: string, port: number, says: Parameters<typeof encode>[0]) {
    this.#at = at
    const link: PeerLink = {
      ...{ host, port: 50_000, outbound: false, unsentBytes: 0 },
      send: (bytes) => this.sent.push(bytes.slice()),
      close: (why) => {
        this.closed = why
      },
    }
    const handshake = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20), hasExtended: true, hasFast: true }
    this.#peer = at.swarm.joins(link, handshake, Buffer.from(`${host}:${port}`.padEnd(20).slice(0, 20)).toString('hex'))
    this.say(0, encode(says))
  }

  say(id: number, payload: Uint8Array): void {
    this.#peer?.message(Uint8Array.from([EXTENDED, id, ...payload]))
  }

  /** As a message that keeps the connection alive. */
  stays(): void {
    if (this.#peer !== undefined) this.#at.swarm.chunkEnds(this.#peer)
  }

  /** Whom it was told of, message by message. */
  get heard(): string[][] {
    return this.sent
      .filter((bytes) => bytes[4] === EXTENDED && bytes[5] === THEIR_ID)
      .map((bytes) => decodePeerExchange(bytes.subarray(6)) ?? [])
  }

  get offersExchange(): boolean {
    return this.sent.some((bytes) => bytes[4] === EXTENDED && bytes[5] === 0 && Buffer.from(bytes).includes('ut_pex'))
  }
}

describe('exchange of peers', () => {
  const { metainfo, bytes } = madeUp(3)
  let lab: SwarmLab
  beforeEach(() => {
    lab = new SwarmLab()
  })
  const seederOf = (sources: TorrentSources): LabPeer =>
    lab.peer('seeder', metainfo, { has: bytes, swarm: { sources, openSources: () => NO_SOURCES } })
  const takes = { m: { ut_pex: THEIR_ID }, p: 7_001 }

  it('tells strangers of each other once a minute, what is new, and nobody of members', async () => {
    const seeder = seederOf(PUBLIC)
    // It says where others may connect to it, as strangers do.
    const member = lab.peer('member', metainfo, { swarm: { ourPort: () => 7_009 } })
    lab.join(member, seeder)
    await lab.time.advance(1_000)
    const one = new Stranger(seeder, '192.0.2.1', 7_001, takes)
    const two = new Stranger(seeder, '192.0.2.2', 7_002, { ...takes, p: 7_002 })
    const mute = new Stranger(seeder, '192.0.2.3', 7_003, { m: {} })
    await lab.time.advance(58_000)
    assert.deepEqual(one.heard, [])
    await lab.time.advance(1_500)
    assert.deepEqual(one.heard, [['192.0.2.2:7002']])
    assert.deepEqual(two.heard, [['192.0.2.1:7001']])
    assert.deepEqual(mute.heard, [])
    await lab.time.advance(60_000)
    assert.equal(one.heard.length, 1, 'nothing is new')
    for (const each of [one, two, mute]) each.stays()
    new Stranger(seeder, '192.0.2.4', 7_004, { m: {}, p: 7_004 })
    await lab.time.advance(60_000)
    assert.deepEqual(one.heard[1], ['192.0.2.4:7004'])
  })

  it('is not spoken of in a torrent that is not public', async () => {
    const seeder = lab.peer('seeder', metainfo, { has: bytes, swarm: { admits: () => true } })
    const stranger = new Stranger(seeder, '192.0.2.1', 7_001, takes)
    new Stranger(seeder, '192.0.2.2', 7_002, takes)
    stranger.say(4, encodePeerExchange(['192.0.2.9:9'], []))
    await lab.time.advance(61_000)
    assert.deepEqual([stranger.offersExchange, stranger.heard, seeder.dials], [false, [], []])
  })

  it('hears of peers once in 45 s, and dials them', async () => {
    const { metainfo: wanted } = madeUp(3)
    const leecher = lab.peer('leecher', wanted, { swarm: { sources: PUBLIC, openSources: () => NO_SOURCES } })
    await lab.time.advance(1_000)
    const stranger = new Stranger(leecher, '192.0.2.1', 7_001, takes)
    assert.equal(stranger.offersExchange, true)
    const ownServices = ['127.0.0.1:22', '[::1]:22', '0.0.0.0:22', '224.0.0.1:22']
    stranger.say(4, encodePeerExchange(['192.0.2.8:8', '[2001:db8::1]:9', ...ownServices], []))
    await lab.time.advance(44_999)
    stranger.say(4, encodePeerExchange(['192.0.2.9:9'], []))
    await lab.time.advance(1)
    assert.deepEqual([...new Set(leecher.dials)].sort(), ['192.0.2.8:8', '[2001:db8::1]:9'])
    stranger.say(4, encodePeerExchange(['192.0.2.9:9'], []))
    await lab.time.advance(1_000)
    assert.ok(leecher.dials.includes('192.0.2.9:9'))
  })

  it('closes the connection of who exchanges nonsense', async () => {
    const seeder = seederOf(PUBLIC)
    await lab.time.advance(1)
    const stranger = new Stranger(seeder, '192.0.2.1', 7_001, takes)
    stranger.say(4, new TextEncoder().encode('nonsense'))
    assert.match(stranger.closed, /malformed exchange/)
  })

  it('holds fifty peers of each family, written and read', () => {
    const many = Array.from({ length: EXCHANGED_MAX + 1 }, (_, at) => `10.0.0.${at}:1`)
    assert.equal(decodePeerExchange(encodePeerExchange(many, []))?.length, EXCHANGED_MAX)
    const added = Buffer.concat(many.map(() => compactOf('10.0.0.1', 1)?.bytes ?? new Uint8Array()))
    assert.equal(decodePeerExchange(encode({ added }))?.length, EXCHANGED_MAX)
    assert.equal(decodePeerExchange(encode([])), undefined)
    assert.deepEqual(decodePeerExchange(encode({ added: 5, added6: [] })), [])
    assert.deepEqual(decodePeerExchange(encodePeerExchange(['a.name:1'], [])), [])
  })
})

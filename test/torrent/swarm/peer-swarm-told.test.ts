import assert from 'node:assert/strict'
import type { NodeId, TorrentSources } from '../../../src/events/index.ts'
import type { MadeConnection } from '../../../src/torrent/engine.ts'
import type { PublicSources, SourceStatus } from '../../../src/torrent/sources/public-sources.ts'
import type { WantedPieces } from '../../../src/torrent/swarm.ts'
import { encodeHandshake } from '../../../src/torrent/wire/handshake.ts'
import { encodeBare, MESSAGE } from '../../../src/torrent/wire/messages.ts'
import { MemoryLink, madeUp, PIECE_BYTES, SwarmLab } from './swarm-lab.ts'

const PUBLIC: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: false, local: false }
const wanted = (...priorities: number[]): WantedPieces => ({
  ...{ priorities: Uint8Array.from(priorities), sequential: false, isFileWanted: () => true },
})

describe('what a swarm is told', () => {
  let lab: SwarmLab
  beforeEach(() => {
    lab = new SwarmLab()
  })
  const ready = (...peers: ReturnType<SwarmLab['peer']>[]) =>
    lab.until('they are ready', () => peers.every(({ swarm }) => swarm.status.isReady))

  it('is what it has, at which rates, and how much is left', async () => {
    const { metainfo, bytes } = madeUp(3, 1_000)
    const [seeder, leecher] = [lab.peer('seeder', metainfo, { has: bytes }), lab.peer('leecher', metainfo)]
    const stranger = lab.peer('stranger', metainfo, { knows: false })
    assert.deepEqual([leecher.swarm.leftBytes, leecher.swarm.status.isReady, leecher.swarm.status.isDone], [1, false, false])
    await ready(seeder, leecher)
    assert.equal(leecher.swarm.leftBytes, metainfo.sizeBytes, 'no more than there is')
    assert.deepEqual([seeder.swarm.leftBytes, seeder.swarm.status.isDone, seeder.completed], [0, true, 1])
    assert.equal(stranger.swarm.leftBytes, 1, 'nobody knows')
    lab.join(leecher, seeder)
    await lab.until('all is here', () => leecher.completed === 1)
    const [got, gave] = [leecher.swarm.status, seeder.swarm.status]
    assert.deepEqual([got.downloadedBytes, got.uploadedBytes, got.isDone], [metainfo.sizeBytes, 0, true])
    assert.deepEqual([gave.downloadedBytes, gave.uploadedBytes], [0, metainfo.sizeBytes])
    assert.ok(got.downloadBytesPerSecond > 0 && got.uploadBytesPerSecond === 0)
    assert.ok(gave.uploadBytesPerSecond > 0 && gave.downloadBytesPerSecond === 0)
    await lab.time.advance(20_000)
    assert.equal(leecher.swarm.status.downloadBytesPerSecond, 0)
  })

  it('is which pieces are wanted: it is done with them, and goes on when there are more', async () => {
    const { metainfo, bytes } = madeUp(4)
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    const leecher = lab.peer('leecher', metainfo, { swarm: { wanted: wanted(0, 2, 0, 0) } })
    await ready(seeder, leecher)
    assert.equal(leecher.swarm.leftBytes, PIECE_BYTES)
    lab.join(leecher, seeder)
    await lab.until('it has what is wanted', () => leecher.completed === 1)
    await lab.time.advance(5_000)
    assert.deepEqual([...leecher.written], [1])
    leecher.swarm.want(wanted(0, 2, 2, 0))
    assert.equal(leecher.swarm.status.isDone, false)
    await lab.until('it has more', () => leecher.completed === 2)
    assert.deepEqual([...leecher.written].sort(), [1, 2])
    leecher.swarm.want(wanted(0, 2, 0, 0))
    assert.equal(leecher.completed, 2, 'nothing more came')
    leecher.swarm.want(wanted(2, 2, 0, 0))
    leecher.swarm.want(wanted(0, 2, 0, 0))
    assert.equal(leecher.completed, 3, 'it is done again, without what is not wanted any more')
  })

  it('is a limit of what it takes', async () => {
    const { metainfo, bytes } = madeUp(8)
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    const leecher = lab.peer('leecher', metainfo)
    await ready(seeder, leecher)
    seeder.swarm.limit({ downloadBytesPerSecond: 0, uploadBytesPerSecond: 50_000 })
    lab.join(leecher, seeder)
    await lab.time.advance(4_000)
    const { uploadedBytes } = seeder.swarm.status
    assert.ok(uploadedBytes > 100_000 && uploadedBytes < 280_000, `${uploadedBytes}`)
    seeder.swarm.limit({ downloadBytesPerSecond: 0, uploadBytesPerSecond: 0 })
    await lab.until('without a limit it is quick', () => leecher.completed === 1, 5_000)
  })

  it('is of whom strangers speak, and who was found: each is dialled, but nobody twice', async () => {
    const { metainfo } = madeUp(1)
    const leecher = lab.peer('leecher', metainfo, { swarm: { dial: (endpoint) => leecher.dials.push(endpoint) } })
    await ready(leecher)
    leecher.swarm.found('10.0.0.1:1')
    leecher.swarm.told(['10.0.0.2:1', '10.0.0.3:1'])
    leecher.swarm.connect('10.0.0.4:1')
    leecher.swarm.connect('10.0.0.4:1')
    assert.deepEqual(leecher.dials, ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1', '10.0.0.4:1'])
    await leecher.swarm.close()
    leecher.swarm.connect('10.0.0.5:1')
    assert.equal(leecher.dials.length, 4)
  })

  it('dials nobody where there is no room for one more', async () => {
    const { metainfo } = madeUp(1)
    const leecher = lab.peer('leecher', metainfo, { swarm: { hasRoom: () => false } })
    await ready(leecher)
    leecher.swarm.connect('10.0.0.1:1')
    await lab.time.advance(10_000)
    assert.deepEqual(leecher.dials, [])
  })

  it('is a connection that was made, which is taken up only while it takes peers', async () => {
    const { metainfo } = madeUp(1)
    const adopted: MadeConnection[] = []
    let destroyed = 0
    const connection = { destroy: () => destroyed++ } as unknown as MadeConnection
    const leecher = lab.peer('leecher', metainfo, { swarm: { adopt: (each) => adopted.push(each) } })
    leecher.swarm.adopt(connection)
    assert.deepEqual([adopted.length, destroyed], [0, 1], 'its files are not open yet')
    await ready(leecher)
    leecher.swarm.adopt(connection)
    assert.deepEqual([adopted, destroyed], [[connection], 1])
    await leecher.swarm.close()
    leecher.swarm.adopt(connection)
    assert.deepEqual([adopted.length, destroyed], [1, 2])
  })

  it('is whether it is public: its sources are opened then, told that it is ready and complete, and closed', async () => {
    const { metainfo, bytes } = madeUp(1)
    const said: string[] = []
    const status = [{ kind: 'dht' }] as unknown as SourceStatus[]
    const openSources = ({ dht }: TorrentSources) => {
      said.push(`open ${dht}`)
      const close = async () => void said.push('close')
      return {
        ready: () => said.push('ready'),
        completed: () => said.push('completed'),
        close,
        status: () => status,
      } as unknown as PublicSources
    }
    const leecher = lab.peer('leecher', metainfo, { swarm: { sources: PUBLIC, openSources } })
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    assert.deepEqual([leecher.swarm.isPublic, leecher.swarm.sources()], [true, status])
    await lab.until('it is ready', () => leecher.swarm.status.isReady)
    assert.deepEqual(said, ['open false', 'ready'])
    leecher.swarm.setSources({ ...PUBLIC, dht: true })
    assert.deepEqual(said.splice(0), ['open false', 'ready', 'close', 'open true', 'ready'])
    lab.join(leecher, seeder)
    await lab.until('it has all', () => leecher.completed === 1)
    assert.deepEqual(said.splice(0), ['completed'])
    leecher.swarm.setSources({ ...PUBLIC, public: false })
    assert.deepEqual([said.splice(0), leecher.swarm.isPublic, leecher.swarm.sources()], [['close'], false, []])
    leecher.swarm.setSources(PUBLIC)
    await leecher.swarm.close()
    assert.deepEqual(said.splice(0), ['open false', 'ready', 'close'])
    leecher.swarm.setSources(PUBLIC)
    assert.deepEqual(said, [])
  })

  it('is of a problem, unless it is closed', async () => {
    const { metainfo, bytes } = madeUp(2)
    const broken = lab.peer('broken', metainfo, {
      swarm: { openFiles: async () => Promise.reject(new Error('no such disk')) },
    })
    await lab.time.advance(100)
    assert.deepEqual([broken.failed, broken.swarm.status.isReady], [['no such disk'], false])
    const odd = lab.peer('odd', metainfo, { swarm: { openFiles: async () => Promise.reject('a text') } })
    await lab.time.advance(100)
    assert.deepEqual(odd.failed, ['a text'])
    const refuse = async () => Promise.reject(new Error('it cannot be written'))
    const files = { read: refuse, write: refuse, createEmptyFiles: refuse, settle: refuse, close: async () => {} }
    const [seeder, leecher] = [
      lab.peer('seeder', metainfo, { has: bytes }),
      lab.peer('leecher', metainfo, { swarm: { openFiles: async () => ({ files, found: undefined }) } }),
    ]
    await ready(seeder, leecher)
    lab.join(leecher, seeder)
    await lab.until('it fails', () => leecher.failed.length > 0)
    assert.equal(leecher.failed[0], 'it cannot be written')
    assert.deepEqual(await leecher.swarm.settle([0]), [])
    assert.equal(leecher.failed.at(-1), 'it cannot be written')
    await leecher.swarm.close()
    const count = leecher.failed.length
    await leecher.swarm.settle([0])
    assert.equal(leecher.failed.length, count)
  })

  it('is who is admitted: who proves no key is closed after five seconds, others stay', async () => {
    const { metainfo, bytes } = madeUp(1)
    let isStrict = true
    const admits = (key: NodeId | undefined) => key !== undefined || !isStrict
    const one = lab.peer('one', metainfo, { has: bytes, swarm: { admits } })
    const two = lab.peer('two', metainfo)
    await ready(one, two)
    lab.join(two, one)
    const strangerOf = (name: string) => {
      const [raw, theirs] = [new MemoryLink(lab.time, 9, true), new MemoryLink(lab.time, 9, false)]
      raw.other = theirs
      theirs.other = raw
      theirs.attach(one.swarm)
      raw.send(encodeHandshake(Buffer.from(metainfo.infoHash, 'hex'), Buffer.alloc(20, name)))
      raw.send(encodeBare(MESSAGE.interested))
      return theirs
    }
    const stranger = strangerOf('s')
    await lab.time.advance(4_900)
    assert.equal(stranger.closed, false)
    await lab.time.advance(200)
    assert.deepEqual([stranger.closed, one.swarm.peers().map(({ id }) => id)], [true, [two.id]])
    const late = strangerOf('l')
    await lab.time.advance(1_000)
    isStrict = false
    await lab.time.advance(10_000)
    assert.equal(late.closed, false, 'nobody need prove one any more')
  })

  it('is which bans there are: who is banned is closed, and taken no more', async () => {
    const { metainfo, bytes } = madeUp(1)
    const [one, two] = [lab.peer('one', metainfo, { has: bytes }), lab.peer('two', metainfo, { has: bytes })]
    await ready(one, two)
    lab.join(two, one)
    await lab.until('they know each other', () => one.swarm.peers()[0]?.id === two.id)
    one.bans.ban(two.id)
    one.swarm.enforceBans()
    assert.deepEqual(one.swarm.peers(), [])
    lab.join(two, one)
    await lab.time.advance(1_000)
    assert.deepEqual(one.swarm.peers(), [])
  })

  it('closes its connections when it is closed, and takes none any more', async () => {
    const { metainfo, bytes } = madeUp(1)
    const [one, two] = [lab.peer('one', metainfo, { has: bytes }), lab.peer('two', metainfo, { has: bytes })]
    await ready(one, two)
    lab.join(two, one)
    await lab.time.advance(100)
    assert.equal(one.swarm.takesPeers, true)
    await one.swarm.close()
    await one.swarm.close()
    await lab.time.advance(100)
    assert.deepEqual([one.swarm.takesPeers, one.swarm.peers(), two.swarm.peers()], [false, [], []])
    lab.join(two, one)
    await lab.time.advance(1_000)
    assert.deepEqual([one.swarm.peers(), two.swarm.peers()], [[], []])
  })
})

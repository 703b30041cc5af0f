import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InfoHash, Millis } from '../../../src/events/index.ts'
import { downloadsIn } from '../../../src/projections/index.ts'
import { Torrents } from '../../../src/roles/client/torrents.ts'
import { magnetOf } from '../../../src/roles/magnet.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { createTcpEngine } from '../../../src/torrent/engine.tcp.ts'
import type { EngineLimits, TorrentEngine, TorrentStatus } from '../../../src/torrent/index.ts'
import { verifySignature } from '../../events/test-network.ts'
import { hash } from '../../projections/envelopes.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const ONE = hash('one')
const TWO = hash('two')

/** With the real engine on the virtual clock, which has no peers; what was moved is said for it. */
describe('the queue of a client', () => {
  let own: SmallLog
  let engine: TorrentEngine
  let torrents: Torrents
  let directory: string
  let configured: EngineLimits[]
  let moved: Map<InfoHash, number>
  /** Between the clock of the queue and that of its timers, ms. */
  let shift: number
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-queue-'))
    own = await openSmallLog()
    shift = 1_790_000_000_000
    moved = new Map()
    await newClient()
  })
  afterEach(async () => {
    await engine[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  const newClient = async () => {
    await engine?.[Symbol.asyncDispose]()
    const real = createTcpEngine({
      ...{ host: '127.0.0.1', port: 0, dhtBootstrap: [], clock: own.time, timers: own.time },
      identity: { id: own.id, sign: () => new Uint8Array(64), verify: verifySignature },
    })
    configured = []
    engine = new Proxy(real, {
      get(target, name) {
        if (name === 'status')
          return (infoHash: InfoHash): TorrentStatus | undefined => {
            const status = target.status(infoHash)
            return status && { ...status, uploadedBytes: status.uploadedBytes + (moved.get(infoHash) ?? 0) }
          }
        if (name === 'configure')
          return (limits: EngineLimits) => {
            configured.push(limits)
            target.configure(limits)
          }
        const member = Reflect.get(target, name, target) as unknown
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    await engine.start(new AbortController().signal)
    const downloads = () => own.states.state('downloads')
    torrents = new Torrents({
      ...{ appender: own.log, engine, timers: own.time, clock: { now: () => (own.time.now() + shift) as Millis }, directory },
      ...{ notices: new NoticeBoard(own.time), allowCorrupt: false, all: { public: false, dht: false, local: false } },
      downloads: () => downloadsIn(downloads()),
      download: (infoHash) => downloads().downloads.get(infoHash),
      settings: () => downloads().settings,
      unreached: () => 0,
    })
    const nothing = () => {}
    engine.listen({
      ...{ described: nothing, checked: nothing, stamped: nothing, changed: nothing, verified: nothing },
      ...{ judged: nothing, suspected: nothing, completed: nothing, failed: nothing, peer: nothing },
    })
    await torrents.restore()
  }
  const stateOf = (infoHash: string) => torrents.row(infoHash).state
  const passes = async (ms: number) => {
    await own.time.advance(ms)
    await torrents.planned()
  }

  it('lets a torrent wait, says for which, and lets it go on when its turn comes, also over a restart', async () => {
    await torrents.configure({ downloadsMax: 1 })
    await torrents.add({ magnet: magnetOf(ONE, 'One') })
    await passes(1)
    await torrents.add({ magnet: magnetOf(TWO, 'Two') })
    assert.deepEqual([stateOf(ONE), stateOf(TWO)], ['fetching-metadata', 'queued'])
    assert.equal(torrents.row(TWO).why, 'waits: 1 downloads now ("One")')
    await newClient()
    assert.deepEqual([stateOf(ONE), stateOf(TWO)], ['fetching-metadata', 'queued'])
    await torrents.pause(ONE)
    assert.deepEqual([stateOf(ONE), stateOf(TWO)], ['paused', 'fetching-metadata'])
    await torrents.resume(ONE)
    assert.deepEqual([stateOf(ONE), stateOf(TWO)], ['fetching-metadata', 'queued'])
    await torrents.remove(ONE, false)
    assert.equal(stateOf(TWO), 'fetching-metadata')
  })

  it('does not let all wait for one that nothing comes of', async () => {
    await torrents.configure({ downloadsMax: 1 })
    await torrents.add({ magnet: magnetOf(ONE, 'One') })
    await passes(1)
    await torrents.add({ magnet: magnetOf(TWO, 'Two') })
    await passes(50_000)
    assert.equal(stateOf(TWO), 'queued')
    await passes(30_000)
    assert.deepEqual([stateOf(ONE), stateOf(TWO)], ['fetching-metadata', 'fetching-metadata'])
    assert.match(torrents.row(ONE).why, /nothing came for a while/)
  })

  it('takes what waited up again when the limit is taken back', async () => {
    await torrents.configure({ downloadsMax: 1 })
    await torrents.add({ magnet: magnetOf(ONE, 'One') })
    await passes(1)
    await torrents.add({ magnet: magnetOf(TWO, 'Two') })
    await torrents.configure({ downloadsMax: 0 })
    assert.equal(stateOf(TWO), 'fetching-metadata')
    assert.equal(torrents.row(TWO).why, 'downloads: there is no limit on how many do')
  })

  it('ends a seed at its goal, by what it gave in all, and counts no byte twice over restarts', async () => {
    await writeFile(join(directory, 'song.bin'), Buffer.alloc(40_000, 1))
    const made = await engine.create([join(directory, 'song.bin')], {})
    await torrents.addOwn(made, 'Song')
    await torrents.configure({ ratioGoalPercent: 200 })
    const { infoHash } = made
    moved.set(infoHash, 50_000)
    await passes(300_000)
    assert.equal(torrents.row(infoHash).uploadedBytes, 50_000)
    moved.set(infoHash, 60_000)
    await torrents.stopQueue()
    moved.clear()
    await newClient()
    assert.equal(torrents.row(infoHash).uploadedBytes, 60_000)
    assert.notEqual(stateOf(infoHash), 'queued')
    moved.set(infoHash, 20_000)
    await passes(10_000)
    assert.equal(stateOf(infoHash), 'queued')
    assert.match(torrents.row(infoHash).why, /has given 2\.00 of its size/)
    await torrents.limit(infoHash, { ratioGoalPercent: 500 })
    assert.notEqual(stateOf(infoHash), 'queued')
    const sum = own.states.state('downloads').downloads.get(infoHash)?.uploadedBytes
    assert.equal(sum, 60_000)
  })

  it('changes rates when the schedule says so', async () => {
    const schedule = [
      { when: '0 8 * * *', downloadBytesPerSecond: 8, uploadBytesPerSecond: 0 },
      { when: '0 18 * * *', downloadBytesPerSecond: 18, uploadBytesPerSecond: 0 },
    ]
    await torrents.configure({ schedule, connectionsMax: 7, remoteUploadBytesPerSecond: 3 })
    const rateAt = async (hour: number) => {
      const date = new Date(own.time.now() + shift)
      date.setDate(date.getDate() + 1)
      date.setHours(hour, 0, 5, 0)
      shift = date.getTime() - own.time.now()
      await passes(10_000)
      return configured.at(-1)?.downloadBytesPerSecond
    }
    assert.equal(await rateAt(8), 8)
    assert.equal(await rateAt(18), 18)
    assert.equal(await rateAt(7), 18)
    assert.equal(configured.at(-1)?.connectionsMax, 7)
    assert.equal(configured.at(-1)?.remoteUploadBytesPerSecond, 3)
    assert.equal(torrents.limits().now.downloadBytesPerSecond, 18)
  })

  it('keeps what a start is told as a setting, once', async () => {
    await torrents.configureAtStart({ downloadBytesPerSecond: 5, uploadBytesPerSecond: undefined })
    await torrents.configureAtStart({ downloadBytesPerSecond: 5, uploadBytesPerSecond: undefined })
    const kinds: string[] = []
    for await (const { event } of own.log.read()) kinds.push(event.kind)
    assert.deepEqual(kinds, ['client.configured'])
    assert.equal(torrents.limits().settings.downloadBytesPerSecond, 5)
  })
})

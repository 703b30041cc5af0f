import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { downloadsIn } from '../../../src/projections/index.ts'
import { renamedText } from '../../../src/roles/client/renamed-files.ts'
import { Torrents } from '../../../src/roles/client/torrents.ts'
import { magnetOf } from '../../../src/roles/magnet.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { type Notice, ServiceError } from '../../../src/roles/services.ts'
import { createWebtorrentEngine } from '../../../src/torrent/engine.webtorrent.ts'
import type { TorrentEngine } from '../../../src/torrent/index.ts'
import { verifySignature } from '../../events/test-network.ts'
import { hash } from '../../projections/envelopes.ts'
import { file, multi, torrent } from '../../torrent/odd/odd-torrent.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const HOST = '127.0.0.1'
const magnet = magnetOf(hash('some torrent'), 'Some Torrent')
const infoHash = hash('some torrent')

/** With the real engine, which is not started: it keeps its torrents, and moves nothing. */
describe('torrents of a client', () => {
  let own: SmallLog
  let engine: TorrentEngine
  let torrents: Torrents
  let directory: string
  let notices: NoticeBoard
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-torrents-'))
    own = await openSmallLog()
    newEngine()
  })
  afterEach(async () => {
    await engine[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  const newEngine = () => {
    notices = new NoticeBoard(own.time)
    engine = createWebtorrentEngine({
      ...{ host: HOST, port: 0, dhtBootstrap: [], clock: own.time, timers: own.time },
      identity: { id: own.id, sign: () => new Uint8Array(64), verify: verifySignature },
    })
    const downloads = () => own.states.state('downloads')
    torrents = new Torrents({
      ...{ appender: own.log, engine, timers: own.time, clock: own.time, notices, directory, allowCorrupt: false },
      all: { public: false, dht: false, local: false },
      downloads: () => downloadsIn(downloads()),
      download: (infoHash) => downloads().downloads.get(infoHash),
      settings: () => downloads().settings,
      unreached: () => 0,
    })
    engine.listen({
      described: (metainfo) => torrents.news.described(metainfo),
      checked: (infoHash, found) => torrents.news.checked(infoHash, found),
      stamped: (infoHash, stamps) => torrents.news.stamped(infoHash, stamps),
      changed: (infoHash, change) => torrents.news.changed(infoHash, change),
      ...{ verified: () => {}, judged: () => {}, suspected: () => {}, completed: () => {}, failed: () => {}, peer: () => {} },
    })
  }
  const kinds = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { event } of own.log.read()) found.push(event.kind)
    return found
  }
  const code = (code: ServiceError['code'], sentence: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, sentence)
    return true
  }

  it('tell once which of their files are called otherwise on the disk', async () => {
    const bytes = torrent(multi([file(1, 'a.mp4'), file(1, 'a.mp4'), file(1, 'x/y'), file(1, ''), file(1, '', 'b')]))
    const told: Notice[] = []
    notices.onPosted((notice) => told.push(notice))
    const row = await torrents.add({ torrentFile: Buffer.from(bytes).toString('base64') })
    await torrents.settled()
    assert.equal(row.note, told[0]?.text)
    assert.deepEqual(
      told.map(({ text }) => text),
      [
        '"T": some of its names cannot stand as they are: "T/a.mp4" is "T/a.1.mp4", "T/x/y" is "T/xy", "T/" is "T/_.1", and 1 more',
      ],
    )
    assert.equal(renamedText({ name: 'T' }), undefined)
  })

  it('are recorded before what the engine tells of them in the same breath', async () => {
    await writeFile(join(directory, 'orbit.bin'), Buffer.alloc(50_000, 7))
    const made = await engine.create([join(directory, 'orbit.bin')], {})
    const torrentFile = Buffer.from(made.torrentFile).toString('base64')
    const row = await torrents.add({ torrentFile })
    await torrents.settled()
    assert.deepEqual(await kinds(), ['download.added', 'download.described'])
    assert.deepEqual([row.infoHash, row.name], [made.infoHash, 'orbit.bin'])
    await assert.rejects(torrents.add({ torrentFile }), code('failed', /here already/))
    assert.equal(torrents.rows().length, 1)
  })

  it('of a magnet link want the files that it asks for, and keep the trackers and web seeds that it names', async () => {
    const link = `${magnet}&so=1,3-4&tr=udp%3A%2F%2Ft.example%3A1%2Fannounce&ws=http%3A%2F%2Fw.example%2F&tr=nonsense`
    await torrents.add({ magnet: link })
    const { selection, sources } = own.states.state('downloads').downloads.get(infoHash) ?? {}
    assert.deepEqual(selection, { priorities: '02022', others: 0, sequential: false })
    const named = { trackers: ['udp://t.example:1/announce'], webSeeds: ['http://w.example/'] }
    assert.deepEqual(sources, { public: false, ...named, dht: false, local: false })
    assert.match(torrents.sources(infoHash).why ?? '', /only peers of this network/)
    // A caller over the control socket may say null for what it leaves out.
    const low = { files: null, priority: 'low', others: null, sequential: null } as unknown as { priority: 'low' }
    await torrents.select(infoHash, low)
    assert.equal(own.states.state('downloads').downloads.get(infoHash)?.selection?.priorities, '11111')
    const row = await torrents.changeSources(infoHash, { public: true, removeWebSeeds: ['http://w.example/'] })
    assert.deepEqual(
      [row.public, row.sources.map(({ url, state }) => [url, state])],
      [true, [['udp://t.example:1/announce', 'not-asked']]],
    )
  })

  it('that are added again get the trackers and web seeds that they did not have', async () => {
    await torrents.add({ magnet: `${magnet}&tr=udp%3A%2F%2Fone.example%3A1%2F` })
    const more = '&tr=udp%3A%2F%2Ftwo.example%3A1%2F&tr=wss%3A%2F%2Fbrowsers.example%2F&ws=http%3A%2F%2Fw.example%2F'
    await torrents.add({ magnet: magnet + more })
    const { sources } = own.states.state('downloads').downloads.get(infoHash) ?? {}
    assert.deepEqual(sources, {
      ...{ public: false, trackers: ['udp://one.example:1/', 'udp://two.example:1/'], webSeeds: ['http://w.example/'] },
      ...{ dht: false, local: false },
    })
    await assert.rejects(torrents.add({ magnet: magnet + more }), code('failed', /here already/))
    await torrents.add({ magnet, public: true })
    assert.equal(torrents.sources(infoHash).public, true)
    await torrents.add({ magnet, dht: true })
    const { public: isPublic, dht, local } = torrents.sources(infoHash)
    assert.deepEqual({ isPublic, dht, local }, { isPublic: true, dht: true, local: false })
    await assert.rejects(torrents.add({ magnet, dht: true }), code('failed', /here already/))
    const without = await torrents.changeSources(infoHash, { dht: false, local: true })
    assert.deepEqual([without.dht, without.local], [false, true])
  })

  it('that the log does not take are given back, so that adding again is possible', async () => {
    await own.log[Symbol.asyncDispose]()
    await assert.rejects(torrents.add({ magnet }), code('failed', /event log is closed/))
    assert.equal(engine.status(infoHash), undefined)
    assert.deepEqual(engine.list(), [])
  })

  it('are added, paused and removed when that is on the disk, and not before', async () => {
    const steps = [() => torrents.add({ magnet }), () => torrents.pause(infoHash), () => torrents.remove(infoHash, false)]
    for (const step of steps) {
      const { promise, resolve } = Promise.withResolvers<void>()
      own.disk.synced = promise
      let isDone = false
      const doing = step().then(() => {
        isDone = true
      })
      for (let turn = 0; turn < 20; turn++) await new Promise((next) => setImmediate(next))
      assert.equal(isDone, false)
      resolve()
      await doing
    }
    assert.deepEqual(await kinds(), ['download.added', 'download.paused', 'download.removed'])
  })

  it('come back after a restart as they were, paused ones paused', async () => {
    await torrents.add({ magnet })
    await torrents.pause(infoHash)
    const before = torrents.rows()
    newEngine()
    await torrents.restore()
    assert.deepEqual(torrents.rows(), before)
    assert.equal(torrents.row(infoHash).state, 'paused')
    await torrents.resume(infoHash.toUpperCase())
    await torrents.resume(infoHash)
    assert.deepEqual(await kinds(), ['download.added', 'download.paused', 'download.resumed'])
  })

  it('are refused with a sentence: nonsense, both, neither, unknown, not allowed', async () => {
    await assert.rejects(torrents.add({}), code('usage', /either/))
    await assert.rejects(torrents.add({ magnet, torrentFile: 'AAAA' }), code('usage', /either/))
    await assert.rejects(torrents.add({ magnet: 'magnet:?xt=nothing' }), code('failed', /./))
    await assert.rejects(torrents.add({ torrentFile: 'AAAA' }), code('failed', /./))
    await assert.rejects(torrents.pause(infoHash), code('failed', /no torrent with info hash/))
    await torrents.add({ magnet })
    assert.throws(() => torrents.corrupt(infoHash, 50), code('failed', /--allow-corrupt/))
    assert.equal(torrents.rows().length, 1)
  })

  it('can be removed where the engine lost them', async () => {
    await torrents.add({ magnet })
    newEngine()
    assert.equal(torrents.row(infoHash).state, 'failed')
    await assert.rejects(torrents.pause(infoHash), code('failed', /no torrent/))
    await torrents.remove(infoHash, false)
    assert.deepEqual(torrents.rows(), [])
  })

  it('that are removed and added again in the same breath are in the engine and in the log', async () => {
    await torrents.add({ magnet })
    // One with files and peers takes its time to close; what is added meanwhile waits for the log too.
    const { add, remove } = engine
    let isRemoving = false
    engine.remove = async (...words) => {
      isRemoving = true
      await remove.apply(engine, words)
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      isRemoving = false
    }
    engine.add = (...words) => {
      assert.equal(isRemoving, false)
      return add.apply(engine, words)
    }
    await Promise.all([torrents.remove(infoHash, false), torrents.add({ magnet })])
    assert.deepEqual(await kinds(), ['download.added', 'download.removed', 'download.added'])
    assert.deepEqual([torrents.rows().length, engine.list().length], [1, 1])
    await torrents.remove(infoHash, false)
    assert.deepEqual([torrents.rows().length, engine.list().length], [0, 0])
  })

  it('are followed by rows until they are removed, and the follower’s timer ends with it', async () => {
    await torrents.add({ magnet })
    const rows = torrents.follow(infoHash.toUpperCase())
    const first = await own.time.wait(rows.next())
    assert.equal(first.value.infoHash, infoHash)
    const next = rows.next()
    next.catch(() => {})
    await torrents.remove(infoHash, false)
    await assert.rejects(own.time.wait(next), code('failed', /was removed/))
    assert.deepEqual(await rows.next(), { done: true, value: undefined })
  })
})

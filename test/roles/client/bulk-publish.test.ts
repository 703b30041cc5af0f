import assert from 'node:assert/strict'
import { appendFile, chmod, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { downloadsIn } from '../../../src/projections/index.ts'
import { publishMany } from '../../../src/roles/client/bulk-publish.ts'
import { OwnClaims } from '../../../src/roles/client/own-claims.ts'
import { Publications } from '../../../src/roles/client/publications.ts'
import { Publisher } from '../../../src/roles/client/publisher.ts'
import { Torrents } from '../../../src/roles/client/torrents.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import type { BulkItem, BulkOutcome, BulkProgress, BulkRequest } from '../../../src/roles/services.ts'
import { createWebtorrentEngine } from '../../../src/torrent/engine.webtorrent.ts'
import { TORRENT_FILE_BYTES_MAX, type TorrentEngine } from '../../../src/torrent/index.ts'
import { verifySignature } from '../../events/test-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

/** With the real engine, which is not started, and no index node in sight. */
describe('publishing many', () => {
  let own: SmallLog
  let engine: TorrentEngine
  let torrents: Torrents
  let publisher: Publisher
  let folder: string
  /** Drafts of each write to the log. */
  let writes: number[]
  /** Paths that were hashed. */
  let hashed: string[]
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2pt-bulk-'))
    await mkdir(dataDirectory())
    own = await openSmallLog()
    writes = []
    hashed = []
    engine = createWebtorrentEngine({
      ...{ host: '127.0.0.1', port: 0, dhtBootstrap: [], clock: own.time, timers: own.time },
      identity: { id: own.id, sign: () => new Uint8Array(64), verify: verifySignature },
    })
    const create = engine.create.bind(engine)
    engine.create = (paths, options) => {
      hashed.push(...paths.map((path) => basename(path)))
      return create(paths, options)
    }
    const appender: SmallLog['log']['append'] = (drafts, options) => {
      writes.push(drafts.length)
      return own.log.append(drafts, options)
    }
    const downloads = () => own.states.state('downloads')
    torrents = new Torrents({
      ...{ appender: { append: appender }, engine, timers: own.time, notices: new NoticeBoard(own.time), directory: folder },
      ...{ allowCorrupt: false, all: { public: false, dht: false, local: false } },
      ...{ downloads: () => downloadsIn(downloads()), unreached: () => 0 },
      ...{ clock: own.time, settings: () => downloads().settings },
      download: (infoHash) => downloads().downloads.get(infoHash),
    })
    engine.listen({
      ...{ described: () => {}, checked: () => {}, stamped: () => {}, changed: () => {}, verified: () => {} },
      ...{ judged: () => {}, suspected: () => {}, completed: () => {}, failed: () => {}, peer: () => {} },
    })
    const map = liveIndexMap(own.states)
    const claims = new OwnClaims(own.id, map)
    own.log.onAppended((envelopes) => claims.apply(envelopes))
    const publications = new Publications({
      ...{ log: own.log, timers: own.time, ownersOf: map.ownersOf, current: () => claims.publications() },
      overlay: { request: () => assert.fail('there is nobody to ask') },
      onProblem: (text) => assert.fail(text),
    })
    publisher = new Publisher({ appender: { append: appender }, map, publications, claims })
  })
  afterEach(async () => {
    await engine[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const dataDirectory = () => join(folder, 'data')
  const at = (...names: string[]) => join(folder, ...names)
  const call = (request: BulkRequest) => publishMany(request, { engine, torrents, publisher, dataDirectory: dataDirectory() })
  const publish = async (items: BulkItem[], more: Partial<BulkRequest> = {}): Promise<BulkOutcome[]> => {
    const running = call({ items, ...more })
    for (;;) {
      const step = await running.next()
      if (step.done === true) return step.value
    }
  }
  const one = async (item: BulkItem, more: Partial<BulkRequest> = {}) => (await publish([item], more))[0] ?? assert.fail()
  const file = async (name: string, bytes = 3_000) => {
    await writeFile(at(name), Buffer.alloc(bytes, name))
    return at(name)
  }
  const titles = (outcomes: readonly BulkOutcome[]) =>
    outcomes.map((each) => (each.outcome === 'failed' ? each.reason : `${each.outcome} ${each.title}`))
  const events = async () => {
    const found: string[] = []
    for await (const { event } of own.log.read()) found.push(event.kind)
    return found
  }

  it('makes a torrent of each, and tells the log and the index of several at once', async () => {
    const paths: string[] = []
    for (let count = 0; count < 48; count++) paths.push(await file(`quiet orbit ${count}.bin`))
    const outcomes = await publish(paths.map((path) => ({ path })))
    assert.deepEqual(
      titles(outcomes),
      paths.map((path) => `published ${basename(path)}`),
    )
    assert.equal(torrents.rows().length, 48)
    assert.equal((await events()).filter((kind) => kind === 'torrent.published').length, 48)
    assert.equal(
      writes.reduce((sum, drafts) => sum + drafts, 0),
      6 * 48,
    )
    assert.ok(writes.length <= 24, `${writes.length} writes`)
    const [first] = outcomes
    assert.ok(first?.outcome === 'published')
    assert.deepEqual([first.acknowledged, first.pending], [false, 1])
  })

  it('says of each what is wrong with it, and goes on with the rest', async () => {
    const items = [
      { path: await file('a.bin') },
      { path: at('gone.bin') },
      { path: await file('b.bin'), title: '***' },
      { path: await file('c.bin'), tags: [' '] },
      { path: dataDirectory() },
      { path: await file('empty.bin', 0) },
      { path: await file('d.bin'), title: 'Low orbit', tags: ['film'] },
    ]
    const outcomes = titles(await publish(items))
    const expected = [
      /^published a\.bin$/,
      /^there is no readable file or folder .*gone\.bin/,
      /^"\*\*\*" has no word to be found by/,
      /^at most \d+ tags, each of 1/,
      /belongs to the data directory of a node|holds the data directory/,
      /holds no data$/,
      /^published Low orbit$/,
    ]
    assert.equal(outcomes.length, expected.length)
    for (const [place, pattern] of expected.entries()) assert.match(outcomes[place] ?? '', pattern)
    assert.deepEqual(
      torrents
        .rows()
        .map(({ name }) => name)
        .sort(),
      ['a.bin', 'd.bin'],
    )
  })

  it('takes files that are named twice, or are the same, once', async () => {
    await mkdir(at('copy'))
    const path = await file('a.bin')
    await writeFile(at('copy', 'a.bin'), Buffer.alloc(3_000, 'a.bin'))
    const outcomes = await publish([{ path }, { path }, { path: at('copy', 'a.bin') }])
    assert.deepEqual(titles(outcomes), Array(3).fill('published a.bin'))
    assert.deepEqual([torrents.rows().length, engine.list().length], [1, 1])
  })

  describe('what was published before', () => {
    it('is passed over, and nothing of it is hashed or said', async () => {
      await mkdir(at('album'))
      await writeFile(at('album', '1.ogg'), 'one')
      await writeFile(at('album', 'empty'), '')
      const items = [{ path: await file('a.bin') }, { path: at('album'), title: 'Songs', tags: ['folk'] }]
      assert.deepEqual(titles(await publish(items)), ['published a.bin', 'published Songs'])
      await symlink(at('a.bin'), at('link.bin'))
      hashed = []
      const before = await events()
      const again = [...items, { path: at('album') }, { path: at('link.bin') }, { path: `${folder}/./album/../a.bin` }]
      assert.deepEqual(titles(await publish(again)), [
        ...['unchanged a.bin', 'unchanged Songs', 'unchanged Songs'],
        ...['unchanged a.bin', 'unchanged a.bin'],
      ])
      assert.deepEqual([hashed, await events()], [[], before])
    })

    const isTakenAgain = async (change: () => Promise<unknown>, item: Partial<BulkItem> = {}) => {
      await mkdir(at('album'))
      await writeFile(at('album', '0.ogg'), 'nought')
      await writeFile(at('album', '1.ogg'), 'one')
      await one({ path: at('album') })
      hashed = []
      await change()
      const outcome = await one({ path: at('album'), ...item })
      assert.deepEqual([outcome.outcome, hashed], ['published', ['album']])
    }
    const changes: Record<string, () => Promise<unknown>> = {
      'another size': () => appendFile(at('album', '1.ogg'), 'x'),
      'another time': () => utimes(at('album', '1.ogg'), 1, 1),
      'a touch that only its ctime shows': () => chmod(at('album', '1.ogg'), 0o600),
      'another file in the folder': () => writeFile(at('album', '2.ogg'), 'two'),
      'an empty file in the folder': () => writeFile(at('album', 'empty'), ''),
      'one of its files is emptied': () => truncate(at('album', '0.ogg'), 0),
      'one of its files is gone': () => rm(at('album', '0.ogg')),
      'a file of it under another name': () => rename(at('album', '1.ogg'), at('album', '2.ogg')),
    }
    for (const [what, change] of Object.entries(changes)) it(`is hashed again after ${what}`, () => isTakenAgain(change))

    it('is said again under another title, or with other tags', async () => {
      await isTakenAgain(async () => {}, { title: 'Songs' })
      assert.equal((await one({ path: at('album'), title: 'Songs', tags: ['folk'] })).outcome, 'published')
      assert.equal((await one({ path: at('album'), title: 'Songs', tags: ['folk'] })).outcome, 'unchanged')
      assert.equal((await one({ path: at('album'), title: 'Songs', tags: ['fo', 'lk'] })).outcome, 'published')
    })

    it('is said again after it was taken back, paused or removed', async () => {
      const path = await file('a.bin')
      const first = await one({ path })
      assert.ok(first.outcome === 'published')
      const { infoHash } = torrents.rows()[0] ?? assert.fail()
      await publisher.withdraw(infoHash as Parameters<Publisher['withdraw']>[0])
      assert.equal((await one({ path })).outcome, 'published')
      await torrents.pause(infoHash)
      assert.equal((await one({ path })).outcome, 'published')
      await torrents.remove(infoHash, false)
      assert.equal((await one({ path })).outcome, 'published')
      assert.equal((await one({ path })).outcome, 'unchanged')
    })

    it('as a plain torrent is made anew where a hybrid one is wanted', async () => {
      const path = await file('a.bin')
      assert.equal((await one({ path })).outcome, 'published')
      assert.equal((await one({ path }, { hybrid: true })).outcome, 'published')
      assert.equal((await one({ path }, { hybrid: true })).outcome, 'unchanged')
    })
  })

  describe('of a torrent file', () => {
    const described = async () => {
      await mkdir(at('data of it'))
      await mkdir(at('data of it', 'album'))
      await writeFile(at('data of it', 'album', '1.ogg'), Buffer.alloc(40_000, 1))
      await writeFile(at('data of it', 'album', '2.ogg'), Buffer.alloc(40_000, 2))
      const { torrentFile, infoHash } = await engine.create([at('data of it', 'album')], {})
      await writeFile(at('album.torrent'), torrentFile)
      hashed = []
      return { item: { path: at('album.torrent'), directory: at('data of it') }, infoHash }
    }

    it('takes what it describes, where all of it stands, and passes over it the next time', async () => {
      const { item, infoHash } = await described()
      const outcome = await one({ ...item, title: 'Songs of the sea' })
      assert.deepEqual(titles([outcome]), ['published Songs of the sea'])
      assert.ok(outcome.outcome === 'published')
      assert.equal(outcome.infoHash, infoHash)
      assert.equal(torrents.row(infoHash).piecesVerified, torrents.row(infoHash).pieceCount)
      const before = await events()
      assert.equal((await one(item)).outcome, 'unchanged')
      assert.deepEqual([await events(), hashed], [before, []])
    })

    it('looks for its files beside it where nothing else is said', async () => {
      const { item, infoHash } = await described()
      await rename(at('data of it', 'album'), at('album'))
      const outcome = await one({ path: item.path })
      assert.ok(outcome.outcome === 'published')
      assert.equal(torrents.row(infoHash).directory, folder)
    })

    it('refuses what does not stand there whole, and downloads nothing', async () => {
      const { item } = await described()
      const reason = async () => titles([await one(item)])[0] ?? ''
      await writeFile(at('data of it', 'album', '2.ogg'), Buffer.alloc(40_000, 3))
      assert.match(await reason(), /^"album" cannot be offered: \d+ of its \d+ pieces are others in /)
      await truncate(at('data of it', 'album', '2.ogg'), 39_999)
      assert.match(await reason(), /^"album" cannot be offered: .*2\.ogg is not a file of 40000 bytes$/)
      await rm(at('data of it', 'album', '2.ogg'))
      assert.match(await reason(), /^"album" cannot be offered: .*2\.ogg is not there$/)
      await rm(at('data of it'), { recursive: true })
      assert.match(await reason(), /^there is no readable folder .*data of it/)
      assert.deepEqual([engine.list(), await events()], [[], []])
    })

    it('refuses one whose files are in a data directory, and what is none', async () => {
      const { item } = await described()
      await writeFile(join(dataDirectory(), 'node.json'), '{}')
      await writeFile(join(dataDirectory(), 'key.seed'), Buffer.alloc(32))
      const inside = await one({ ...item, directory: dataDirectory() })
      assert.match(titles([inside])[0] ?? '', /belongs to the data directory of a node/)
      await writeFile(item.path, 'no torrent')
      assert.equal((await one(item)).outcome, 'failed')
      await truncate(item.path, TORRENT_FILE_BYTES_MAX + 1)
      assert.match(titles([await one(item)])[0] ?? '', /is not a torrent file: it is longer than/)
      assert.deepEqual(engine.list(), [])
    })
  })

  it('tells how much is through and hashed', async () => {
    const paths = await Promise.all(['a.bin', 'b.bin', 'c.bin'].map((name) => file(name, 2_000_000)))
    const running = call({ items: paths.map((path) => ({ path })) })
    let last: BulkProgress | undefined
    for await (const progress of running) last = progress
    assert.deepEqual(last, { done: 3, bytes: 6_000_000 })
  })

  it('begins with no further one once nobody waits any more, and what was begun is whole', async () => {
    const paths: string[] = []
    for (let count = 0; count < 60; count++) paths.push(await file(`orbit ${count}.bin`))
    const { promise: begun, resolve } = Promise.withResolvers<void>()
    const create = engine.create
    engine.create = (...of) => {
      if (hashed.length === 20) resolve()
      return create(...of)
    }
    const running = call({ items: paths.map((path) => ({ path })) })
    const next = running.next()
    await begun
    await running.return([])
    await next
    for (let turn = 0; turn < 200; turn++) await new Promise((done) => setImmediate(done))
    assert.ok(hashed.length < 60, `${hashed.length} were hashed`)
    const all = await events()
    const count = (kind: string) => all.filter((each) => each === kind).length
    assert.equal(count('torrent.published'), count('download.added'))
    assert.equal(engine.list().length, count('download.added'))
    const again = await publish(paths.map((path) => ({ path })))
    assert.equal(again.filter(({ outcome }) => outcome === 'unchanged').length, count('download.added'))
    assert.equal(again.filter(({ outcome }) => outcome === 'failed').length, 0)
  })

  it('that the log does not take stays out of the engine, with the reason', async () => {
    own.disk.isFull = true
    const outcomes = await publish([{ path: await file('a.bin') }, { path: await file('b.bin') }])
    for (const reason of titles(outcomes)) assert.match(reason, /no space left on device/)
    assert.deepEqual([engine.list(), torrents.rows()], [[], []])
    own.disk.isFull = false
    assert.equal((await one({ path: at('a.bin') })).outcome, 'published')
  })
})

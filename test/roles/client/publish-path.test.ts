import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TAG_BYTES_MAX, TAGS_MAX, TITLE_BYTES_MAX } from '../../../src/events/index.ts'
import { downloadsIn } from '../../../src/projections/index.ts'
import { OwnClaims } from '../../../src/roles/client/own-claims.ts'
import { Publications } from '../../../src/roles/client/publications.ts'
import { publishPath } from '../../../src/roles/client/publish-path.ts'
import { Publisher } from '../../../src/roles/client/publisher.ts'
import { Torrents } from '../../../src/roles/client/torrents.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { magnetOf } from '../../../src/roles/magnet.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import type { PublishProgress, PublishRequest, PublishResult } from '../../../src/roles/services.ts'
import { createWebtorrentEngine } from '../../../src/torrent/engine.webtorrent.ts'
import type { TorrentEngine } from '../../../src/torrent/index.ts'
import { verifySignature } from '../../events/test-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

/** With the real engine, which is not started, and no index node in sight. */
describe('publishing a path', () => {
  let own: SmallLog
  let engine: TorrentEngine
  let torrents: Torrents
  let publisher: Publisher
  let folder: string
  let path: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'p2pt-publish-'))
    await mkdir(dataDirectory())
    path = join(folder, 'quiet orbit.bin')
    await writeFile(path, Buffer.alloc(50_000, 7))
    own = await openSmallLog()
    engine = createWebtorrentEngine({
      ...{ host: '127.0.0.1', port: 0, dhtBootstrap: [], clock: own.time, timers: own.time },
      identity: { id: own.id, sign: () => new Uint8Array(64), verify: verifySignature },
    })
    const downloads = () => own.states.state('downloads')
    torrents = new Torrents({
      ...{ appender: own.log, engine, timers: own.time, notices: new NoticeBoard(own.time), directory: folder },
      ...{
        allowCorrupt: false,
        all: { public: false, dht: false, local: false },
        downloads: () => downloadsIn(downloads()),
        unreached: () => 0,
      },
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
    publisher = new Publisher({ appender: own.log, map, publications, claims })
  })
  afterEach(async () => {
    await engine[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const dataDirectory = () => join(folder, 'data')
  const publish = async (request: Partial<PublishRequest> = {}) => {
    const call = publishPath({ path, ...request }, { engine, torrents, publisher, dataDirectory: dataDirectory() })
    const told: PublishProgress[] = []
    for (;;) {
      const step = await call.next()
      if (step.done === true) return { ...(step.value as PublishResult), told }
      told.push(step.value)
    }
  }
  const kinds = async () => {
    const found: string[] = []
    for await (const { event } of own.log.read()) found.push(event.kind)
    return found
  }

  it('makes a torrent of it, seeds it and says so to the index, under its name', async () => {
    const { infoHash, title, magnet, sizeBytes, replaces, pending, acknowledged, skipped } = await publish()
    assert.deepEqual([title, sizeBytes, replaces], ['quiet orbit.bin', 50_000, null])
    assert.equal(magnet, magnetOf(infoHash, title))
    assert.deepEqual([pending, acknowledged], [1, false])
    assert.deepEqual(skipped, {
      hidden: { count: 0, first: [] },
      links: { count: 0, first: [] },
      special: { count: 0, first: [] },
    })
    assert.equal(torrents.row(infoHash).infoHash, infoHash)
    const claim = publisher.claimOf(engine.list()[0]?.infoHash ?? assert.fail())
    assert.deepEqual([claim?.infoHash, claim?.title, claim?.tags], [infoHash, title, []])
    assert.equal((await kinds()).at(-1), 'torrent.published')
  })

  it('keeps the title and tags of the same content published before where none are said, and says what it replaces', async () => {
    await publish({ title: 'A quiet orbit', tags: ['film', 'hd'] })
    const again = await publish()
    assert.deepEqual([again.title, again.replaces], ['A quiet orbit', null])
    const renamed = await publish({ title: 'Low orbit', tags: ['4k'] })
    assert.deepEqual([renamed.title, renamed.replaces], ['Low orbit', 'A quiet orbit'])
    const published: unknown[] = []
    for await (const { event } of own.log.read())
      if (event.kind === 'torrent.published') published.push([event.title, event.tags])
    assert.deepEqual(published, [
      ['A quiet orbit', ['film', 'hd']],
      ['A quiet orbit', ['film', 'hd']],
      ['Low orbit', ['4k']],
    ])
  })

  it('takes so many tags, and so long ones, and not one more', async () => {
    const tag = 'x'.repeat(TAG_BYTES_MAX)
    await publish({ tags: Array.from({ length: TAGS_MAX }, () => tag) })
    const events = (await kinds()).length
    const refusal = { code: 'usage', message: `at most ${TAGS_MAX} tags, each of 1 to ${TAG_BYTES_MAX} bytes` }
    const wrong = [
      Array.from({ length: TAGS_MAX + 1 }, () => 'x'),
      [`${tag}x`],
      ['é'.repeat(TAG_BYTES_MAX / 2 + 1)],
      [''],
      [' '],
    ]
    for (const tags of wrong) await assert.rejects(publish({ tags }), refusal)
    assert.equal((await kinds()).length, events)
  })

  it('takes a title of so many bytes, and not one more', async () => {
    const refusal = { code: 'usage', message: `a title has at most ${TITLE_BYTES_MAX} bytes` }
    await assert.rejects(publish({ title: 'x'.repeat(TITLE_BYTES_MAX + 1) }), refusal)
    await assert.rejects(publish({ title: 'é'.repeat(TITLE_BYTES_MAX / 2 + 1) }), refusal)
    assert.deepEqual(await kinds(), [])
    assert.equal((await publish({ title: 'x'.repeat(TITLE_BYTES_MAX) })).title.length, TITLE_BYTES_MAX)
  })

  it('says no half of a character: what stands for one is in its place', async () => {
    assert.equal((await publish({ title: 'Quiet \ud83d orbit', tags: ['\udc00hd'] })).title, 'Quiet \ufffd orbit')
  })

  it('refuses a title that nobody could find, and seeds nothing', async () => {
    await assert.rejects(publish({ title: '***' }), { code: 'usage', message: /has no word to be found by/ })
    assert.deepEqual([engine.list(), await kinds()], [[], []])
  })

  it('says what is wrong with a path', async () => {
    await assert.rejects(publish({ path: join(folder, 'nothing here') }), { name: 'ServiceError', code: 'failed' })
  })

  it('says nothing and seeds nothing once nobody waits for it any more', async () => {
    const { promise: created, resolve } = Promise.withResolvers<void>()
    const slow: Pick<TorrentEngine, 'create'> = {
      async create(...of) {
        const made = await engine.create(...of)
        resolve()
        await new Promise((next) => setImmediate(next))
        return made
      },
    }
    const parts = { engine: slow as TorrentEngine, torrents, publisher, dataDirectory: dataDirectory() }
    const call = publishPath({ path }, parts)
    const next = call.next()
    await created
    await call.return(undefined as never)
    await next
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([engine.list(), await kinds()], [[], []])
  })
})

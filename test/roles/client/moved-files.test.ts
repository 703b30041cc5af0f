import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Event } from '../../../src/events/index.ts'
import { systemClock, systemTimers } from '../../../src/events/model/time.system.ts'
import { downloadsIn } from '../../../src/projections/index.ts'
import { Torrents } from '../../../src/roles/client/torrents.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import { createTcpEngine } from '../../../src/torrent/engine.tcp.ts'
import type { TorrentEngine } from '../../../src/torrent/index.ts'
import { verifySignature } from '../../events/test-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const HOST = '127.0.0.1'

/** A client's torrents with a real engine, a real log and real files. */
describe('files that a client moves', () => {
  let own: SmallLog
  let engine: TorrentEngine
  let torrents: Torrents
  let root: string
  const engines: TorrentEngine[] = []
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'p2pt-moved-'))
    for (const name of ['old', 'data']) await mkdir(join(root, name))
    own = await openSmallLog()
    await start()
  })
  afterEach(async () => {
    for (const each of engines.splice(0)) await each[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
    await rm(root, { recursive: true, force: true })
  })

  /** As after a restart: the log stays, everything else is new. */
  const start = async () => {
    await engine?.[Symbol.asyncDispose]()
    engine = createTcpEngine({
      ...{ host: HOST, port: 0, dhtBootstrap: [], clock: systemClock, timers: systemTimers },
      identity: { id: own.id, sign: () => new Uint8Array(64), verify: verifySignature },
    })
    engines.push(engine)
    const downloads = () => own.states.state('downloads')
    torrents = new Torrents({
      ...{ appender: own.log, engine, timers: own.time, clock: own.time, notices: new NoticeBoard(own.time) },
      ...{
        directory: join(root, 'old'),
        dataDirectory: join(root, 'data'),
        allowCorrupt: false,
        all: { public: false, dht: false, local: false },
      },
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
      verified: (infoHash, pieces) => torrents.news.verified(infoHash, pieces),
      completed: (infoHash) => void torrents.news.completed(infoHash),
      failed: (infoHash, problem) => torrents.news.failed(infoHash, problem),
      ...{ judged: () => {}, suspected: () => {}, peer: () => {} },
    })
    await engine.start(new AbortController().signal)
    await torrents.restore()
  }
  const eventually = async (what: () => boolean) => {
    const end = performance.now() + 15_000
    while (!what()) {
      if (performance.now() > end) throw new Error(`never: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const kindsOfMoves = async (): Promise<string[]> => {
    const found: string[] = []
    await torrents.settled()
    for await (const { event } of own.log.read()) found.push((event as Event).kind)
    return found.filter((kind) => /moving|moved|tidied|changed/.test(kind)).map((kind) => kind.slice('download.'.length))
  }
  const result = async <R>(call: AsyncGenerator<unknown, R, void>): Promise<R> => {
    for (;;) {
      const step = await call.next()
      if (step.done === true) return step.value
    }
  }
  const refused = (work: Promise<unknown>, code: ServiceError['code'], text: RegExp) =>
    assert.rejects(work, (error: unknown) => {
      assert.ok(error instanceof ServiceError, String(error))
      assert.equal(error.code, code)
      assert.match(error.message, text)
      return true
    })
  const album = async () => {
    for (const name of ['one.bin', 'cd/two.bin']) {
      const path = join(root, 'old', 'album', name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, randomBytes(100_000))
    }
    const made = await engine.create([join(root, 'old', 'album')], {})
    await torrents.addOwn(made, 'Album')
    await eventually(() => torrents.row(made.infoHash).state === 'seeding')
    return made
  }
  const seeding = (infoHash: string) => eventually(() => torrents.row(infoHash).state === 'seeding')

  it('are where they were put after a restart, under the names they were given', async () => {
    const { infoHash } = await album()
    const directory = join(root, 'new', 'music')
    const row = await result(torrents.move(infoHash, directory))
    assert.deepEqual([row.directory, row.name, row.problem], [directory, 'album', null])
    await result(torrents.move(infoHash, directory))
    await torrents.rename(infoHash, 'album', 'My album')
    await torrents.rename(infoHash, 'cd/two.bin', '2.bin')
    await torrents.rename(infoHash, '2.bin', 'zwei')
    assert.deepEqual(await kindsOfMoves(), Array(4).fill(['moving', 'moved', 'tidied']).flat())
    await start()
    await seeding(infoHash)
    assert.deepEqual((await torrents.files(infoHash)).map(({ path }) => path).sort(), ['My album/cd/zwei', 'My album/one.bin'])
    assert.deepEqual(await readdir(join(root, 'old')), [])
    assert.equal(
      await result(torrents.recheck(infoHash)).then(({ piecesVerified, pieceCount }) => pieceCount - piecesVerified),
      0,
    )
    assert.deepEqual((await kindsOfMoves()).includes('changed'), false)
    await result(torrents.move(infoHash, join(root, 'old')))
    await torrents.rename(infoHash, '1', 'cd')
    const names = await readdir(join(root, 'old', 'My album'))
    assert.equal(names.length, 2)
  })

  const move = async (infoHash: Parameters<TorrentEngine['status']>[0] & string, ...kinds: string[]) => {
    for (const kind of kinds) {
      const event =
        kind === 'download.moving' ? { kind, infoHash, directory: join(root, 'new'), names: [] } : { kind, infoHash }
      await own.log.append([{ event: event as unknown as Event }], { durable: true })
    }
  }

  it('are taken away where they only were to be, when the node died before all of them were there', async () => {
    const { infoHash } = await album()
    const place = (await engine.files(infoHash)).find(({ path }) => path === 'album/one.bin')?.file
    await engine[Symbol.asyncDispose]()
    await move(infoHash, 'download.moving')
    await mkdir(join(root, 'new', 'album'), { recursive: true })
    await link(join(root, 'old', 'album', 'one.bin'), join(root, 'new', 'album', 'one.bin'))
    await writeFile(join(root, 'new', 'album', `.p2pt-${infoHash.slice(0, 16)}-${place}.part`), 'half of a copy')
    await start()
    await seeding(infoHash)
    assert.equal(torrents.row(infoHash).directory, join(root, 'old'))
    assert.deepEqual(await readdir(join(root, 'new')), [])
    assert.deepEqual(await kindsOfMoves(), ['moving', 'tidied'])
  })

  it('are taken away, or brought, from where they were, when the node died after the log had the new place', async () => {
    const { infoHash } = await album()
    const bytes = await readFile(join(root, 'old', 'album', 'one.bin'))
    await engine[Symbol.asyncDispose]()
    await mkdir(join(root, 'new', 'album'), { recursive: true })
    await link(join(root, 'old', 'album', 'one.bin'), join(root, 'new', 'album', 'one.bin'))
    await move(infoHash, 'download.moving', 'download.moved')
    await start()
    await seeding(infoHash)
    assert.equal(torrents.row(infoHash).directory, join(root, 'new'))
    assert.deepEqual(await readdir(join(root, 'old')), [])
    assert.deepEqual(await readFile(join(root, 'new', 'album', 'one.bin')), bytes)
    assert.deepEqual(await kindsOfMoves(), ['moving', 'moved', 'tidied'])
  })

  it('are not taken up while the folder they went to is missing, and are at the start when it is there', async () => {
    const { infoHash } = await album()
    await engine[Symbol.asyncDispose]()
    await move(infoHash, 'download.moving', 'download.moved')
    await start()
    assert.match(torrents.row(infoHash).problem ?? '', /new is not there, and file \d of the torrent is still at/)
    await refused(result(torrents.move(infoHash, join(root, 'x'))), 'failed', /was not taken up/)
    await mkdir(join(root, 'new'))
    await start()
    await seeding(infoHash)
    assert.deepEqual([await readdir(join(root, 'old')), await readdir(join(root, 'new'))], [[], ['album']])
  })

  it('stay where they are when the caller leaves, and when what was asked for cannot be', async () => {
    const { infoHash } = await album()
    const call = torrents.move(infoHash, join(root, 'new'))
    await call.return(undefined as never)
    const usage: [Promise<unknown>, RegExp][] = [
      [result(torrents.move(infoHash, 'relative')), /no absolute path/],
      [result(torrents.move(infoHash, `/${'x'.repeat(4_096)}`)), /no absolute path/],
      [result(torrents.move(infoHash, '/a\0b')), /no absolute path/],
      [torrents.rename(infoHash, '3', 'x'), /no file of the torrent is "3"/],
      [torrents.rename(infoHash, 'one', 'x'), /no file of the torrent is "one"/],
      [torrents.rename(infoHash, '1', ''), /no name of a file/],
    ]
    for (const [work, text] of usage) await refused(work, 'usage', text)
    await refused(result(torrents.move('0'.repeat(40), root)), 'failed', /no torrent with info hash/)
    await refused(torrents.rename(infoHash, '1', 'a/b'), 'failed', /has no slash/)
    await refused(result(torrents.move(infoHash, join(root, 'data'))), 'failed', /belongs to the data directory/)
    assert.deepEqual(await kindsOfMoves(), [])
    await seeding(infoHash)

    await rename(join(root, 'old', 'album', 'one.bin'), join(root, 'gone'))
    await refused(result(torrents.move(infoHash, join(root, 'new'))), 'failed', /one\.bin is not as it was/)
    await eventually(() => torrents.row(infoHash).state === 'failed')
    await torrents.settled()
    await refused(result(torrents.move(infoHash, join(root, 'new'))), 'failed', /client recheck/)
  })
})

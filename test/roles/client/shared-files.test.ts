import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Services } from '../../../src/control/index.ts'
import { ControlServer } from '../../../src/control/index.ts'
import type { Event } from '../../../src/events/index.ts'
import { systemClock, systemTimers } from '../../../src/events/model/time.system.ts'
import { downloadsIn } from '../../../src/projections/index.ts'
import { type PublishParts, publishPath } from '../../../src/roles/client/publish-path.ts'
import { Torrents } from '../../../src/roles/client/torrents.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { type PublishRequest, ServiceError } from '../../../src/roles/services.ts'
import { createWebtorrentEngine } from '../../../src/torrent/engine.webtorrent.ts'
import type { TorrentEngine } from '../../../src/torrent/index.ts'
import { verifySignature } from '../../events/test-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const HOST = '127.0.0.1'

/** A client's torrents with a real engine that is started, a real log and real files. */
describe('files that a client shares', () => {
  let own: SmallLog
  let engine: TorrentEngine
  let torrents: Torrents
  let notices: NoticeBoard
  let directory: string
  const engines: TorrentEngine[] = []
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-shared-'))
    own = await openSmallLog()
    await start()
  })
  afterEach(async () => {
    for (const each of engines.splice(0)) await each[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  /** As after a restart: the log stays, everything else is new. */
  const start = async () => {
    await engine?.[Symbol.asyncDispose]()
    engine = createWebtorrentEngine({
      ...{ host: HOST, port: 0, dhtBootstrap: [], clock: systemClock, timers: systemTimers },
      identity: { id: own.id, sign: () => new Uint8Array(64), verify: verifySignature },
    })
    engines.push(engine)
    notices = new NoticeBoard(own.time)
    const downloads = () => own.states.state('downloads')
    torrents = new Torrents({
      ...{
        appender: own.log,
        engine,
        timers: own.time,
        clock: own.time,
        notices,
        directory,
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
  const kinds = async (): Promise<string[]> => {
    const found: string[] = []
    await torrents.settled()
    for await (const { event } of own.log.read()) found.push((event as Event).kind)
    return found
  }
  const result = async <R>(call: AsyncGenerator<unknown, R, void>): Promise<R> => {
    for (;;) {
      const step = await call.next()
      if (step.done === true) return step.value
    }
  }
  const failing = (sentence: RegExp) => (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, 'failed')
    assert.match(error.message, sentence)
    return true
  }
  const shared = async (name: string, bytes = randomBytes(200_000)) => {
    const path = join(directory, name)
    await writeFile(path, bytes)
    const made = await engine.create([path], {})
    return { made, path, bytes, torrentFile: Buffer.from(made.torrentFile).toString('base64') }
  }

  it('are told as changed, stay closed over a restart, and are shared again after a recheck', async () => {
    const { made, path, bytes } = await shared('song')
    await torrents.addOwn(made, 'Song')
    await eventually(() => torrents.row(made.infoHash).state === 'seeding')
    await writeFile(path, randomBytes(200_000))
    await start()
    await eventually(() => torrents.row(made.infoHash).state === 'failed')
    await torrents.settled()
    const told = new RegExp(`song in .* was changed or replaced .* \`p2pt client recheck ${made.infoHash}\``)
    assert.match(torrents.row(made.infoHash).problem ?? '', told)
    for await (const { text } of notices.follow(1)) {
      assert.match(text, told)
      break
    }

    // Even if it looks as it did again: nobody has looked at what is in it.
    await start()
    assert.match(torrents.row(made.infoHash).problem ?? '', told)
    assert.equal(torrents.row(made.infoHash).state, 'failed')
    await assert.rejects(torrents.resume(made.infoHash), failing(told))

    const partly = await result(torrents.recheck(made.infoHash))
    assert.deepEqual([partly.state, partly.problem, partly.piecesVerified], ['paused', null, 0])
    await start()
    assert.equal(torrents.row(made.infoHash).state, 'paused')

    await writeFile(path, bytes)
    const whole = await result(torrents.recheck(made.infoHash))
    assert.equal(whole.piecesVerified, whole.pieceCount)
    await eventually(() => torrents.row(made.infoHash).state === 'seeding')
    await start()
    await eventually(() => torrents.row(made.infoHash).state === 'seeding')
    assert.deepEqual(await kinds(), [
      ...['download.added', 'download.described', 'download.checked', 'download.stamped', 'download.completed'],
      ...['download.changed', 'download.checked', 'download.paused', 'download.checked', 'download.stamped'],
      ...['download.resumed', 'download.completed'],
    ])
    await torrents.pause(made.infoHash)
    const paused = await result(torrents.recheck(made.infoHash))
    assert.deepEqual([paused.state, paused.piecesVerified], ['paused', paused.pieceCount], 'a person’s pause stays')
  })

  it('go on being shared by a recheck that finds all of them', async () => {
    const { made, path, bytes } = await shared('song')
    await torrents.addOwn(made, 'Song')
    await writeFile(path, bytes)
    await start()
    await eventually(() => torrents.row(made.infoHash).state === 'failed')
    await result(torrents.recheck(made.infoHash))
    await eventually(() => torrents.row(made.infoHash).state === 'seeding')
    assert.equal(torrents.row(made.infoHash).problem, null)
  })

  it('are not given to another torrent, at once or after a restart', async () => {
    const first = await shared('song')
    await torrents.add({ torrentFile: first.torrentFile })
    await eventually(() => torrents.row(first.made.infoHash).state === 'seeding')
    await mkdir(join(directory, 'other'))
    const second = await shared('other/song')
    await start()
    await assert.rejects(
      torrents.add({ torrentFile: second.torrentFile }),
      failing(/"song" would stand where "song" .* stands.*--to/),
    )
    await torrents.add({ torrentFile: second.torrentFile, directory: join(directory, 'other') })
    await assert.rejects(torrents.add({ torrentFile: second.torrentFile }), failing(/here already/))
  })

  it('are hashed after a restart too where nobody has looked at them: a file in the way stays', async () => {
    const { made, path, torrentFile } = await shared('notes')
    const magnet = `magnet:?xt=urn:btih:${made.infoHash}`
    await torrents.add({ magnet })
    await writeFile(path, 'my own notes')
    await start()
    await torrents.add({ torrentFile })
    await eventually(() => torrents.row(made.infoHash).state === 'failed')
    await start()
    await eventually(() => torrents.row(made.infoHash).state === 'failed')
    assert.match(torrents.row(made.infoHash).problem ?? '', /notes stands in .* already/)
    assert.equal(await readFile(path, 'utf8'), 'my own notes')
    await rm(path)
    await torrents.resume(made.infoHash)
    await eventually(() => torrents.row(made.infoHash).state === 'downloading')
  })

  it('get the peer or the metainfo that is given later', async () => {
    const { made, torrentFile } = await shared('song')
    const magnet = `magnet:?xt=urn:btih:${made.infoHash}`
    await torrents.add({ magnet })
    await assert.rejects(torrents.add({ magnet }), failing(/here already/))
    assert.equal((await torrents.add({ magnet: `${magnet}&x.pe=127.0.0.1:9` })).infoHash, made.infoHash)
    assert.equal((await torrents.add({ torrentFile })).infoHash, made.infoHash)
    await eventually(() => torrents.row(made.infoHash).state === 'seeding')
    await assert.rejects(torrents.add({ torrentFile }), failing(/here already/))
    assert.equal(torrents.rows().length, 1)
  })

  it('are no longer walked or hashed when the caller’s socket closes', async () => {
    for (let index = 0; index < 3_000; index++) await writeFile(join(directory, `${index}`), 'a')
    let walked = 0
    let ended: Promise<unknown> | undefined
    const watching: Pick<TorrentEngine, 'create'> = {
      create(paths, options) {
        const onWalk = (files: number) => {
          walked = files
          options.onWalk?.(files)
        }
        const work = engine.create(paths, { ...options, onWalk })
        ended = work.catch((error: unknown) => error)
        return work
      },
    }
    const parts = { engine: watching, torrents, dataDirectory: undefined } as unknown as PublishParts
    const client = { publish: (request: PublishRequest) => publishPath(request, parts) }
    const server = await ControlServer.listen(directory)
    await server.open({ node: undefined, index: undefined, client } as unknown as Services)
    try {
      const socket = createConnection({ path: server.path })
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'client.publish', params: [{ path: directory }] })}\n`)
      await eventually(() => walked > 0)
      socket.destroy()
      assert.ok((await ended) instanceof Error, 'the walk came to its end all the same')
      assert.ok(walked < 3_000, `walked ${walked} files`)
    } finally {
      await server[Symbol.asyncDispose]()
    }
  })
})

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeRole } from '../../src/events/index.ts'
import { startNode } from '../../src/roles/compose.ts'
import { openStoppedNode } from '../../src/roles/compose-stopped.ts'
import { describeDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import { type ClientService, type NodeService, ServiceError } from '../../src/roles/index.ts'
import type { RunningNode, StartOptions } from '../../src/roles/start.ts'
import { joiningAs } from '../events/test-network.ts'
import { resultOf } from './result-of.ts'
import { until } from './until.ts'

const HOST = '127.0.0.1'
const FILE_BYTES = 3_000_000

/** The result of a long call. */
const clientOf = (running: RunningNode): ClientService => {
  assert.ok(running.client, 'the node is no client')
  return running.client
}

async function kindsOf(node: NodeService, kind: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const { event } of node.events({ kinds: [kind] })) rows.push(event)
  return rows
}

async function noticeOf(node: NodeService, code: string): Promise<string> {
  for await (const notice of node.notices({ last: 100 })) if (notice.code === code) return notice.text
  throw new Error('the node stopped before it said so')
}

describe('startNode', () => {
  let root: string
  let running: Set<RunningNode>
  const at = (name: string) => join(root, name)

  const optionsOf = (role: NodeRole, name: string, more: Partial<StartOptions> = {}): StartOptions => ({
    role,
    joining: joiningAs(role),
    dataDirectory: at(name),
    host: HOST,
    port: 0,
    bootstrap: [],
    logLevel: 'silent',
    ...more,
  })
  const start = async (role: NodeRole, name: string, more?: Partial<StartOptions>): Promise<RunningNode> => {
    const node = await startNode(optionsOf(role, name, more), new AbortController().signal)
    running.add(node)
    return node
  }
  const stop = async (node: RunningNode) => {
    running.delete(node)
    await node[Symbol.asyncDispose]()
  }
  const refused = async (start: Promise<RunningNode>, sentence: RegExp) => {
    const error = await start.then(
      async (node) => {
        await node[Symbol.asyncDispose]()
        return undefined
      },
      (error: unknown) => error,
    )
    assert.ok(error instanceof ServiceError, `not refused with a sentence: ${error}`)
    assert.match(error.message, sentence)
  }

  beforeEach(async () => {
    running = new Set()
    root = await mkdtemp(join(tmpdir(), 'p2pt-roles-'))
  })
  afterEach(async () => {
    await Promise.all([...running].map(stop))
    await rm(root, { recursive: true, force: true })
  })

  it('carries a file from one client through the index to another, which goes on after a restart without hashing', async () => {
    const bootstrap = await start('bootstrap', 'bootstrap')
    const { endpoint } = await bootstrap.node.status()
    assert.ok(endpoint)
    const joined = { bootstrap: [endpoint] }
    const [index, publisher, downloader] = await Promise.all([
      start('index', 'index', joined),
      start('client', 'publisher', joined),
      start('client', 'downloader', joined),
    ])
    const indexId = (await index.node.status()).id

    const bytes = randomBytes(FILE_BYTES)
    await writeFile(at('A Quiet Orbit.bin'), bytes)
    // Right after the start: no index node is known yet, and the publication waits for one by itself.
    const published = await resultOf(clientOf(publisher).publish({ path: at('A Quiet Orbit.bin'), tags: ['film'] }))
    assert.equal(published.sizeBytes, FILE_BYTES)
    assert.ok(index.index)
    const service = index.index
    await until('the index to have it', async () => (await service.indexStatus({ partitions: false })).documents === 1)

    // The first search waits until an index node is known, and the publisher of what it finds.
    const found = await clientOf(downloader).search({ text: 'quiet orb*' })
    assert.deepEqual(
      found.hits.map(({ infoHash, title, seeders, tags }) => ({ infoHash, title, seeders, tags })),
      [{ infoHash: published.infoHash, title: 'A Quiet Orbit.bin', seeders: 1, tags: ['film'] }],
    )
    assert.equal(found.answeredBy, indexId)

    const added = await clientOf(downloader).add({ magnet: found.hits[0]?.magnet ?? '' })
    const complete = await resultOf(clientOf(downloader).follow(added.infoHash.toUpperCase()))
    assert.equal(complete.piecesVerified, complete.pieceCount)
    const sum = (file: Buffer) => createHash('sha256').update(file).digest('hex')
    assert.equal(sum(await readFile(join(at('downloader'), 'downloads', 'A Quiet Orbit.bin'))), sum(bytes))
    await until('the second seeder', async () => (await service.searchHere({ text: 'orbit' })).hits[0]?.seeders === 2)

    const before = await kindsOf(downloader.node, 'download.verified')
    const { at: seq, digests } = await downloader.node.digests({})
    await stop(downloader)
    await using stopped = await openStoppedNode(at('downloader'))
    // As it ended it told what it has moved.
    assert.deepEqual((await stopped.digests({ at: seq })).digests.downloads, digests.downloads)
    const atItsEnd = (await stopped.digests({})).digests.downloads
    await stopped[Symbol.asyncDispose]()

    const again = await start('client', 'downloader', joined)
    const rows = async () => (await clientOf(again).clientStatus()).torrents
    await until('the torrent to be taken up', async () => (await rows())[0]?.state === 'seeding')
    assert.deepEqual(
      (await rows()).map(({ infoHash, piecesVerified }) => ({ infoHash, piecesVerified })),
      [{ infoHash: published.infoHash, piecesVerified: complete.pieceCount }],
    )
    assert.deepEqual((await again.node.digests({})).digests.downloads, atItsEnd)
    assert.equal((await kindsOf(again.node, 'download.verified')).length, before.length)
    assert.equal((await kindsOf(again.node, 'download.completed')).length, 1)

    await clientOf(publisher).remove(published.infoHash, { deleteFiles: true })
    await until('the withdrawal to arrive', async () => (await service.searchHere({ text: 'orbit' })).hits[0]?.seeders === 1)
    assert.deepEqual((await clientOf(publisher).clientStatus()).torrents, [])
    assert.equal((await readFile(at('A Quiet Orbit.bin'))).length, FILE_BYTES, 'what was published stays with its owner')
    await assert.rejects(clientOf(publisher).remove(published.infoHash, { deleteFiles: false }), /no torrent with info hash/)
  })

  it('answers a search right after its start, once it has heard of an index node', async () => {
    const bootstrap = await start('bootstrap', 'bootstrap')
    const { endpoint } = await bootstrap.node.status()
    assert.ok(endpoint)
    await start('index', 'index', { bootstrap: [endpoint] })
    const client = await start('client', 'client', { bootstrap: [endpoint] })
    assert.deepEqual((await clientOf(client).search({ text: 'orbit' })).hits, [])
  })

  it('does not keep a search waiting when it stops', async () => {
    const client = await start('client', 'client')
    const search = clientOf(client).search({ text: 'orbit' })
    const failed = assert.rejects(search, /no index node is known/)
    const before = Date.now()
    await stop(client)
    await failed
    assert.ok(Date.now() - before < 3_000)
  })

  it('keeps title and tags when the same content is published again without them, and tells of a title it replaces', async () => {
    await writeFile(at('orbit.bin'), randomBytes(50_000))
    const node = await start('client', 'again')
    const publish = (more: object) => resultOf(clientOf(node).publish({ path: at('orbit.bin'), ...more }))
    await publish({ title: 'A quiet orbit', tags: ['film'] })
    const same = await publish({})
    assert.deepEqual([same.title, same.replaces], ['A quiet orbit', null])
    const last = (await kindsOf(node.node, 'torrent.published')).at(-1)
    assert.deepEqual(last?.tags, ['film'])
    const renamed = await publish({ title: 'A loud orbit' })
    assert.deepEqual([renamed.title, renamed.replaces], ['A loud orbit', 'A quiet orbit'])
  })

  it('serves a published file from its new place when it was moved while the node was down', async () => {
    const node = await start('client', 'one')
    await writeFile(at('orbit.bin'), randomBytes(FILE_BYTES))
    const first = await resultOf(clientOf(node).publish({ path: at('orbit.bin') }))
    // No index node is known: it is kept, and announced when one comes.
    assert.deepEqual([first.acknowledgedBy, first.pending], [[], 1])
    await stop(node)
    await mkdir(at('moved'))
    await rename(at('orbit.bin'), join(at('moved'), 'orbit.bin'))

    const again = await start('client', 'one')
    const row = async () => (await clientOf(again).clientStatus()).torrents[0]
    await until('the loss to be seen', async () => (await row())?.state === 'failed')
    const second = await resultOf(clientOf(again).publish({ path: join(at('moved'), 'orbit.bin') }))
    assert.equal(second.infoHash, first.infoHash)
    await until('it to be served again', async () => (await row())?.state === 'seeding')
    assert.equal((await row())?.directory, at('moved'))
  })

  it('drops the link with a node that the operator bans, knows the ban after a restart, and links again when it is lifted', async () => {
    const bootstrap = await start('bootstrap', 'bootstrap')
    const { endpoint, id } = await bootstrap.node.status()
    assert.ok(endpoint)
    const client = await start('client', 'client', { bootstrap: [endpoint] })
    const linked = async () => (await client.node.links()).some(({ peer }) => peer === id)
    await until('the link', linked)
    await client.node.ban(id, 'a test')
    await until('the link to be gone', async () => !(await linked()))
    await stop(client)
    const again = await start('client', 'client', { bootstrap: [endpoint] })
    assert.equal((await again.node.scores()).find(({ peer }) => peer === id)?.standing, 'banned')
    await again.node.unban(id, 'the test is over')
    await until('the link to be back', async () => (await again.node.links()).some(({ peer }) => peer === id), 15_000)
  })

  it('says that the projections of another node are no use to it, and makes its own', async () => {
    for (const name of ['one', 'two']) await stop(await start('bootstrap', name))
    await rm(at('one/projections'), { recursive: true })
    await cp(at('two/projections'), at('one/projections'), { recursive: true })
    const { node } = await start('bootstrap', 'one')
    const other = describeDirectory(at('two')).id
    const told = await noticeOf(node, 'projections.discarded')
    assert.equal(told, `stored projections were unusable (they are those of node ${other}): rebuilt from the log`)
    const { at: head, digests } = await node.digests({})
    assert.deepEqual((await node.digests({ at: head })).digests, digests)
  })

  it('says that others may read its key, and goes on', async () => {
    await stop(await start('bootstrap', 'one'))
    await chmod(at('one/key.seed'), 0o644)
    const { node } = await start('bootstrap', 'one')
    assert.match(await noticeOf(node, 'data.exposed'), /key\.seed \(mode 0644\).*: run `chmod 600 /)
    assert.equal((await node.status()).ready, true)
  })

  it('rebuilds for two callers one after the other, and gives both the digest it had', async () => {
    const node = await start('bootstrap', 'bootstrap')
    const results = await Promise.all([resultOf(node.node.rebuild({})), resultOf(node.node.rebuild({}))])
    for (const { projections } of results) {
      assert.equal(projections.length, 6)
      for (const { digestBefore, digestAfter } of projections) assert.equal(digestAfter, digestBefore)
    }
  })

  it('refuses a directory in use, and one of another role, with a sentence that says whose it is', async () => {
    const first = await start('bootstrap', 'one')
    await refused(startNode(optionsOf('bootstrap', 'one'), new AbortController().signal), /in use/)
    // It still runs, unharmed.
    assert.equal((await first.node.status()).role, 'bootstrap')
    await stop(first)
    await refused(startNode(optionsOf('client', 'one'), new AbortController().signal), /bootstrap/)
    await start('bootstrap', 'one')
  })

  it('refuses a port in use, and leaves nothing open or locked behind', async () => {
    const first = await start('bootstrap', 'one')
    const port = (await first.node.status()).endpoint?.port ?? 0
    await refused(startNode(optionsOf('index', 'two', { port }), new AbortController().signal), /port \d+ .*in use/)
    await start('index', 'two')
  })

  it('closes everything when the torrent port is taken after all the rest was opened', async () => {
    const server = createServer().listen(0, HOST)
    await once(server, 'listening')
    try {
      const address = server.address()
      assert.ok(address !== null && typeof address === 'object')
      const { port } = address
      await refused(startNode(optionsOf('client', 'one', { port }), new AbortController().signal), /port \d+ .*in use/)
    } finally {
      server.close()
    }
    const node = await start('client', 'one')
    const stops = await kindsOf(node.node, 'node.stopped')
    assert.deepEqual(
      stops.map(({ reason }) => reason),
      ['it did not start'],
    )
  })

  it('gives up in the middle of a start when it is told to, and can start later', async () => {
    const controller = new AbortController()
    const starting = startNode(optionsOf('client', 'one'), controller.signal)
    controller.abort()
    await assert.rejects(starting, { name: 'AbortError' })
    await start('client', 'one')
  })

  it('stops once, however often and by whatever way it is asked', async () => {
    const node = await start('bootstrap', 'one')
    await node.node.stop()
    await Promise.all([node[Symbol.asyncDispose](), node[Symbol.asyncDispose](), node.stopped])
    running.delete(node)
    await using stopped = await openStoppedNode(at('one'))
    const kinds: string[] = []
    for await (const { kind } of stopped.events({})) kinds.push(kind)
    assert.deepEqual(
      kinds.filter((kind) => kind.startsWith('node.')),
      ['node.started', 'node.admitted', 'node.stopped'],
    )
    // The goodbye stands before the stop: nothing is appended after it.
    assert.equal(kinds.at(-1), 'node.stopped')
  })
})

import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Server as TrackerServer } from 'bittorrent-tracker'
import type { TorrentSources } from '../../src/events/index.ts'
import { digestOf, eventually, Lab, type Node, sha256 } from './engine-fixture.ts'
import { hostileSources } from './hostile-sources.ts'

const PUBLIC: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: false, local: false }

/** A tracker of a kept library, on loopback. */
async function tracker(): Promise<{ http: string; udp: string; peers(): number; close(): Promise<void> }> {
  const server = new TrackerServer({ http: true, udp: true, ws: false, stats: false })
  await new Promise<void>((resolve) => server.listen(0, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' }, resolve))
  server.on('warning', () => {})
  const port = (of: { address(): unknown }) => (of.address() as AddressInfo).port
  return {
    http: `http://127.0.0.1:${port(server.http)}/announce`,
    udp: `udp://127.0.0.1:${port(server.udp4)}/announce`,
    peers: () => Object.values(server.torrents).reduce((sum, { peers }) => sum + peers.length, 0),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** Where nobody listens. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Serves these files as a web server does, or does not. */
async function webServer(
  files: ReadonlyMap<string, Uint8Array>,
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean,
) {
  const requests: string[] = []
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname).slice(1)
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    requests.push(`${path} ${from}-${to}`)
    if (answer?.(request, response) === true) return
    const bytes = files.get(path)
    if (bytes === undefined) response.writeHead(404).end()
    else response.writeHead(206).end(bytes.subarray(Number(from), Number(to) + 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

describe('a public torrent', () => {
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  const FILES = { 'tree/a b.bin': 700_001, 'tree/empty': 0, 'tree/c.bin': 900_000 }
  const add = (node: Node, bytes: Uint8Array, sources: TorrentSources) =>
    node.engine.add({ kind: 'torrent-file', bytes }, { directory: node.directory, sources })
  const isWhole = async (node: Node, files: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    for (const [path, bytes] of files) assert.equal(await digestOf(join(node.directory, path)), sha256(bytes), path)
  }

  for (const protocol of ['http', 'udp'] as const) {
    it(`finds its peers by a tracker over ${protocol}, and says goodbye to it`, async () => {
      const server = await tracker()
      lab.defer(() => server.close())
      const seeder = await lab.seeder('seeder', FILES)
      const leecher = await lab.node('leecher')
      const { infoHash, torrentFile } = seeder.metainfo
      const sources = { ...PUBLIC, trackers: [server[protocol]] }
      await seeder.engine.setSources(infoHash, sources)
      await eventually(() => seeder.engine.sources(infoHash)[0]?.state === 'works')
      await add(leecher, torrentFile, sources)
      await leecher.until((said) => said.completed.length === 1)
      await isWhole(leecher, seeder.files)
      const status = leecher.engine.sources(infoHash)[0]
      assert.deepEqual([status?.kind, status?.state, status?.url], ['tracker', 'works', server[protocol]])
      assert.equal(server.peers(), 2)
      await leecher.engine.pause(infoHash)
      assert.equal(server.peers(), 1)
      assert.deepEqual(leecher.engine.sources(infoHash), [])
    })
  }

  it('says of a tracker what is wrong with it, and goes on', async () => {
    const server = await webServer(new Map(), (request, response) => {
      if (request.url?.startsWith('/announce-html') === true) response.end('<html>')
      else if (request.url?.startsWith('/announce-long') === true) response.end(Buffer.alloc(300_000, 'a'))
      else if (request.url?.startsWith('/announce-moved') === true)
        response.writeHead(302, { location: '/announce-html' }).end()
      else if (request.url?.startsWith('/announce-no') === true) response.end('d14:failure reason12:not in here!e')
      else if (request.url?.startsWith('/announce-cut') === true) {
        response.writeHead(200, { 'content-length': 1_000 }).write('d8:interval')
        response.destroy()
      } else response.writeHead(500).end('x')
      return true
    })
    lab.defer(() => server.close())
    const node = await lab.seeder('node', { 'a.bin': 1_000 })
    const { infoHash } = node.metainfo
    const wrong: [string, RegExp][] = [
      [`${server.url}announce-html`, /no bencode/],
      [`${server.url}announce-long`, /longer than 262144 bytes/],
      [`${server.url}announce-moved`, /elsewhere/],
      [`${server.url}announce-no`, /it refuses: not in here!/],
      [`${server.url}announce-cut`, /breaks off|cannot be reached/],
      [`${server.url}announce-500`, /status 500/],
      [`${server.url}admin?do=it`, /on this machine, and its path does not begin with \/announce/],
      [`http://127.0.0.1:${await freePort()}/announce`, /cannot be reached: ECONNREFUSED/],
      ['udp://127.0.0.1/announce', /no port/],
      ['wss://127.0.0.1/announce', /for browsers/],
      ['ftp://127.0.0.1/announce', /trackers of ftp: are not known/],
      ['udp://no.such.host.invalid:1/', /no address of no\.such\.host\.invalid/],
    ]
    await node.engine.setSources(infoHash, { ...PUBLIC, trackers: wrong.map(([url]) => url) })
    await eventually(() => node.engine.sources(infoHash).every(({ state }) => state === 'fails'))
    for (const [url, says] of wrong) {
      assert.match(node.engine.sources(infoHash).find((each) => each.url === url)?.problem ?? '', says, url)
    }
    assert.equal(node.engine.status(infoHash)?.state, 'seeding')
  })

  it('comes from a web server, a folder of files in few requests', async () => {
    const seeder = await lab.seeder('seeder', { ...FILES, 'tree/d.bin': 6_000_000 })
    const server = await webServer(seeder.files)
    lab.defer(() => server.close())
    const leecher = await lab.node('leecher')
    await add(leecher, seeder.metainfo.torrentFile, { ...PUBLIC, webSeeds: [server.url] })
    await leecher.until((said) => said.completed.length === 1)
    await isWhole(leecher, seeder.files)
    const blocks = seeder.metainfo.sizeBytes / 16_384
    assert.ok(server.requests.length < blocks / 2, `${server.requests.length} requests`)
    assert.deepEqual(
      leecher.recorded.judged.flatMap(({ bad }) => bad),
      [],
    )
  })

  it('comes from a web server, one file by its own address', async () => {
    const seeder = await lab.seeder('seeder', { 'one.iso': 400_000 })
    const server = await webServer(new Map([['mirror/anything', seeder.files.get('one.iso') ?? new Uint8Array()]]))
    lab.defer(() => server.close())
    const leecher = await lab.node('leecher')
    await add(leecher, seeder.metainfo.torrentFile, { ...PUBLIC, webSeeds: [`${server.url}mirror/anything`] })
    await leecher.until((said) => said.completed.length === 1)
    await isWhole(leecher, seeder.files)
  })

  it('says of a web server what is wrong with it, and goes on with others', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
    const server = await webServer(new Map(), (request, response) => {
      if (request.url?.startsWith('/whole') === true && request.headers.range !== 'bytes=0-0')
        response.writeHead(200).end('all of it')
      else if (request.url?.startsWith('/cut') === true) {
        response.writeHead(206, { 'content-length': 100_000 }).write('x')
        setImmediate(() => response.destroy())
      } else response.writeHead(503).end()
      return true
    })
    lab.defer(() => server.close())
    const leecher = await lab.node('leecher')
    const { infoHash, torrentFile } = seeder.metainfo
    const wrong: [string, RegExp][] = [
      [`${server.url}cut`, /breaks off: ECONNRESET/],
      [`${server.url}busy`, /status 503/],
      [`${server.url}admin?do=it`, /on this machine, and its address has a query/],
      [`http://127.0.0.1:${await freePort()}/a`, /cannot be reached: ECONNREFUSED/],
      ['http://no.such.host.invalid/', /no address of/],
    ]
    await add(leecher, torrentFile, { ...PUBLIC, webSeeds: wrong.map(([url]) => url) })
    await eventually(() => leecher.engine.sources(infoHash).filter(({ state }) => state === 'fails').length === wrong.length)
    for (const [url, says] of wrong) {
      assert.match(leecher.engine.sources(infoHash).find((each) => each.url === url)?.problem ?? '', says, url)
    }
    leecher.engine.connect(infoHash, '127.0.0.1', seeder.engine.port)
    await leecher.until((said) => said.completed.length === 1)
    await isWhole(leecher, seeder.files)
  })

  it('blames a web server for bad pieces as any other peer', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
    const server = await webServer(new Map([['a.bin', Buffer.alloc(300_000, 'bad')]]))
    lab.defer(() => server.close())
    const leecher = await lab.node('leecher')
    await add(leecher, seeder.metainfo.torrentFile, { ...PUBLIC, webSeeds: [server.url] })
    await leecher.until((said) => said.judged.some(({ bad }) => bad.length > 0))
    assert.equal(leecher.recorded.judged.find(({ bad }) => bad.length > 0)?.subject, 'ip:127.0.0.1')
    assert.equal(leecher.recorded.completed.length, 0)
  })

  it('is whole in the end, whatever its other trackers and web seeds do', async () => {
    const hostile = await hostileSources()
    lab.defer(() => hostile.close())
    const honest = await tracker()
    lab.defer(() => honest.close())
    const seeder = await lab.seeder('seeder', { 'a.bin': 3_000_000 })
    const { infoHash, torrentFile } = seeder.metainfo
    seeder.engine.setSources(infoHash, { ...PUBLIC, trackers: [honest.http] })
    await eventually(() => seeder.engine.sources(infoHash)[0]?.state === 'works')
    const leecher = await lab.node('leecher')
    const sources = { ...PUBLIC, trackers: [...hostile.trackers, honest.http], webSeeds: hostile.webSeeds }
    await add(leecher, torrentFile, sources)
    await leecher.until((said) => said.completed.length === 1, 40_000)
    await isWhole(leecher, seeder.files)
    assert.deepEqual(leecher.recorded.failed, [])
    const blamed = leecher.recorded.judged.filter(({ bad }) => bad.length > 0).map(({ subject }) => subject)
    assert.ok(!blamed.includes(seeder.id), 'the honest one is blamed for nothing')
    const problemOf = (name: string) => {
      const row = leecher.engine.sources(infoHash).find(({ url }) => url.endsWith(name))
      assert.ok(row, name)
      return row.problem ?? ''
    }
    const says: [string, RegExp][] = [
      ['/announce-endless', /longer than/],
      ['/announce-endless-headers', /cannot be reached/],
      ['/announce-circle', /elsewhere/],
      ['/announce-to-a-file', /elsewhere/],
      ['/announce-a-megabyte-of-peers', /longer than/],
      ['/announce-a-bomb', /unpacked/],
      ['/announce-deep-lists', /no bencode/],
      ['/announce-a-long-reason', /^it refuses: .{1,200}$/],
      ['/web-circle', /elsewhere more than 5 times/],
      ['/web-to-a-file', /none of the web/],
      ['/web-to-nowhere', /none of the web/],
      ['/web-another-range', /another part/],
      ['/web-packed', /packed/],
    ]
    await eventually(() => says.every(([name, text]) => text.test(problemOf(name))))
    // When it starts and when it is whole, and not again within a minute, whatever interval was named.
    for (const [path, times] of hostile.asked) if (path.startsWith('/announce')) assert.ok(times <= 2, `${path} ${times} times`)
    for (const { kind, peers } of leecher.engine.sources(infoHash)) if (kind === 'tracker') assert.ok(peers <= 200)
  }).timeout(60_000)

  it('asks nobody where it is not public, or private', async () => {
    const server = await tracker()
    const web = await webServer(new Map())
    lab.defer(() => server.close())
    lab.defer(() => web.close())
    const node = await lab.seeder('node', { 'a.bin': 1_000 })
    const { infoHash } = node.metainfo
    await node.engine.setSources(infoHash, { ...PUBLIC, public: false, trackers: [server.http], webSeeds: [web.url] })
    const secret = await lab.privateTorrent(node, 2_000)
    await node.engine.setSources(secret.infoHash, { ...PUBLIC, trackers: [server.http], webSeeds: [web.url] })
    assert.equal(node.engine.status(secret.infoHash)?.isPrivate, true)
    assert.deepEqual([node.engine.sources(infoHash), node.engine.sources(secret.infoHash)], [[], []])
    await node.engine[Symbol.asyncDispose]()
    assert.deepEqual([server.peers(), web.requests], [0, []])
  })
})

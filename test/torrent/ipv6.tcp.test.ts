import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { Server as TrackerServer } from 'bittorrent-tracker'
import type { AddressId } from '../../src/events/index.ts'
import type { MadeConnection } from '../../src/torrent/engine.ts'
import { compactOf } from '../../src/torrent/wire/compact-peers.ts'
import { dialUntil, digestOf, download, eventually, Lab, type Node, sha256 } from './engine-fixture.ts'

/** A connection of this address, of which nothing comes. */
const connectionOf = (remoteAddress: string): MadeConnection & Duplex =>
  Object.assign(new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }), { remoteAddress, remotePort: 5_000 })

const hasV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

describe('IPv6', function () {
  this.timeout(30_000)
  let lab: Lab
  beforeEach(function () {
    if (!hasV6) this.skip()
    lab = new Lab('p2pt')
  })
  afterEach(() => lab?.[Symbol.asyncDispose]())

  const dialV6 = (node: Node, from: Node & { metainfo: { infoHash: Parameters<Node['engine']['connect']>[0] } }) =>
    eventually(() => {
      node.engine.connect(from.metainfo.infoHash, '::1', from.engine.port)
      return (node.engine.status(from.metainfo.infoHash)?.peers.length ?? 0) > 0
    })

  it('brings a torrent, and its peers are known by their address', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
    const leecher = await lab.node('leecher')
    await download(leecher, seeder.metainfo, [])
    await dialV6(leecher, seeder)
    assert.deepEqual(
      [leecher, seeder].map(({ engine }) => engine.status(seeder.metainfo.infoHash)?.peers[0]?.host),
      ['::1', '::1'],
    )
    await leecher.until((said) => said.completed.length === 1)
    assert.equal(await digestOf(join(leecher.directory, 'a.bin')), sha256(seeder.files.get('a.bin') ?? new Uint8Array()))
  })

  it('has its bans: whoever proves no key is not dialled or heard there any more', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
    seeder.engine.ban('ip:::1' as AddressId)
    const socket = connect({ host: '::1', port: seeder.engine.port })
    await once(socket, 'connect')
    socket.write(
      Buffer.concat([
        Uint8Array.of(19),
        Buffer.from('BitTorrent protocol'),
        new Uint8Array(8),
        Buffer.from(seeder.metainfo.infoHash, 'hex'),
        Buffer.alloc(20, 'x'),
      ]),
    )
    await once(socket.resume(), 'close')
    // One that proves a key which is not banned is welcome.
    const leecher = await lab.node('leecher')
    await download(leecher, seeder.metainfo, [])
    await dialV6(leecher, seeder)
    await leecher.until((said) => said.completed.length === 1)
  })

  it('is not needed: where its port is taken, peers come over IPv4', async () => {
    const other: Server = createServer()
    await new Promise<void>((resolve) => other.listen(0, '::1', resolve))
    lab.defer(() => new Promise<void>((resolve) => other.close(() => resolve())))
    const { port } = other.address() as { port: number }
    const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 }, { port })
    assert.equal(seeder.engine.port, port)
    const leecher = await lab.node('leecher')
    await download(leecher, seeder.metainfo, [seeder])
    await leecher.until((said) => said.completed.length === 1)
  })

  it('is listened on beside all addresses of IPv4, at the same port, and alone beside one address not', async () => {
    const all = await lab.node('all', { host: '0.0.0.0' })
    const one = await lab.node('one', { host: '127.0.0.2' })
    const reach = async (host: string, port: number) => {
      const socket = connect({ host, port })
      const is = await once(socket, 'connect').then(
        () => 'open',
        (error: { code: string }) => error.code,
      )
      socket.destroy()
      return is
    }
    assert.deepEqual(await Promise.all(['::1', '127.0.0.1'].map((host) => reach(host, all.engine.port))), ['open', 'open'])
    assert.deepEqual(await Promise.all(['::1', '127.0.0.2'].map((host) => reach(host, one.engine.port))), [
      'ECONNREFUSED',
      'open',
    ])
  })

  const HOSTS: Readonly<Record<string, (at: number) => string>> = {
    'one network of IPv6, whatever its addresses': (at) => `2001:db8:0:1:${at.toString(16)}::${at}`,
    'one address of IPv4, mapped into IPv6 or not': (at) => (at % 2 === 0 ? '::ffff:192.0.2.1' : '192.0.2.1'),
  }
  for (const [what, hostOf] of Object.entries(HOSTS)) {
    it(`lets 64 connections in of ${what}`, async () => {
      const { engine } = await lab.node('node')
      const connections = Array.from({ length: 66 }, (_, at) => connectionOf(hostOf(at)))
      for (const connection of connections) engine.adopt(connection)
      await eventually(() => connections.filter(({ destroyed }) => destroyed).length === 2)
      assert.deepEqual(
        connections.slice(64).map(({ destroyed }) => destroyed),
        [true, true],
      )
      const neighbour = connectionOf('2001:db8:0:2::1')
      engine.adopt(neighbour)
      assert.equal(neighbour.destroyed, false)
    })
  }

  const TRACKERS: Readonly<Record<string, () => Promise<string>>> = {
    async 'over HTTP'() {
      const server = new TrackerServer({ http: true, udp: false, ws: false, stats: false })
      lab.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
      await new Promise<void>((resolve) => server.listen(0, { http: '::1', udp: '', udp6: '' }, resolve))
      server.on('warning', () => {})
      return `http://[::1]:${(server.http.address() as { port: number }).port}/announce`
    },
    // By hand: the one of bittorrent-tracker 11.2.3 names no peers of IPv6 over UDP.
    async 'over UDP (BEP 15)'() {
      const peers = new Map<string, Uint8Array>()
      const server = createSocket({ type: 'udp6', ipv6Only: true })
      server.on('message', (asked, from) => {
        const answer = Buffer.alloc(asked.length === 16 ? 16 : 20)
        answer.writeUInt32BE(asked.length === 16 ? 0 : 1, 0)
        asked.copy(answer, 4, 12, 16)
        if (asked.length === 16) {
          server.send(answer, from.port, from.address)
          return
        }
        peers.set(asked.subarray(36, 56).toString('hex'), compactOf('::1', asked.readUInt16BE(96))?.bytes ?? new Uint8Array())
        server.send(Buffer.concat([answer, ...peers.values()]), from.port, from.address)
      })
      await new Promise<void>((resolve) => server.bind(0, '::1', resolve))
      lab.defer(async () => void server.close())
      return `udp://[::1]:${server.address().port}`
    },
  }
  for (const [how, listen] of Object.entries(TRACKERS)) {
    it(`is what a tracker ${how} names peers by`, async () => {
      const sources = { public: true, trackers: [await listen()], webSeeds: [], dht: false, local: false }
      const seeder = await lab.seeder('seeder', { 'a.bin': 200_000 })
      const { infoHash, torrentFile } = seeder.metainfo
      seeder.engine.setSources(infoHash, sources)
      await eventually(() => seeder.engine.sources(infoHash)[0]?.state === 'works')
      const leecher = await lab.node('leecher')
      await leecher.engine.add({ kind: 'torrent-file', bytes: torrentFile }, { directory: leecher.directory, sources })
      await leecher.until((said) => said.completed.length === 1)
    })
  }

  it('has its own torrents found out: a client does not dial itself twice', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 1_000 })
    const { infoHash } = seeder.metainfo
    await dialUntil(seeder, infoHash, seeder, () => true)
    seeder.engine.connect(infoHash, '::1', seeder.engine.port)
    await eventually(() => seeder.engine.status(infoHash)?.peers.length === 0)
  })
})

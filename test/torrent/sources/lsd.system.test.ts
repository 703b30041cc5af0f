import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { setImmediate as turn } from 'node:timers/promises'
import type { InfoHash } from '../../../src/events/index.ts'
import { systemClock, systemTimers } from '../../../src/events/model/time.system.ts'
import { LocalDiscovery } from '../../../src/torrent/sources/lsd.system.ts'
import { decodeLsd, encodeLsd, LSD_GROUPS, LSD_PORT } from '../../../src/torrent/sources/lsd-message.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'
import { eventually, Lab } from '../engine-fixture.ts'

// Over multicast on loopback: other tests on this machine may say and hear something there too, of other torrents.

const GROUP = LSD_GROUPS[4]
const randomHash = () => Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString('hex') as InfoHash

describe('local discovery', () => {
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  const discovery = (given: Partial<ConstructorParameters<typeof LocalDiscovery>[0]> = {}) => {
    const local = new LocalDiscovery({
      ...{ host: '127.0.0.1', port: () => 7_001, hasV6: () => false, clock: systemClock, timers: systemTimers },
      now: () => performance.now(),
      ...given,
    })
    lab.defer(() => local.close())
    return local
  }

  /** A stranger on the network: hears all, says anything. */
  const stranger = async (host = '127.0.0.1', port = LSD_PORT) => {
    const heard: Uint8Array[] = []
    const socket: Socket = createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('message', (datagram: Uint8Array) => heard.push(datagram))
    await new Promise<void>((resolve) => socket.bind({ address: GROUP, port }, resolve))
    socket.addMembership(GROUP, '127.0.0.1')
    const mouth = createSocket('udp4')
    await new Promise<void>((resolve) => mouth.bind(0, host, resolve))
    mouth.setMulticastInterface('127.0.0.1')
    lab.defer(async () => {
      socket.close()
      mouth.close()
    })
    return {
      said: (infoHash: InfoHash) =>
        heard.flatMap((datagram) => {
          const said = decodeLsd(datagram)
          return said?.infoHashes.includes(infoHash) === true ? [{ ...said, datagram }] : []
        }),
      say: (datagram: Uint8Array) =>
        new Promise<void>((resolve, reject) =>
          mouth.send(datagram, port, GROUP, (error) => (error === null ? resolve() : reject(error))),
        ),
    }
  }

  it('brings two engines together that know of nothing else', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 200_000 })
    const { infoHash, torrentFile } = seeder.metainfo
    const sources = { public: true, trackers: [], webSeeds: [], dht: false, local: true }
    seeder.engine.setSources(infoHash, sources)
    const leecher = await lab.node('leecher')
    await leecher.engine.add({ kind: 'torrent-file', bytes: torrentFile }, { directory: leecher.directory, sources })
    await leecher.until((said) => said.completed.length === 1)
    await eventually(() => {
      const [row] = leecher.engine.sources(infoHash)
      return row?.kind === 'local' && row.state === 'works' && (row.announcedAt ?? 0) > 0
    })
    const [row] = seeder.engine.sources(infoHash)
    assert.deepEqual([row?.kind, row?.problem], ['local', undefined])
    const found = [...leecher.engine.sources(infoHash), ...seeder.engine.sources(infoHash)].map(({ peers }) => peers)
    assert.ok(Math.max(...found) >= 1, `${found} peers found`)
    await leecher.engine.pause(infoHash)
    assert.deepEqual(leecher.engine.sources(infoHash), [])
  })

  it('says nothing of a torrent that is not public, or private, whatever was said of it', async () => {
    const other = await stranger()
    const node = await lab.seeder('node', { 'a.bin': 1_000 })
    const open = await lab.seeder('open', { 'b.bin': 1_000 })
    const secret = await lab.privateTorrent(node, 2_000)
    const all = { public: true, trackers: [], webSeeds: [], dht: false, local: true }
    node.engine.setSources(node.metainfo.infoHash, { ...all, public: false })
    node.engine.setSources(secret.infoHash, all)
    open.engine.setSources(open.metainfo.infoHash, all)
    await eventually(() => other.said(open.metainfo.infoHash).length > 0)
    assert.deepEqual([other.said(node.metainfo.infoHash), other.said(secret.infoHash)], [[], []])
    assert.deepEqual([node.engine.sources(node.metainfo.infoHash), node.engine.sources(secret.infoHash)], [[], []])
  })

  it('names a torrent once in five minutes, and all torrents of a turn in one datagram', async () => {
    const other = await stranger()
    const time = new VirtualTime()
    const local = discovery({ timers: time, clock: time, now: () => time.now() })
    const infoHashes = [randomHash(), randomHash(), randomHash()]
    for (const infoHash of infoHashes) local.join(infoHash, () => {})
    const [first] = infoHashes as [InfoHash]
    await time.advance(2_000)
    await eventually(() => other.said(first).length === 1)
    assert.deepEqual(other.said(first)[0]?.infoHashes, infoHashes)
    assert.equal(other.said(first)[0]?.port, 7_001)
    await time.advance(295_000)
    const last = randomHash()
    local.join(last, () => {})
    await time.advance(1_500)
    // What was said of it before would have come before this.
    await eventually(() => other.said(last).length === 1)
    assert.equal(other.said(first).length, 1)
    await time.advance(5_000)
    await eventually(() => other.said(first).length === 2)
  })

  it('hears others and not itself, at ports that can be', async () => {
    const other = await stranger()
    const infoHash = randomHash()
    const found: string[] = []
    const part = discovery().join(infoHash, (endpoints) => found.push(...endpoints))
    await eventually(() => other.said(infoHash).length > 0)
    const [own] = other.said(infoHash)
    assert.ok(own)
    // Its own datagram, once more, from elsewhere.
    await other.say(own.datagram)
    await other.say(encodeLsd({ port: 0, infoHashes: [infoHash], cookie: undefined }, 4))
    await other.say(encodeLsd({ port: 7_002, infoHashes: [randomHash(), infoHash], cookie: 'other' }, 4))
    await eventually(() => found.length > 0)
    assert.deepEqual(found, ['127.0.0.1:7002'])
    assert.equal(part.status.peers, 1)
  })

  it('reads so many datagrams of one host, and of all, whoever floods it, and hears others meanwhile', async () => {
    const hog = createSocket('udp4')
    await new Promise<void>((resolve) => hog.bind({ address: GROUP, port: 0 }, resolve))
    const udpPort = hog.address().port
    await new Promise<void>((resolve) => hog.close(() => resolve()))
    const hosts = Array.from({ length: 14 }, (_, at) => `127.0.0.${at + 100}`)
    const strangers = await Promise.all(hosts.map((host) => stranger(host, udpPort)))
    const [first, ...others] = strangers as [Awaited<ReturnType<typeof stranger>>, ...typeof strangers]
    const infoHash = randomHash()
    const found: string[] = []
    // Time stands still: nothing comes back.
    const part = discovery({ now: () => 0, udpPort }).join(infoHash, (endpoints) => found.push(...endpoints))
    const flood = async (by: typeof first, count: number) => {
      for (let port = 1; port <= count; port++) {
        await by.say(encodeLsd({ port, infoHashes: [infoHash], cookie: undefined }, 4))
        // Or the system's queue is full before anything is read.
        if (port % 10 === 0) await turn()
      }
    }
    await eventually(() => part.status.state === 'works')
    await flood(first, 60)
    await flood(others[0] ?? first, 1)
    await eventually(() => found.includes('127.0.0.101:1'))
    assert.equal(found.length, 51)
    for (const each of others) await flood(each, 60)
    const all = () => first.said(infoHash).length
    await eventually(() => all() >= 60 * 14)
    // Our own announcement was one of them.
    assert.ok(found.length >= 490 && found.length <= 500, `${found.length} endpoints`)
  })

  it('tells where it cannot work, and fails nothing', async () => {
    const part = discovery({ host: '192.0.2.77' }).join(randomHash(), () => {})
    await eventually(() => part.status.state === 'fails')
    assert.match(part.status.problem ?? '', /192\.0\.2\.77/)
    const node = await lab.seeder('node', { 'a.bin': 1_000 })
    assert.equal(node.engine.status(node.metainfo.infoHash)?.state, 'seeding')
  })

  it('tells where its port is taken, and hears as soon as it is free', async () => {
    const hog = createSocket({ type: 'udp4', reuseAddr: false })
    await new Promise<void>((resolve) => hog.bind({ address: GROUP, port: 0 }, resolve))
    const udpPort = hog.address().port
    const found: string[] = []
    const infoHash = randomHash()
    const part = discovery({ udpPort }).join(infoHash, (endpoints) => found.push(...endpoints))
    await eventually(() => part.status.state === 'fails')
    assert.match(part.status.problem ?? '', new RegExp(`port ${udpPort} \\(UDP\\) cannot be listened on`))
    await new Promise<void>((resolve) => hog.close(() => resolve()))
    await eventually(() => part.status.state === 'works')
    const other = await stranger('127.0.0.1', udpPort)
    await other.say(encodeLsd({ port: 7_002, infoHashes: [infoHash], cookie: undefined }, 4))
    await eventually(() => found.length > 0)
  })

  it('ends with the last torrent, and starts again with the next', async () => {
    const other = await stranger()
    const local = discovery()
    const [one, two] = [randomHash(), randomHash()]
    const part = local.join(one, () => {})
    await eventually(() => other.said(one).length === 1)
    part.close()
    part.close()
    local.join(two, () => {})
    await eventually(() => other.said(two).length === 1)
    assert.deepEqual(other.said(two)[0]?.infoHashes, [two])
  })
})

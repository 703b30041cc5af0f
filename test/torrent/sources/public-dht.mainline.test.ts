import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import Dht from 'bittorrent-dht'
import type { InfoHash, TorrentSources } from '../../../src/events/index.ts'
import { systemClock, systemTimers } from '../../../src/events/model/time.system.ts'
import { PublicDht } from '../../../src/torrent/sources/public-dht.mainline.ts'
import { bencode } from '../bencode-writer.ts'
import { eventually, Lab } from '../engine-fixture.ts'

// A ring of nodes on loopback stands for the public DHT.

const IN_DHT: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: true, local: false }
const randomHash = () => Buffer.from(crypto.getRandomValues(new Uint8Array(20))).toString('hex') as InfoHash

describe('the public DHT', () => {
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  const nodeOfRing = async (bootstrap: readonly { host: string; port: number }[]) => {
    const dht = new Dht({ bootstrap, maxAge: 60_000 })
    lab.defer(() => new Promise<void>((resolve) => dht.destroy(() => resolve())))
    await new Promise<void>((resolve) => dht.listen(0, '127.0.0.1', resolve))
    return dht
  }
  const placeOf = (dht: Dht) => ({ host: '127.0.0.1', port: dht.address().port })
  const ring = async (count: number) => {
    const first = await nodeOfRing([])
    const others = await Promise.all(Array.from({ length: count - 1 }, () => nodeOfRing([placeOf(first)])))
    const nodes = [first, ...others]
    await eventually(() => nodes.every((node) => node.nodes.count() > 0))
    return nodes
  }
  const part = (given: Partial<ConstructorParameters<typeof PublicDht>[0]>) => {
    const dht = new PublicDht({
      ...{ host: '127.0.0.1', port: () => 7_001, bootstrap: [], clock: systemClock, timers: systemTimers },
      ...{ now: () => performance.now(), rejected: () => {} },
      ...given,
    })
    lab.defer(() => dht.close())
    return dht
  }

  it('brings two engines together that know of nothing else, by a magnet link', async () => {
    const nodes = await ring(5)
    const [first] = nodes as [Dht]
    const publicDhtBootstrap = [placeOf(first)]
    const seeder = await lab.seeder('seeder', { 'a.bin': 200_000 }, { publicDhtBootstrap })
    const { infoHash } = seeder.metainfo
    seeder.engine.setSources(infoHash, IN_DHT)
    await eventually(() => seeder.engine.sources(infoHash)[0]?.announcedAt !== undefined)
    const [row] = seeder.engine.sources(infoHash)
    assert.deepEqual([row?.kind, row?.state, row?.problem], ['dht', 'works', undefined])
    assert.ok((row?.nodes ?? 0) > 0)
    const leecher = await lab.node('leecher', { publicDhtBootstrap })
    await leecher.engine.add(
      { kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` },
      { directory: leecher.directory, sources: IN_DHT },
    )
    await leecher.until((said) => said.completed.length === 1)
    assert.ok((leecher.engine.sources(infoHash)[0]?.peers ?? 0) >= 1)
    // It has nothing to do with the DHT of the network.
    assert.deepEqual([seeder.engine.dht.nodeCount, leecher.engine.dht.nodeCount], [0, 0])
  })

  it('does not run for torrents that are not public, or private, or not in it', async () => {
    const asked: string[] = []
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    lab.defer(async () => void socket.close())
    socket.on('message', () => asked.push('asked'))
    const publicDhtBootstrap = [{ host: '127.0.0.1', port: socket.address().port }]
    const node = await lab.seeder('node', { 'a.bin': 1_000 }, { publicDhtBootstrap })
    const { infoHash } = node.metainfo
    const secret = await lab.privateTorrent(node, 2_000)
    node.engine.setSources(secret.infoHash, IN_DHT)
    node.engine.setSources(infoHash, { ...IN_DHT, public: false })
    node.engine.setSources(infoHash, { ...IN_DHT, dht: false })
    assert.deepEqual([node.engine.sources(infoHash), node.engine.sources(secret.infoHash)], [[], []])
    const other = await lab.seeder('other', { 'b.bin': 1_000 }, { publicDhtBootstrap })
    other.engine.setSources(other.metainfo.infoHash, IN_DHT)
    await eventually(() => asked.length > 0)
    // The other alone.
    assert.equal(asked.length, 1)
  })

  it('says what is wrong where nobody lets it in, and goes on trying', async () => {
    const late = await nodeOfRing([])
    const place = placeOf(late)
    await new Promise<void>((resolve) => late.destroy(() => resolve()))
    const none = part({}).join(randomHash(), () => {})
    assert.match(none.status.problem ?? '', /--public-dht HOST:PORT/)
    const nameless = part({ bootstrap: [{ host: 'no.such.host.invalid', port: 1 }] }).join(randomHash(), () => {})
    await eventually(() => nameless.status.state === 'fails')
    assert.match(nameless.status.problem ?? '', /none of the names/)
    const alone = part({ bootstrap: [place] }).join(randomHash(), () => {})
    await eventually(() => alone.status.state === 'fails')
    assert.match(alone.status.problem ?? '', /has answered/)
    const dht = new Dht({ bootstrap: [], maxAge: 60_000 })
    lab.defer(() => new Promise<void>((resolve) => dht.destroy(() => resolve())))
    await new Promise<void>((resolve) => dht.listen(place.port, place.host, resolve))
    await eventually(() => alone.status.state === 'works', 15_000)
    assert.equal(alone.status.problem, undefined)
  })

  it('asks nobody of this machine or this network, unless it is entered there', async () => {
    const [inside] = (await ring(2)) as [Dht]
    const heard: number[] = []
    inside.on('find_node', () => heard.push(1))
    inside.on('get_peers', () => heard.push(1))
    const before = inside.nodes.count()
    const service = createSocket('udp4')
    await new Promise<void>((resolve) => service.bind(0, '127.0.0.1', resolve))
    lab.defer(async () => void service.close())
    let refused = 0
    // Entered by the world, which does not answer here: what comes of this machine is not heard, and not answered.
    const dht = part({ bootstrap: [{ host: '192.0.2.1', port: 6_881 }], host: '0.0.0.0', rejected: () => refused++ })
    const one = dht.join(randomHash(), () => {})
    await eventually(() => one.status.state === 'fails')
    const query = bencode({ t: 'aa', y: 'q', q: 'ping', a: { id: new Uint8Array(20).fill(7) } })
    const answered: unknown[] = []
    service.on('message', (datagram) => answered.push(datagram))
    // Its port is nobody's business: all that listen here are asked.
    const port = dht.address?.port ?? 0
    assert.ok(port > 0)
    service.send(query, port, '127.0.0.1')
    await eventually(() => refused === 1)
    assert.deepEqual([answered, heard, inside.nodes.count()], [[], [], before])
  })

  it('ends a look-up that others draw out for ever, and takes a bounded number of peers from it', async () => {
    const infoHash = randomHash()
    // One id, nearest to the torrent, at ever other doors: each names the next, and many peers.
    const doors = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const door = createSocket('udp4')
        await new Promise<void>((resolve) => door.bind(0, '127.0.0.1', resolve))
        lab.defer(async () => void door.close())
        return door
      }),
    )
    let asked = 0
    const answering = new Set<NodeJS.Timeout>()
    lab.defer(async () => answering.forEach(clearTimeout))
    for (const [at, door] of doors.entries()) {
      door.on('message', (datagram, from) => {
        const text = datagram.toString('latin1')
        const transaction = datagram.subarray(text.lastIndexOf('1:t2:') + 5).subarray(0, 2)
        const id = Buffer.from(infoHash, 'hex')
        const next = Buffer.concat([id, Uint8Array.of(127, 0, 0, 1, 0, 0)])
        next.writeUInt16BE(doors[(at + 1) % doors.length]?.address().port ?? 0, 24)
        const values = Array.from({ length: 300 }, (_, peer) => Uint8Array.of(192, 0, 2, peer & 255, at, 1 + (peer >> 8)))
        const isLookup = text.includes('9:get_peers')
        if (isLookup) asked++
        const answer = bencode({ t: transaction, y: 'r', r: { id, nodes: next, token: 'x', ...(isLookup && { values }) } })
        const timer = setTimeout(() => {
          answering.delete(timer)
          door.send(answer, from.port, from.address)
        }, 30)
        answering.add(timer)
      })
    }
    const found = new Set<string>()
    const place = { host: '127.0.0.1', port: doors[0]?.address().port ?? 0 }
    // Our own time goes twenty times as fast as theirs.
    const timers = { after: (ms: number, run: () => void) => systemTimers.after(ms / 20, run) }
    const one = part({ bootstrap: [place], timers }).join(infoHash, (endpoints) => {
      for (const endpoint of endpoints) found.add(endpoint)
    })
    await eventually(() => one.status.announcedAt !== undefined, 20_000)
    assert.ok(asked > 10 && asked < 95, `${asked} were asked`)
    assert.equal(found.size, 200)
    assert.equal(one.status.peers, 200)
  }).timeout(60_000)

  it('goes again after a minute where nobody took its announcement', async () => {
    // It gives no token.
    const node = createSocket('udp4')
    await new Promise<void>((resolve) => node.bind(0, '127.0.0.1', resolve))
    lab.defer(async () => void node.close())
    const [infoHash, another] = [randomHash(), randomHash()]
    const heard: Buffer[] = []
    const askedFor = (hash: InfoHash) => heard.filter((datagram) => datagram.includes(Buffer.from(hash, 'hex'))).length
    node.on('message', (datagram, from) => {
      const text = datagram.toString('latin1')
      const transaction = datagram.subarray(text.lastIndexOf('1:t2:') + 5).subarray(0, 2)
      heard.push(datagram)
      node.send(bencode({ t: transaction, y: 'r', r: { id: new Uint8Array(20).fill(7) } }), from.port, from.address)
    })
    let now = 0
    const dht = part({ bootstrap: [{ host: '127.0.0.1', port: node.address().port }], now: () => now })
    const one = dht.join(infoHash, () => {})
    await eventually(() => askedFor(infoHash) === 1 && one.status.state === 'waiting' && one.status.nodes === 1)
    now = 59_999
    dht.join(another, () => {})
    // A turn was taken at that time, and it was not its.
    await eventually(() => askedFor(another) === 1)
    assert.equal(askedFor(infoHash), 1)
    now = 60_000
    await eventually(() => askedFor(infoHash) === 2)
    assert.equal(one.status.announcedAt, undefined)
  })

  it('announces torrents of a client within one budget', async () => {
    const [first] = (await ring(3)) as [Dht]
    const announced = new Set<string>()
    first.on('announce', (_peer: unknown, infoHash: Uint8Array) => announced.add(Buffer.from(infoHash).toString('hex')))
    let now = 0
    const dht = part({ bootstrap: [placeOf(first)], now: () => now })
    const parts = Array.from({ length: 6 }, () => dht.join(randomHash(), () => {}))
    const done = () => parts.filter(({ status }) => status.announcedAt !== undefined).length
    await eventually(() => done() === 4, 20_000)
    // Two seconds are one more turn; until then nobody goes.
    now = 1_999
    const waiting = parts.filter(({ status }) => status.state === 'waiting').length
    assert.equal(waiting, 2)
    now = 2_000
    await eventually(() => done() === 5, 20_000)
    now = 4_000
    await eventually(() => done() === 6, 20_000)
    assert.equal(announced.size, 6)
  }).timeout(60_000)

  it('ends with the last torrent, and starts again with the next', async () => {
    const [first] = (await ring(2)) as [Dht]
    const dht = part({ bootstrap: [placeOf(first)] })
    const one = dht.join(randomHash(), () => {})
    await eventually(() => one.status.announcedAt !== undefined)
    one.close()
    one.close()
    assert.equal(dht.address, undefined)
    const two = dht.join(randomHash(), () => {})
    await eventually(() => two.status.announcedAt !== undefined)
    assert.ok((two.status.nodes ?? 0) > 0)
  })
})

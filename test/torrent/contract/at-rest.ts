import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InfoHash, Millis } from '../../../src/events/index.ts'
import { systemClock } from '../../../src/events/model/time.system.ts'
import type { CreatedTorrent } from '../../../src/torrent/engine.ts'
import { dial, download, type EngineName, eventually, everything, Lab, type Node, sha256 } from '../engine-fixture.ts'
import { message, RawPeer } from '../raw-peer.ts'
import { connectionPair } from './made-connections.ts'

const REST_AFTER_MS = 120
/** As the engine has them. */
const IDLE_OPEN_MAX = 64

/** Seeds that nobody asks for. An engine that keeps them open does all of this too. */
export function atRestContract(engine: EngineName): void {
  const rests = engine === 'p2pt'

  describe('a seed at rest', function () {
    this.timeout(30_000)
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const seederAtRest = async (sizes: Readonly<Record<string, number>> = { 'a.bin': 500_000 }) => {
      const seeder = await lab.seeder('seeder', sizes, { restAfterMs: REST_AFTER_MS })
      isAtRest(seeder)
      return seeder
    }
    const isAtRest = (node: Node) => {
      if (rests) assert.equal(node.engine.openCount, 0)
    }
    /** As a node does that has it in a log. */
    const add = (node: Node, made: CreatedTorrent) =>
      node.engine.add(
        { kind: 'torrent-file', bytes: made.torrentFile },
        {
          ...{ directory: made.directory, stamps: made.stamps, verified: everything(made) },
          torrentFile: () => made.torrentFile,
        },
      )

    if (rests)
      it('does not rest for five minutes after it was published, 64 of them at a time', async () => {
        let later = 0
        const clock = { now: () => (systemClock.now() + later) as Millis }
        const node = await lab.node('publisher', { restAfterMs: REST_AFTER_MS, clock })
        const publish = async (name: string) => {
          const path = join(node.directory, name)
          await writeFile(path, randomBytes(1_000))
          const made = await node.engine.create([path], {})
          const { directory, stamps } = made
          const about = { directory, stamps, verified: everything(made), torrentFile: () => made.torrentFile, isNew: true }
          return node.engine.add({ kind: 'torrent-file', bytes: made.torrentFile }, about)
        }
        const first = await publish('0')
        for (let count = 1; count < 64; count++) await publish(String(count))
        later = 299_000
        await eventually(() => node.engine.list().every(({ state }) => state === 'seeding'))
        assert.equal(node.engine.openCount, 64)
        await publish('64')
        await eventually(() => node.engine.openCount === 64)
        assert.equal(node.engine.status(first)?.state, 'seeding')
        later = 301_000
        await eventually(() => node.engine.openCount === 1)
        later = 700_000
        await eventually(() => node.engine.openCount === 0)
      })

    if (rests)
      it('rests at once where its files were hashed a moment ago, and they are not looked at again', async () => {
        const node = await lab.node('publisher', { restAfterMs: REST_AFTER_MS })
        const path = join(node.directory, 'a.bin')
        await writeFile(path, randomBytes(100_000))
        const made = await node.engine.create([path], {})
        const { directory, stamps } = made
        const about = { directory, stamps, verified: everything(made), torrentFile: () => made.torrentFile, isHashed: true }
        // Nobody saw it go: that would be told by a look.
        await rm(path)
        await node.engine.add({ kind: 'torrent-file', bytes: made.torrentFile }, about)
        assert.equal(node.engine.status(made.infoHash)?.state, 'seeding')
        assert.equal(node.engine.openCount, 0)
        await node.engine.pause(made.infoHash)
        await node.engine.resume(made.infoHash)
        await eventually(() => node.engine.status(made.infoHash)?.state === 'failed')
      })

    it('has nothing open, is seeding, and serves a peer that comes', async () => {
      const seeder = await seederAtRest()
      const { infoHash } = seeder.metainfo
      assert.equal(seeder.engine.status(infoHash)?.state, 'seeding')
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      assert.equal(seeder.engine.openCount, 1)
      assert.equal(
        sha256(await readFile(join(leecher.directory, 'a.bin'))),
        sha256(seeder.files.get('a.bin') ?? new Uint8Array()),
      )
      const given = seeder.engine.status(infoHash)?.uploadedBytes ?? 0
      assert.ok(given >= 500_000)
      await leecher.engine.remove(infoHash, { deleteFiles: false })
      if (rests) await eventually(() => seeder.engine.openCount === 0)
      assert.equal(seeder.engine.status(infoHash)?.state, 'seeding')
      assert.equal(seeder.engine.status(infoHash)?.uploadedBytes, given)
      assert.deepEqual(seeder.recorded.completed, [])
    })

    it('hears what a peer says in one go with its handshake', async function () {
      if (!rests) this.skip()
      const seeder = await seederAtRest({ 'a.bin': 16_384 })
      const { infoHash } = seeder.metainfo
      const [haveNone, interested] = [message(15), message(2)]
      const peer = await RawPeer.dial(seeder.engine.port, infoHash, { extended: false, first: [haveNone, interested] })
      await eventually(() => peer.messages.some((each) => each[0] === 1), 20_000)
      peer.send(message(6, 0, 0, 16_384))
      await eventually(() => peer.messages.some((each) => each[0] === 7 && each.length === 9 + 16_384))
      peer.end()
    })

    it('is found in the DHT, and comes to rest again though it is found by many', async () => {
      const entry = await lab.node('entry')
      const dhtBootstrap = [{ host: '127.0.0.1', port: entry.engine.dht.port }]
      const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 }, { dhtBootstrap, restAfterMs: REST_AFTER_MS })
      isAtRest(seeder)
      const leecher = await lab.node('leecher', { dhtBootstrap })
      const uri = `magnet:?xt=urn:btih:${seeder.metainfo.infoHash}`
      await leecher.engine.add({ kind: 'magnet', uri }, { directory: leecher.directory })
      await leecher.until((said) => said.completed.length === 1)
      await leecher.engine.pause(seeder.metainfo.infoHash)
      if (rests) await eventually(() => seeder.engine.openCount === 0)
    })

    it('notices a file that was edited while nobody looked, before it serves a byte', async () => {
      const seeder = await seederAtRest()
      const { infoHash } = seeder.metainfo
      await writeFile(join(seeder.directory, 'a.bin'), randomBytes(500_000))
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await seeder.until((said) => said.changed.length === 1)
      assert.deepEqual(seeder.recorded.changed, [{ file: 0, path: 'a.bin', how: 'modified' }])
      assert.equal(seeder.engine.status(infoHash)?.state, 'failed')
      assert.deepEqual(
        leecher.recorded.judged.flatMap(({ bad }) => bad),
        [],
      )
      assert.equal(leecher.recorded.verified.length, 0)
    })

    it('is paused, serves nobody then, and goes on', async () => {
      const seeder = await seederAtRest()
      const { infoHash } = seeder.metainfo
      await seeder.engine.pause(infoHash)
      assert.equal(seeder.engine.status(infoHash)?.state, 'paused')
      const peer = await RawPeer.dial(seeder.engine.port, infoHash)
      await peer.closed
      assert.equal(peer.bytesReceived, 0)
      await seeder.engine.resume(infoHash)
      await eventually(() => seeder.engine.status(infoHash)?.state === 'seeding')
      isAtRest(seeder)
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.completed.length === 1)
    })

    it('is rechecked, and told what it finds', async () => {
      const seeder = await seederAtRest()
      const { infoHash, pieceCount } = seeder.metainfo
      const found = await seeder.engine.recheck(infoHash, {})
      assert.deepEqual(found.pieces, [{ first: 0, count: pieceCount }])
      await seeder.engine.resume(infoHash)
      await eventually(() => seeder.engine.status(infoHash)?.state === 'seeding')
      isAtRest(seeder)
    })

    it('is removed with its files, and nobody is served', async () => {
      const seeder = await seederAtRest()
      const { infoHash } = seeder.metainfo
      await seeder.engine.remove(infoHash, { deleteFiles: true })
      await assert.rejects(readFile(join(seeder.directory, 'a.bin')), /ENOENT/)
      const peer = await RawPeer.dial(seeder.engine.port, infoHash)
      await peer.closed
      assert.equal(peer.bytesReceived, 0)
    })

    it('keeps the limit that it is given', async function () {
      if (!rests) this.skip()
      const seeder = await seederAtRest({ 'a.bin': 2_000_000 })
      const { infoHash } = seeder.metainfo
      seeder.engine.limit(infoHash, { downloadBytesPerSecond: 0, uploadBytesPerSecond: 1_000_000 })
      const leecher = await lab.node('leecher')
      const from = performance.now()
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      assert.ok(performance.now() - from > 500)
    })

    it('dials whom a person names, and takes a connection that was made for it', async () => {
      const seeder = await seederAtRest()
      const { infoHash } = seeder.metainfo
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [])
      await dial(seeder, infoHash, [leecher])
      await leecher.until((said) => said.completed.length === 1)
      const other = await lab.node('other')
      await download(other, seeder.metainfo, [])
      await dial(other, infoHash, [])
      await leecher.engine.remove(infoHash, { deleteFiles: false })
      if (rests) await eventually(() => seeder.engine.openCount === 0)
      const [ours, theirs] = connectionPair()
      other.engine.adopt(ours, infoHash)
      seeder.engine.adopt(theirs, infoHash)
      await other.until((said) => said.completed.length === 1)
    })

    it('wants more files, and downloads them', async () => {
      const seeder = await lab.seeder('whole', { 'set/a.bin': 200_000, 'set/b.bin': 200_000 })
      const { infoHash } = seeder.metainfo
      const leecher = await lab.node('leecher', { restAfterMs: REST_AFTER_MS })
      const source = { kind: 'torrent-file', bytes: seeder.metainfo.torrentFile } as const
      const selection = { priorities: '20', others: 0, sequential: false } as const
      const torrentFile = () => seeder.metainfo.torrentFile
      await leecher.engine.add(source, { directory: leecher.directory, selection, torrentFile })
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      await seeder.engine.pause(infoHash)
      if (rests) await eventually(() => leecher.engine.openCount === 0)
      await seeder.engine.resume(infoHash)
      await leecher.engine.select(infoHash, undefined)
      await eventually(() => leecher.engine.status(infoHash)?.state === 'downloading')
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 2)
      assert.equal((await leecher.engine.files(infoHash)).length, 2)
    })

    it('is opened a few at a time by a stranger who names them all', async function () {
      if (!rests) this.skip()
      const { directory } = await lab.seeder('maker', { 'many/0.bin': 1 })
      const node = await lab.node('holder', { restAfterMs: 60_000 })
      const torrents: CreatedTorrent[] = []
      for (let index = 0; index < 120; index++) {
        const path = join(directory, `one ${index}.bin`)
        await writeFile(path, randomBytes(20_000))
        const made = await node.engine.create([path], {})
        torrents.push(made)
        await add(node, made)
      }
      await eventually(() => node.engine.list().every(({ state }) => state === 'seeding'))
      assert.equal(node.engine.openCount, 0)
      let most = 0
      const served = new Set<InfoHash>()
      for (let round = 0; round < 6; round++) {
        for (const { infoHash } of torrents.slice(round * 16, round * 16 + 16)) {
          const peer = await RawPeer.dial(node.engine.port, infoHash, { extended: false })
          if (peer.bytesReceived >= 68) served.add(infoHash)
          peer.end()
          most = Math.max(most, node.engine.openCount)
        }
        // The budget is one of a second.
        const second = Math.floor(performance.now() / 1_000)
        await eventually(() => Math.floor(performance.now() / 1_000) > second)
      }
      assert.ok(served.size > IDLE_OPEN_MAX, `${served.size} were opened in all`)
      assert.ok(most <= IDLE_OPEN_MAX + 1, `${most} were open at a time`)
      const at = performance.now()
      const named: RawPeer[] = []
      for (const { infoHash } of torrents) named.push(await RawPeer.open(node.engine.port).then((peer) => peer.hello(infoHash)))
      await eventually(() => named.every((peer) => peer.socket.destroyed || peer.bytesReceived >= 68))
      const answered = named.filter((peer) => peer.bytesReceived >= 68).length
      const seconds = Math.ceil((performance.now() - at) / 1_000) + 1
      assert.ok(answered <= 20 * seconds + IDLE_OPEN_MAX, `${answered} were opened within ${seconds} s`)
      for (const peer of named) peer.end()
    })
  })
}

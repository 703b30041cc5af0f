import assert from 'node:assert/strict'
import Dht from 'bittorrent-dht'
import type { InfoHash } from '../../../src/events/index.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import { bencode } from '../bencode-writer.ts'
import type { Node } from '../engine-fixture.ts'
import { dialUntil, type EngineName, eventually, Lab } from '../engine-fixture.ts'
import { extended, message, RawPeer } from '../raw-peer.ts'

export function discoveryContract(engine: EngineName): void {
  describe('finding peers', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    async function bootstrap() {
      const dht = new Dht({ bootstrap: [], maxAge: 60_000 })
      lab.defer(() => new Promise<void>((resolve) => dht.destroy(() => resolve())))
      await new Promise<void>((resolve) => dht.listen(0, '127.0.0.1', resolve))
      return { host: '127.0.0.1', port: dht.address().port }
    }

    it('happens in the private Mainline DHT, from nothing but a bootstrap and a magnet link', async () => {
      const dhtBootstrap = [await bootstrap()]
      const seeder = await lab.seeder('seeder', { 'a.bin': 200_000 }, { dhtBootstrap })
      const { infoHash } = seeder.metainfo
      const leecher = await lab.node('leecher', { dhtBootstrap })
      await eventually(() => leecher.engine.dht.nodeCount > 0 && seeder.engine.dht.nodeCount > 0)
      await leecher.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: leecher.directory })
      await leecher.until((said) => said.completed.length === 1)
      const found = await leecher.engine.lookup(infoHash)
      assert.ok(found.some(({ port }) => port === seeder.engine.port))
      assert.deepEqual(await leecher.engine.lookup('ee'.repeat(20) as InfoHash), [])
    })

    it('works when the bootstrap comes up after the nodes', async () => {
      const place = await bootstrap()
      await lab[Symbol.asyncDispose]()
      lab = new Lab(engine)
      const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 }, { dhtBootstrap: [place] })
      const leecher = await lab.node('leecher', { dhtBootstrap: [place] })
      const { infoHash } = seeder.metainfo
      await leecher.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: leecher.directory })
      const dht = new Dht({ bootstrap: [], maxAge: 60_000 })
      lab.defer(() => new Promise<void>((resolve) => dht.destroy(() => resolve())))
      await new Promise<void>((resolve) => dht.listen(place.port, place.host, resolve))
      await leecher.until((said) => said.completed.length === 1)
    })

    /** Serves metadata of its own making to whoever asks (BEP 9). */
    async function serveMetadata(node: Node, info: Uint8Array): Promise<InfoHash> {
      const infoHash = sha1([info]) as InfoHash
      await node.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: node.directory })
      await eventually(() => node.engine.status(infoHash)?.state === 'fetching-metadata')
      const peer = await RawPeer.dial(node.engine.port, infoHash)
      peer.send(extended(0, bencode({ m: { ut_metadata: 9 }, metadata_size: info.length })))
      await eventually(() => peer.messages.some((each) => each[0] === 20 && each[1] === 9))
      const pieces = Math.ceil(info.length / 16_384)
      for (let piece = 0; piece < pieces; piece++) {
        const head = Buffer.from(bencode({ msg_type: 1, piece, total_size: info.length }))
        peer.send(message(20, Buffer.from([1]), head, info.subarray(piece * 16_384, (piece + 1) * 16_384)))
      }
      return infoHash
    }

    it('ends with a sentence where a magnet link names a torrent that is refused', async () => {
      const node = await lab.node('node')
      const info = bencode({ length: -1, name: 'a', 'piece length': 16_384, pieces: new Uint8Array(20) })
      const infoHash = await serveMetadata(node, info)
      await node.until((said) => said.failed.length === 1)
      assert.equal(node.recorded.failed[0]?.infoHash, infoHash)
      assert.match(node.recorded.failed[0]?.problem ?? '', /negative length/)
      assert.equal(node.engine.status(infoHash)?.state, 'failed')
      assert.deepEqual(node.recorded.described, [])
    })

    it('ends with a sentence where the metadata hashes right and is nested without end', async () => {
      const node = await lab.node('node')
      const depth = 30_000
      const info = Buffer.from(`d1:a${'l'.repeat(depth)}${'e'.repeat(depth)}e`)
      await serveMetadata(node, info)
      await node.until((said) => said.failed.length === 1)
      assert.match(node.recorded.failed[0]?.problem ?? '', /nested deeper/)
    })

    it('does not believe metadata of another torrent, whoever dials', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 50_000 })
      const { infoHash } = seeder.metainfo
      const node = await lab.node('node')
      await node.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: node.directory })
      const forged = bencode({ length: 100, name: 'forged', 'piece length': 16_384, pieces: new Uint8Array(20) })
      await eventually(() => node.engine.status(infoHash)?.state === 'fetching-metadata')
      const peer = await RawPeer.dial(node.engine.port, infoHash)
      peer.send(extended(0, bencode({ m: { ut_metadata: 9 }, metadata_size: forged.length })))
      await eventually(() => peer.messages.some((each) => each[0] === 20 && each[1] === 9))
      const head = Buffer.from(bencode({ msg_type: 1, piece: 0, total_size: forged.length }))
      peer.send(message(20, Buffer.from([1]), head, forged))
      await dialUntil(node, infoHash, seeder, () => node.recorded.completed.length === 1)
      assert.deepEqual(
        node.recorded.described.map((each) => each.name),
        ['a.bin'],
      )
      peer.end()
    })
  })
}

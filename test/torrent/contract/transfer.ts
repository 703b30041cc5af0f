import assert from 'node:assert/strict'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InfoHash } from '../../../src/events/index.ts'
import { TorrentError } from '../../../src/torrent/engine.ts'
import { countOf, dial, dialUntil, digestOf, download, type EngineName, eventually, Lab, sha256 } from '../engine-fixture.ts'

export function transferContract(engine: EngineName): void {
  describe('a torrent', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    it('downloads a folder intact and judges the seeder by its proven key', async () => {
      const seeder = await lab.seeder('seeder', { 'tree/one.bin': 1_500_000, 'tree/deep/two?.bin': 700_001, 'tree/empty': 0 })
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.completed.length === 1)

      for (const [path, bytes] of seeder.files) assert.equal(await digestOf(join(leecher.directory, path)), sha256(bytes), path)
      await leecher.until((said) => countOf(said.verified) === seeder.metainfo.pieceCount)
      const subjects = new Set(leecher.recorded.judged.map((each) => each.subject))
      assert.deepEqual([...subjects], [seeder.id])
      assert.equal(countOf(leecher.recorded.judged.flatMap((each) => each.good)), seeder.metainfo.pieceCount)
      assert.deepEqual(
        leecher.recorded.judged.flatMap((each) => each.bad),
        [],
      )
      const status = leecher.engine.status(seeder.metainfo.infoHash)
      assert.equal(status?.state, 'seeding')
      assert.equal(status?.piecesVerified, seeder.metainfo.pieceCount)
      await eventually(() => seeder.engine.status(seeder.metainfo.infoHash)?.peers[0]?.id === leecher.id)
    })

    it('takes a magnet link, gets the metainfo from a peer, and downloads', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 900_000 })
      const leecher = await lab.node('leecher')
      const { infoHash } = seeder.metainfo
      const uri = `magnet:?xt=urn:btih:${infoHash.toUpperCase()}&dn=a%20name&tr=http%3A%2F%2F127.0.0.1%3A1%2Fannounce`
      assert.equal(await leecher.engine.add({ kind: 'magnet', uri }, { directory: leecher.directory }), infoHash)
      assert.equal(leecher.engine.status(infoHash)?.state, 'fetching-metadata')
      assert.equal(leecher.engine.status(infoHash)?.name, 'a name')
      await dialUntil(leecher, infoHash, seeder, () => leecher.recorded.described.length > 0)
      await leecher.until((said) => said.completed.length === 1)
      assert.deepEqual(
        leecher.recorded.described.map((each) => each.torrentFile),
        [seeder.metainfo.torrentFile],
      )
      assert.equal(await digestOf(join(leecher.directory, 'a.bin')), sha256(seeder.files.get('a.bin') ?? new Uint8Array()))
    })

    it('gives a magnet link its metadata when the peer with the metadata dials in', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
      const leecher = await lab.node('leecher')
      const { infoHash } = seeder.metainfo
      await leecher.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: leecher.directory })
      await dial(seeder, infoHash, [leecher])
      await leecher.until((said) => said.completed.length === 1)
    })

    it('resumes where it was, without hashing again and without asking for a piece twice', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 4_000_000 }, { uploadBytesPerSecondMax: 2_000_000 })
      const { metainfo } = seeder
      const first = await lab.node('first')
      await download(first, metainfo, [seeder])
      await first.until((said) => countOf(said.verified) >= 20)
      await first.engine[Symbol.asyncDispose]()
      const verified = first.recorded.verified
      assert.ok(countOf(verified) < metainfo.pieceCount, 'it was stopped in the middle')

      const second = await lab.node('second')
      await second.engine.add({ kind: 'torrent-file', bytes: metainfo.torrentFile }, { directory: first.directory, verified })
      await dial(second, metainfo.infoHash, [seeder])
      assert.ok((second.engine.status(metainfo.infoHash)?.piecesVerified ?? 0) >= countOf(verified))
      await second.until((said) => said.completed.length === 1)
      assert.equal(countOf(verified) + countOf(second.recorded.verified), metainfo.pieceCount)
      assert.equal(await digestOf(join(first.directory, 'a.bin')), sha256(seeder.files.get('a.bin') ?? new Uint8Array()))
    })

    it('checks the disk where nothing is known, and finds what is there', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 600_000 })
      const other = await lab.node('other')
      const source = { kind: 'torrent-file', bytes: seeder.metainfo.torrentFile } as const
      await other.engine.add(source, { directory: seeder.metainfo.directory })
      await other.until((said) => said.completed.length === 1)
      assert.equal(countOf(other.recorded.checked), seeder.metainfo.pieceCount)
      assert.deepEqual(other.recorded.verified, [])
      assert.deepEqual(other.recorded.judged, [])
    })

    it('says nothing of completion again for a torrent that was complete before', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 })
      assert.deepEqual(seeder.recorded.completed, [])
      assert.deepEqual(seeder.recorded.verified, [])
    })

    it('pauses, serves and asks nothing meanwhile, and goes on', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 3_000_000 }, { uploadBytesPerSecondMax: 2_000_000 })
      const leecher = await lab.node('leecher')
      const { infoHash, pieceCount } = seeder.metainfo
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => countOf(said.verified) > 5)
      await leecher.engine.pause(infoHash)
      const status = leecher.engine.status(infoHash)
      assert.equal(status?.state, 'paused')
      assert.deepEqual(status?.peers, [])
      assert.equal(status?.piecesVerified, countOf(leecher.recorded.verified))
      await leecher.engine.resume(infoHash)
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      assert.equal(countOf(leecher.recorded.verified), pieceCount)
    })

    it('removes a torrent with its files and folders, and nothing beside them', async () => {
      const seeder = await lab.seeder('seeder', { 'tree/a/one': 50_000, 'tree/two': 50_000 })
      const beside = join(seeder.directory, 'tree', 'a', 'mine.txt')
      await writeFile(beside, 'mine')
      await seeder.engine.remove(seeder.metainfo.infoHash, { deleteFiles: true })
      assert.deepEqual((await readdir(seeder.directory, { recursive: true })).sort(), ['tree', 'tree/a', 'tree/a/mine.txt'])
      assert.equal(seeder.engine.status(seeder.metainfo.infoHash), undefined)
    })

    it('says which port is in use', async () => {
      const one = await lab.node('one')
      await assert.rejects(lab.node('two', { port: one.engine.port }), (error: unknown) => {
        assert.ok(error instanceof TorrentError)
        assert.equal(error.code, 'PORT_IN_USE')
        assert.match(error.message, new RegExp(`port ${one.engine.port}`))
        return true
      })
    })

    it('refuses the same torrent twice, a path that is not there, and an info hash it does not have', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 50_000 })
      const source = { kind: 'torrent-file', bytes: seeder.metainfo.torrentFile } as const
      await assert.rejects(seeder.engine.add(source, { directory: seeder.directory }), { code: 'DUPLICATE' })
      await assert.rejects(seeder.engine.create([join(seeder.directory, 'nowhere')], {}), { code: 'NO_SUCH_PATH' })
      await assert.rejects(seeder.engine.pause('00'.repeat(20) as InfoHash), { code: 'UNKNOWN_INFO_HASH' })
    })

    it('fails a torrent it cannot write, stays up, and resumes once it can', async () => {
      const seeder = await lab.seeder('seeder', { 'tree/a.bin': 200_000 })
      const leecher = await lab.node('leecher')
      const { infoHash } = seeder.metainfo
      // A file stands where the torrent needs a folder: what a full disk is to the engine, without filling one.
      await writeFile(join(leecher.directory, 'tree'), '')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.failed.length === 1)
      assert.match(leecher.recorded.failed[0]?.problem ?? '', /move it away, then resume/)
      assert.equal(leecher.engine.status(infoHash)?.state, 'failed')
      await rm(join(leecher.directory, 'tree'))
      await leecher.engine.resume(infoHash)
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
    })

    it('keeps one connection where two nodes dial each other', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 })
      const { infoHash } = seeder.metainfo
      const others = [await lab.node('one'), await lab.node('two'), await lab.node('three')]
      for (const other of others) {
        await download(other, seeder.metainfo, [seeder])
        seeder.engine.connect(infoHash, '127.0.0.1', other.engine.port)
        await other.until((said) => said.completed.length === 1)
      }
      const ids = () =>
        seeder.engine
          .status(infoHash)
          ?.peers.map((peer) => peer.id)
          .sort()
      await eventually(() => ids()?.length === 3)
      assert.deepEqual(ids(), others.map((other) => other.id).sort())
    })
  })
}

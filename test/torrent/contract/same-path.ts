import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TorrentError } from '../../../src/torrent/engine.ts'
import { dial, dialUntil, download, type EngineName, eventually, Lab } from '../engine-fixture.ts'

/** Two torrents that write one path serve each other's bytes, and are banned for it. */
export function samePathContract(engine: EngineName): void {
  describe('the path of a torrent’s file', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const fileOf = (made: { torrentFile: Uint8Array }) => ({ kind: 'torrent-file', bytes: made.torrentFile }) as const
    const taken = (name: string) => (error: unknown) => {
      assert.ok(error instanceof TorrentError, String(error))
      assert.equal(error.code, 'PATH_TAKEN')
      assert.match(error.message, new RegExp(`would stand where "${name}" .* stands, at .*--to`))
      return true
    }

    it('belongs to one torrent: a second one is refused, and the first goes on', async () => {
      const one = await lab.seeder('one', { 'Ubuntu.iso': 500_000 })
      const two = await lab.seeder('two', { 'Ubuntu.iso': 500_000 })
      const node = await lab.node('node')
      await download(node, one.metainfo, [one])
      await assert.rejects(node.engine.add(fileOf(two.metainfo), { directory: node.directory }), taken('Ubuntu.iso'))
      assert.equal(node.engine.status(two.metainfo.infoHash), undefined)
      await node.until((said) => said.completed.length === 1)
      await assert.rejects(node.engine.add(fileOf(two.metainfo), { directory: node.directory }), taken('Ubuntu.iso'))
      assert.deepEqual(await readFile(join(node.directory, 'Ubuntu.iso')), one.files.get('Ubuntu.iso'))
      await assert.rejects(node.engine.add(fileOf(one.metainfo), { directory: node.directory }), { code: 'DUPLICATE' })
      await node.engine.add(fileOf(two.metainfo), { directory: await lab.directory('elsewhere') })
      await dial(node, two.metainfo.infoHash, [two])
      await node.until((said) => said.completed.length === 2)
    })

    it('is its real path: through links, `..`, a hard link, a file in a folder of another’s name', async () => {
      const one = await lab.seeder('one', { 'album/cd1/a': 50_000 })
      const node = await lab.node('node')
      const { directory } = node
      await download(node, one.metainfo, [one])
      await node.until((said) => said.completed.length === 1)
      const other = await lab.seeder('two', { 'album/cd1/a': 50_000 })
      const album = join(directory, 'album')
      await symlink(directory, join(dirname(directory), 'linked'))
      await mkdir(join(directory, 'x'))
      for (const into of [join(dirname(directory), 'linked'), join(directory, 'x', '..'), join(directory, '.', '')]) {
        await assert.rejects(node.engine.add(fileOf(other.metainfo), { directory: into }), taken('album'), into)
      }
      const inside = await lab.seeder('three', { 'cd1/a': 50_000 })
      await assert.rejects(node.engine.add(fileOf(inside.metainfo), { directory: album }), taken('album'))
      const folder = await lab.seeder('four', { cd1: 50_000 })
      await assert.rejects(node.engine.add(fileOf(folder.metainfo), { directory: album }), taken('album'))
      const below = await lab.seeder('five', { 'a/b': 50_000 })
      await assert.rejects(node.engine.add(fileOf(below.metainfo), { directory: join(album, 'cd1') }), taken('album'))
      await symlink(join(album, 'cd1'), join(directory, 'x', 'cd1'))
      await assert.rejects(node.engine.add(fileOf(inside.metainfo), { directory: join(directory, 'x') }), taken('album'))
      await link(join(album, 'cd1', 'a'), join(directory, 'x', 'hard'))
      const hard = await lab.seeder('six', { hard: 50_000 })
      await assert.rejects(node.engine.add(fileOf(hard.metainfo), { directory: join(directory, 'x') }), taken('album'))
      const beside = await lab.seeder('seven', { 'album/cd2/a': 50_000 })
      await node.engine.add(fileOf(beside.metainfo), { directory })
    })

    it('is free again when its torrent is removed', async () => {
      const one = await lab.seeder('one', { a: 50_000 })
      const two = await lab.seeder('two', { a: 50_000 })
      const node = await lab.node('node')
      await download(node, one.metainfo, [one])
      await node.engine.remove(one.metainfo.infoHash, { deleteFiles: true })
      await node.engine.add(fileOf(two.metainfo), { directory: node.directory })
    })

    it('is looked up for a magnet link when its metainfo comes: it fails, and touches no file', async () => {
      const one = await lab.seeder('one', { a: 50_000 })
      const two = await lab.seeder('two', { a: 60_000 })
      const node = await lab.node('node')
      await download(node, one.metainfo, [one])
      await node.until((said) => said.completed.length === 1)
      const { infoHash } = two.metainfo
      await node.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: node.directory })
      await dialUntil(node, infoHash, two, () => node.recorded.failed.length > 0)
      assert.match(node.recorded.failed[0]?.problem ?? '', /"a" would stand where "a" .* stands, at .*--to/)
      assert.equal(node.engine.status(infoHash)?.state, 'failed')
      await node.engine.remove(infoHash, { deleteFiles: true })
      assert.deepEqual(await readFile(join(node.directory, 'a')), one.files.get('a'))
      assert.equal(node.engine.status(one.metainfo.infoHash)?.state, 'seeding')
    })

    it('is kept when a torrent is removed with its files and another one has it too', async () => {
      const one = await lab.seeder('one', { 'album/a': 50_000, 'album/b': 50_000 })
      const node = await lab.node('node')
      await download(node, one.metainfo, [one])
      await node.until((said) => said.completed.length === 1)
      const published = await node.engine.create([join(node.directory, 'album', 'a')], {})
      const { directory, stamps } = published
      const verified = [{ first: 0, count: published.pieceCount }]
      await node.engine.add(fileOf(published), { directory, verified, stamps })
      await node.engine.remove(one.metainfo.infoHash, { deleteFiles: true })
      assert.deepEqual(await readFile(join(node.directory, 'album', 'a')), one.files.get('album/a'))
      await assert.rejects(readFile(join(node.directory, 'album', 'b')), { code: 'ENOENT' })
      await eventually(() => node.engine.status(published.infoHash)?.state === 'seeding')
    })

    it('is not written over where a person’s file stands: it is told, kept, and written over when asked to', async () => {
      const seeder = await lab.seeder('seeder', { 'album/README': 5_000, 'album/song': 100_000 })
      const { metainfo } = seeder
      const node = await lab.node('node')
      const mine = join(node.directory, 'album', 'README')
      await mkdir(dirname(mine))
      await writeFile(mine, 'my own notes')
      await download(node, metainfo, [])
      await node.until((said) => said.failed.length > 0)
      assert.match(node.recorded.failed[0]?.problem ?? '', /album\/README stands in .* already, is not of this torrent/)
      await node.engine.remove(metainfo.infoHash, { deleteFiles: true })
      assert.equal(await readFile(mine, 'utf8'), 'my own notes')
      await node.engine.add(fileOf(metainfo), { directory: node.directory, overwrite: true })
      await dial(node, metainfo.infoHash, [seeder])
      await node.until((said) => said.completed.length === 1)
      assert.deepEqual((await readFile(mine)).subarray(0, 5_000), seeder.files.get('album/README'))
    })

    it('is taken where some of it stands already', async () => {
      const seeder = await lab.seeder('seeder', { song: 200_000 })
      const node = await lab.node('node')
      const part = Buffer.concat([(seeder.files.get('song') ?? new Uint8Array()).subarray(0, 100_000), randomBytes(50_000)])
      await writeFile(join(node.directory, 'song'), part)
      await download(node, seeder.metainfo, [seeder])
      await node.until((said) => said.completed.length === 1)
      assert.deepEqual(node.recorded.checked, [{ first: 0, count: 6 }])
    })

    describe('of a torrent that is given again', () => {
      it('stays, and the peer of the magnet link is dialled', async () => {
        const seeder = await lab.seeder('seeder', { a: 50_000 })
        const node = await lab.node('node')
        const { infoHash } = seeder.metainfo
        const uri = `magnet:?xt=urn:btih:${infoHash}`
        await node.engine.add({ kind: 'magnet', uri }, { directory: node.directory })
        assert.equal(await node.engine.supply({ kind: 'magnet', uri }), undefined)
        assert.equal(await node.engine.supply({ kind: 'magnet', uri: `${uri}&x.pe=127.0.0.1:${seeder.engine.port}` }), infoHash)
        await node.until((said) => said.completed.length === 1)
      })

      it('stays, and the metainfo that it waited for is taken', async () => {
        const seeder = await lab.seeder('seeder', { a: 50_000 })
        const node = await lab.node('node')
        const { infoHash } = seeder.metainfo
        assert.equal(await node.engine.supply(fileOf(seeder.metainfo)), undefined, 'there is no such torrent yet')
        await node.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: node.directory })
        assert.equal(await node.engine.supply(fileOf(seeder.metainfo)), infoHash)
        assert.equal(node.recorded.described.length, 1)
        await dial(node, infoHash, [seeder])
        await node.until((said) => said.completed.length === 1)
        assert.equal(await node.engine.supply(fileOf(seeder.metainfo)), undefined)
      })
    })
  })
}

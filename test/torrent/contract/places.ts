import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { link, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PlaceOptions, TorrentError, type TorrentErrorCode } from '../../../src/torrent/engine.ts'
import { countOf, dial, download, type EngineName, eventually, everything, Lab, type Node, seed } from '../engine-fixture.ts'

const SLOW = { uploadBytesPerSecondMax: 1_500_000 }

/** Files that a person puts elsewhere or calls otherwise. */
export function placesContract(engine: EngineName): void {
  describe('a torrent whose files are moved or renamed', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const place = async (node: Node, infoHash: Parameters<Node['engine']['place']>[0], to: Partial<PlaceOptions>) => {
      const said: string[] = []
      const steps = {
        begun: async () => void said.push('begun'),
        staged: async () => void said.push('staged'),
        cleared: async () => void said.push('cleared'),
      }
      await node.engine.place(infoHash, { ...steps, ...to })
      return said
    }
    const refused = async (work: Promise<unknown>, code: TorrentErrorCode, text: RegExp) =>
      assert.rejects(work, (error: unknown) => {
        assert.ok(error instanceof TorrentError, String(error))
        assert.equal(error.code, code)
        assert.match(error.message, text)
        return true
      })
    const nothingChanged = (...nodes: Node[]) => {
      for (const { recorded } of nodes) {
        assert.deepEqual([recorded.changed, recorded.failed, recorded.suspected], [[], [], []])
        assert.deepEqual(
          recorded.judged.flatMap(({ bad }) => bad),
          [],
        )
      }
    }

    it('goes on seeding from the new place, while somebody downloads', async () => {
      const seeder = await lab.seeder('seeder', { 'album/one.bin': 6_000_000, 'album/two.bin': 2_000_000 }, SLOW)
      const { infoHash, directory } = seeder.metainfo
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => countOf(said.verified) >= 10)
      const to = await lab.directory('elsewhere')
      assert.deepEqual(await place(seeder, infoHash, { directory: to }), ['begun', 'staged', 'cleared'])
      assert.deepEqual(await readdir(directory), [])
      assert.equal(seeder.engine.status(infoHash)?.directory, to)
      await eventually(() => seeder.engine.status(infoHash)?.state === 'seeding')
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      for (const [path, bytes] of seeder.files) assert.deepEqual(await readFile(join(leecher.directory, path)), bytes)
      nothingChanged(seeder, leecher)
    })

    it('goes on downloading into the new place, under the new names', async () => {
      const seeder = await lab.seeder(
        'seeder',
        { 'album/one.bin': 4_000_000, 'album/two.bin': 2_000_000, 'album/nil': 0 },
        SLOW,
      )
      const { infoHash } = seeder.metainfo
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => countOf(said.verified) >= 10)
      const before = leecher.engine.status(infoHash)?.piecesVerified ?? 0
      const to = await lab.directory('elsewhere')
      const names = [
        { file: null, name: 'My album' },
        {
          file: (await leecher.engine.files(infoHash)).find(({ path }) => path.endsWith('two.bin'))?.file ?? -1,
          name: '2.bin',
        },
      ]
      await place(leecher, infoHash, { directory: to, names })
      assert.ok((leecher.engine.status(infoHash)?.piecesVerified ?? 0) >= before)
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      assert.deepEqual(await readFile(join(to, 'My album', 'one.bin')), seeder.files.get('album/one.bin'))
      assert.deepEqual(await readFile(join(to, 'My album', '2.bin')), seeder.files.get('album/two.bin'))
      assert.deepEqual((await readdir(join(to, 'My album'))).sort(), ['2.bin', 'nil', 'one.bin'])
      assert.deepEqual(await readdir(leecher.directory), [])
      assert.deepEqual((await leecher.engine.files(infoHash)).map(({ path }) => path).sort(), [
        'My album/2.bin',
        'My album/nil',
        'My album/one.bin',
      ])
      nothingChanged(seeder, leecher)

      const third = await lab.node('third')
      await download(third, seeder.metainfo, [leecher])
      await third.until((said) => said.completed.length === 1)
      const found = await leecher.engine.recheck(infoHash, {})
      assert.equal(countOf(found.pieces), seeder.metainfo.pieceCount)
      assert.equal(found.stamps.length, 2)
      await leecher.engine.remove(infoHash, { deleteFiles: true })
      assert.deepEqual(await readdir(to), [])
    })

    it('is opened again under its names, and told as changed when one of them is', async () => {
      const seeder = await lab.seeder('seeder', { 'album/one.bin': 200_000, 'album/two.bin': 100_000 })
      const { metainfo } = seeder
      const { infoHash } = metainfo
      const names = [{ file: 1, name: 'zwei' }]
      await place(seeder, infoHash, { names })
      await place(seeder, infoHash, { names: [{ file: null, name: 'Album' }] })
      await seeder.engine[Symbol.asyncDispose]()
      const again = await lab.node('again')
      const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
      const options = { directory: metainfo.directory, verified: everything(metainfo), stamps: metainfo.stamps }
      const called = new Map<number | null, string>([
        [null, 'Album'],
        [1, 'zwei'],
      ])
      await again.engine.add(source, { ...options, names: called })
      await eventually(() => again.engine.status(infoHash)?.state === 'seeding')
      nothingChanged(again)
      await writeFile(join(metainfo.directory, 'Album', 'zwei'), randomBytes(100_000))
      const leecher = await lab.node('leecher')
      await download(leecher, metainfo, [again])
      await again.until((said) => said.changed.length > 0)
      assert.deepEqual(again.recorded.changed, [{ file: 1, path: 'Album/zwei', how: 'modified' }])
      await refused(place(again, infoHash, { directory: await lab.directory('x') }), 'FILES_CHANGED', /zwei/)
    })

    it('may be called as the torrent has it again, and a file in no folder has one name', async () => {
      const seeder = await lab.seeder('seeder', { 'song.mp3': 100_000 })
      const { infoHash, directory } = seeder.metainfo
      await place(seeder, infoHash, { names: [{ file: 0, name: 'a song.mp3' }] })
      assert.deepEqual(await readdir(directory), ['a song.mp3'])
      await place(seeder, infoHash, { names: [{ file: null, name: 'b.mp3' }] })
      assert.deepEqual(await readdir(directory), ['b.mp3'])
      await place(seeder, infoHash, { names: [{ file: null, name: '' }] })
      assert.deepEqual(await readdir(directory), ['song.mp3'])
      assert.equal(seeder.engine.status(infoHash)?.name, 'song.mp3')
      nothingChanged(seeder)
    })

    it('is not moved to what is another’s, and goes on where it is', async () => {
      const node = await lab.seeder('node', { 'album/one.bin': 300_000, 'album/two.bin': 100_000 })
      const { infoHash } = node.metainfo
      const other = await lab.seeder('other', { 'album/one.bin': 300_000 })
      await seed(node, other.metainfo, other.metainfo.directory, other.metainfo.stamps)
      const to = (directory: string) => place(node, infoHash, { directory })
      await refused(
        to(other.metainfo.directory),
        'PATH_TAKEN',
        /would stand where "album" .* stands, at .*choose another folder/,
      )
      const foreign = await lab.directory('foreign')
      await mkdir(join(foreign, 'album'))
      await writeFile(join(foreign, 'album', 'two.bin'), 'mine')
      await refused(to(foreign), 'FILE_IN_THE_WAY', /two\.bin stands there already/)
      assert.equal(await readFile(join(foreign, 'album', 'two.bin'), 'utf8'), 'mine')
      const call = (file: number | null, name: string) => place(node, infoHash, { names: [{ file, name }] })
      await writeFile(join(node.directory, 'album', 'notes.txt'), 'mine')
      await refused(call(0, 'notes.txt'), 'FILE_IN_THE_WAY', /notes\.txt stands there already/)
      const badNames: [string, RegExp][] = [
        ['.', /folder of the system/],
        ['..', /folder of the system/],
        ['../out', /has no slash/],
        ['/abs', /has no slash/],
        ['a/b', /has no slash/],
        ['a\0b', /control character/],
        ['a\\b', /backslash/],
        ['x'.repeat(256), /more than 255 bytes/],
        ['電'.repeat(86), /more than 255 bytes/],
        ['\ud800', /no text/],
        ['two.bin', /name of something else in the torrent/],
      ]
      for (const [name, why] of badNames) await refused(call(0, name), 'BAD_NAME', why)
      await refused(call(2, 'x'), 'BAD_NAME', /has no file 3/)
      assert.equal(node.engine.status(infoHash)?.directory, node.metainfo.directory)
      await eventually(() => node.engine.status(infoHash)?.state === 'seeding')
      await place(node, infoHash, { names: [{ file: 0, name: 'x'.repeat(255) }] })
      assert.deepEqual((await readdir(join(node.directory, 'album'))).sort(), ['notes.txt', 'two.bin', 'x'.repeat(255)])
      // Its folder holds a person's file, which stays.
      const near = await lab.directory('near')
      await to(near)
      assert.deepEqual(await readdir(join(node.directory, 'album')), ['notes.txt'])
      nothingChanged(node)
    })

    it('is not moved into the data directory of a node, but for its downloads', async () => {
      const node = await lab.seeder('node', { 'a.bin': 100_000 })
      const { infoHash } = node.metainfo
      const dataDirectory = await lab.directory('data')
      await mkdir(join(dataDirectory, 'log'))
      await mkdir(join(dataDirectory, 'downloads'))
      const another = await lab.directory('another')
      for (const name of ['node.json', 'key.seed']) await writeFile(join(another, name), '')
      for (const directory of [dataDirectory, join(dataDirectory, 'new'), join(dataDirectory, 'log', 'x'), another])
        await refused(place(node, infoHash, { directory, dataDirectory }), 'PRIVATE', /belongs to the data directory/)
      await place(node, infoHash, { directory: join(dataDirectory, 'downloads', 'music'), dataDirectory })
      assert.deepEqual(await readdir(join(dataDirectory, 'downloads', 'music')), ['a.bin'])
    })

    it('does not take away a file that another torrent seeds as well', async () => {
      const node = await lab.seeder('node', { 'album/one.bin': 100_000, 'album/two.bin': 100_000 })
      const part = await node.engine.create([join(node.directory, 'album', 'one.bin')], {})
      await seed(node, part, part.directory, part.stamps)
      const directory = await lab.directory('elsewhere')
      await refused(place(node, node.metainfo.infoHash, { directory }), 'PATH_TAKEN', /one\.bin .*which would lose it/)
      await node.engine.remove(part.infoHash, { deleteFiles: false })
      await place(node, node.metainfo.infoHash, { directory })
    })

    it('takes only its directory along while nothing on the disk is its own', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
      const { infoHash } = seeder.metainfo
      const node = await lab.node('node')
      await node.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, { directory: node.directory })
      await writeFile(join(node.directory, 'a.bin'), 'mine')
      await refused(place(node, infoHash, { names: [{ file: null, name: 'b' }] }), 'NO_METADATA', /nothing is known/)
      const to = await lab.directory('elsewhere')
      assert.deepEqual(await place(node, infoHash, { directory: to }), ['begun', 'staged', 'cleared'])
      assert.equal(await readFile(join(node.directory, 'a.bin'), 'utf8'), 'mine')
      await dial(node, infoHash, [seeder])
      await node.until((said) => said.completed.length === 1)
      assert.deepEqual(await readFile(join(to, 'a.bin')), seeder.files.get('a.bin'))
    })

    it('stays where it is when a step cannot be recorded, and stays paused when it was', async () => {
      const node = await lab.seeder('node', { 'a.bin': 300_000 })
      const { infoHash, directory } = node.metainfo
      const to = await lab.directory('elsewhere')
      const full = async () => {
        throw new Error('the log is full')
      }
      for (const step of ['begun', 'staged'] as const) {
        const said: string[] = []
        const cleared = async () => void said.push('cleared')
        await assert.rejects(place(node, infoHash, { directory: to, [step]: full, cleared }), /the log is full/)
        assert.deepEqual(said, step === 'begun' ? [] : ['cleared'])
        assert.deepEqual(await readdir(to), [])
        assert.equal(node.engine.status(infoHash)?.directory, directory)
      }
      await eventually(() => node.engine.status(infoHash)?.state === 'seeding')
      await node.engine.pause(infoHash)
      await place(node, infoHash, { directory: to })
      assert.equal(node.engine.status(infoHash)?.state, 'paused')
      assert.deepEqual(await readdir(to), ['a.bin'])
    })

    it('is not touched otherwise while it is moved, and is removed or closed in the middle', async () => {
      const node = await lab.seeder('node', { 'a.bin': 300_000 })
      const { infoHash, directory } = node.metainfo
      const to = await lab.directory('elsewhere')
      const gate = Promise.withResolvers<void>()
      const begun = Promise.withResolvers<void>()
      const moving = place(node, infoHash, {
        directory: to,
        begun: async () => {
          begun.resolve()
          await gate.promise
        },
      })
      await begun.promise
      assert.equal(node.engine.status(infoHash)?.state, 'moving')
      await refused(node.engine.resume(infoHash), 'MOVING', /is being moved/)
      await refused(node.engine.recheck(infoHash, {}), 'MOVING', /is being moved/)
      await refused(place(node, infoHash, { directory: to }), 'MOVING', /is being moved/)
      const removed = node.engine.remove(infoHash, { deleteFiles: false })
      gate.resolve()
      await assert.rejects(moving, { code: 'UNKNOWN_INFO_HASH' })
      await removed
      assert.deepEqual([await readdir(to), await readdir(directory)], [[], ['a.bin']])

      await seed(node, node.metainfo, directory, node.metainfo.stamps)
      const closing = Promise.withResolvers<void>()
      const late = place(node, infoHash, {
        directory: to,
        begun: async () => {
          closing.resolve()
        },
        staged: () => new Promise((_, reject) => setImmediate(() => reject(new Error('it is closed')))),
      })
      late.catch(() => {})
      await closing.promise
      await node.engine[Symbol.asyncDispose]()
      await assert.rejects(late)
      assert.deepEqual([await readdir(to), await readdir(directory)], [[], ['a.bin']])
    })

    it('is cleared away where a move was cut off, before it is taken up', async () => {
      const seeder = await lab.seeder('seeder', { 'album/one.bin': 300_000, 'album/two.bin': 100_000 })
      const { metainfo } = seeder
      const { infoHash, directory } = metainfo
      const to = await lab.directory('elsewhere')
      await place(seeder, infoHash, { directory: to, names: [{ file: null, name: 'Album' }] })
      await seeder.engine[Symbol.asyncDispose]()
      // As if it had died before: one file stands in both places, and one, without links, in the old one alone.
      await mkdir(join(directory, 'album'))
      await link(join(to, 'Album', 'one.bin'), join(directory, 'album', 'one.bin'))
      await rename(join(to, 'Album', 'two.bin'), join(directory, 'album', 'two.bin'))
      const again = await lab.node('again')
      await again.engine.add(
        { kind: 'torrent-file', bytes: metainfo.torrentFile },
        {
          ...{ directory: to, verified: everything(metainfo), stamps: metainfo.stamps },
          names: new Map([[null, 'Album']]),
          elsewhere: { directory, names: [{ file: null, name: '' }], wasMoved: true },
        },
      )
      await eventually(() => again.engine.status(infoHash)?.state === 'seeding')
      assert.deepEqual([await readdir(directory), (await readdir(join(to, 'Album'))).sort()], [[], ['one.bin', 'two.bin']])
      assert.equal((await stat(join(to, 'Album', 'one.bin'))).nlink, 1)
      nothingChanged(again)
    })
  })
}

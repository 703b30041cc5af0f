import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, copyFile, link, open, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FileStampAt } from '../../../src/events/index.ts'
import { FilesChanged } from '../../../src/torrent/files-changed.ts'
import type { Node } from '../engine-fixture.ts'
import { countOf, dial, download, type EngineName, eventually, everything, Lab } from '../engine-fixture.ts'

const run = promisify(execFile)

/** As taggers do that are told to keep the time: to the nanosecond. */
async function keepingTime(path: string, edit: () => Promise<unknown>): Promise<void> {
  const kept = `${path}.time`
  await run('touch', ['-r', path, kept])
  await edit()
  await run('touch', ['-r', kept, path])
  await rm(kept)
}

/** Large enough that most of it is still to be sent when it is changed. */
const SIZE = 16_000_000
const SLOW = { uploadBytesPerSecondMax: 1_500_000 }

/** An honest owner whose file is changed must not be blamed for it, and must be told. */
export function changedFilesContract(engine: EngineName): void {
  describe('a file that changes under its torrent', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const nobodyIsBlamed = (...nodes: Node[]) => {
      for (const { recorded } of nodes) {
        assert.deepEqual(
          recorded.judged.flatMap(({ bad }) => bad),
          [],
        )
        assert.deepEqual(recorded.suspected, [])
      }
    }
    const startedAgain = async (metainfo: Awaited<ReturnType<Lab['seeder']>>['metainfo'], stamps: readonly FileStampAt[]) => {
      const again = await lab.node('again')
      const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
      await again.engine.add(source, { directory: metainfo.directory, verified: everything(metainfo), stamps })
      return again
    }

    const edits: [string, string, (path: string) => Promise<unknown>][] = [
      ['overwritten', 'modified', (path) => writeFile(path, randomBytes(SIZE), { flag: 'r+' })],
      [
        'edited in one byte at its end',
        'modified',
        async (path) => {
          const file = await open(path, 'r+')
          await file.write(Buffer.of(1, 2, 3), 0, 3, SIZE - 10)
          await file.close()
        },
      ],
      ['cut short', 'shorter', (path) => truncate(path, 1_000_000)],
      ['deleted', 'gone', (path) => rm(path)],
      [
        'replaced by another of its name',
        'modified',
        async (path) => {
          await writeFile(`${path}.new`, randomBytes(SIZE))
          await rename(`${path}.new`, path)
        },
      ],
    ]
    for (const [what, how, edit] of edits) {
      it(`is served no more and told, and nobody is blamed: ${what} during an upload`, async () => {
        const seeder = await lab.seeder('seeder', { 'song.mp3': SIZE }, SLOW)
        const leecher = await lab.node('leecher')
        const { infoHash, directory } = seeder.metainfo
        await download(leecher, seeder.metainfo, [seeder])
        await leecher.until((said) => countOf(said.verified) >= 20)
        await edit(join(directory, 'song.mp3'))
        await seeder.until((said) => said.changed.length > 0)
        assert.deepEqual(seeder.recorded.changed, [{ file: 0, path: 'song.mp3', how }])
        await eventually(() => seeder.engine.status(infoHash)?.state === 'failed')
        await eventually(() => leecher.engine.status(infoHash)?.peers.length === 0)
        assert.match(seeder.engine.status(infoHash)?.problem ?? '', /song\.mp3/)
        nobodyIsBlamed(leecher, seeder)
        await assert.rejects(seeder.engine.resume(infoHash), FilesChanged)

        const again = await startedAgain(seeder.metainfo, seeder.metainfo.stamps)
        await again.until((said) => said.changed.length > 0)
        await dial(again, infoHash, [leecher])
        assert.equal(again.engine.status(infoHash)?.state, 'failed', 'after a restart as well')
        nobodyIsBlamed(leecher, again)
      })
    }

    it('is noticed at a start, before a byte of it is served', async () => {
      const seeder = await lab.seeder('seeder', { 'album/one.bin': 300_000, 'album/two.bin': 300_000 })
      await seeder.engine[Symbol.asyncDispose]()
      const { metainfo } = seeder
      await writeFile(join(metainfo.directory, 'album', 'two.bin'), randomBytes(300_000))
      const again = await startedAgain(metainfo, metainfo.stamps)
      await again.until((said) => said.changed.length > 0)
      assert.deepEqual(again.recorded.changed, [{ file: 1, path: 'album/two.bin', how: 'modified' }])
      assert.deepEqual(again.recorded.stamped, [])
    })

    it('is noticed in the piece that is asked for where its time was set back, while it runs and after a restart', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 4_000_000 })
      const { metainfo } = seeder
      const path = join(metainfo.directory, 'a.bin')
      await keepingTime(path, async () => {
        const file = await open(path, 'r+')
        await file.write(Buffer.of(1, 2, 3), 0, 3, 2_000_000)
        await file.close()
      })
      for (const node of [seeder, await startedAgain(metainfo, metainfo.stamps)]) {
        const leecher = await lab.node('leecher')
        await eventually(() => node.engine.status(metainfo.infoHash)?.state !== 'checking')
        await download(leecher, metainfo, [node])
        await node.until((said) => said.changed.length > 0)
        assert.deepEqual(node.recorded.changed, [{ file: 0, path: 'a.bin', how: 'bad-piece' }])
        nobodyIsBlamed(leecher, node)
        await node.engine[Symbol.asyncDispose]()
        await leecher.engine[Symbol.asyncDispose]()
        await rm(join(leecher.directory, 'a.bin'), { force: true })
      }
    })

    it('is served on where only its mode, its links and its times of access were', async () => {
      const seeder = await lab.seeder('seeder', { 'tree/a': 1_000_000, 'tree/b': 700_000 })
      const { metainfo } = seeder
      const a = join(metainfo.directory, 'tree', 'a')
      await chmod(a, 0o400)
      await link(a, join(metainfo.directory, 'elsewhere'))
      for (const node of [seeder, await startedAgain(metainfo, metainfo.stamps)]) {
        const leecher = await lab.node(`leecher of ${node.id}`)
        await eventually(() => node.engine.status(metainfo.infoHash)?.state === 'seeding')
        await download(leecher, metainfo, [node])
        await leecher.until((said) => said.completed.length === 1)
        assert.deepEqual(node.recorded.changed, [])
      }
    })

    it('is noticed at a start by a sample where all looks as it did', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
      await seeder.engine[Symbol.asyncDispose]()
      const path = join(seeder.metainfo.directory, 'a.bin')
      await writeFile(path, randomBytes(300_000))
      await utimes(path, 1, 1)
      const made = await lab.node('maker')
      const [stamp] = (await made.engine.create([path], {})).stamps
      assert.ok(stamp)
      const again = await startedAgain(seeder.metainfo, [stamp])
      await again.until((said) => said.changed.length > 0)
      assert.deepEqual(again.recorded.changed, [{ file: 0, path: 'a.bin', how: 'bad-piece' }])
    })

    it('is seeded again by a recheck when its bytes are put back, and not before', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 2_000_000 })
      const { infoHash, directory, pieceCount } = seeder.metainfo
      const path = join(directory, 'a.bin')
      const good = await readFile(path)
      const leecher = await lab.node('leecher')
      await writeFile(path, Buffer.concat([randomBytes(100_000), good.subarray(100_000)]))
      await download(leecher, seeder.metainfo, [seeder])
      await seeder.until((said) => said.changed.length === 1)

      let progress = 0
      const partly = await seeder.engine.recheck(infoHash, { onProgress: (done) => (progress = done) })
      assert.equal(progress, 2_000_000)
      assert.deepEqual(partly.pieces, [{ first: 7, count: pieceCount - 7 }])
      assert.deepEqual(partly.stamps, [])
      assert.equal(seeder.engine.status(infoHash)?.piecesVerified, pieceCount - 7)

      await writeFile(path, good)
      const whole = await seeder.engine.recheck(infoHash, {})
      assert.deepEqual(whole.pieces, [{ first: 0, count: pieceCount }])
      assert.equal(whole.stamps.length, 1)
      await seeder.engine.resume(infoHash)
      await dial(seeder, infoHash, [leecher])
      await leecher.until((said) => said.completed.length === 1)
      assert.deepEqual(await readFile(join(leecher.directory, 'a.bin')), good)
      nobodyIsBlamed(leecher, seeder)
    })

    it('is downloaded again over what stands there, once a recheck was made and it is resumed', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const other = await lab.seeder('other', { 'b.bin': 1 })
      const { metainfo } = seeder
      await copyFile(join(metainfo.directory, 'a.bin'), join(other.directory, 'a.bin'))
      const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
      await other.engine.add(source, { directory: other.directory })
      await other.until((said) => said.completed.length === 1)
      await truncate(join(other.directory, 'a.bin'), 500_000)
      const found = await other.engine.recheck(metainfo.infoHash, {})
      assert.ok(countOf(found.pieces) > 0 && countOf(found.pieces) < metainfo.pieceCount)
      await other.engine.resume(metainfo.infoHash)
      await dial(other, metainfo.infoHash, [seeder])
      await other.until((said) => said.completed.length === 2)
      assert.deepEqual(await readFile(join(other.directory, 'a.bin')), await readFile(join(metainfo.directory, 'a.bin')))
    })

    it('is told as well while it is downloaded: changed, gone, and too short at a start', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 4_000_000 }, SLOW)
      const { metainfo } = seeder
      const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
      const overwrite = async (path: string) => writeFile(path, randomBytes(2_000_000))
      for (const [name, edit] of [
        ['changed', overwrite],
        ['gone', (path: string) => rm(path)],
      ] as const) {
        const leecher = await lab.node(name)
        await download(leecher, metainfo, [seeder])
        await leecher.until((said) => countOf(said.verified) >= 20)
        await edit(join(leecher.directory, 'a.bin'))
        await leecher.until((said) => said.changed.length > 0)
        await eventually(() => leecher.engine.status(metainfo.infoHash)?.state === 'failed')
        nobodyIsBlamed(leecher, seeder)
      }
      const first = await lab.node('first')
      await download(first, metainfo, [seeder])
      await first.until((said) => countOf(said.verified) >= 20)
      await first.engine[Symbol.asyncDispose]()
      await truncate(join(first.directory, 'a.bin'), 1000)
      const again = await lab.node('first')
      await again.engine.add(source, { directory: first.directory, verified: first.recorded.verified })
      await again.until((said) => said.changed.length > 0)
      assert.deepEqual(again.recorded.changed, [{ file: 0, path: 'a.bin', how: 'shorter' }])
    })

    it('is not told of for our own writes, hard links and reads, and is stamped when it is settled', async () => {
      const seeder = await lab.seeder('seeder', { 'tree/a': 1_000_000, 'tree/b': 700_000, 'tree/c': 0 })
      const leecher = await lab.node('leecher')
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.completed.length === 1 && said.stamped.length === 2)
      await link(join(leecher.directory, 'tree', 'a'), join(leecher.directory, 'elsewhere'))
      const third = await lab.node('third')
      await download(third, seeder.metainfo, [leecher])
      await third.until((said) => said.completed.length === 1)
      assert.deepEqual([leecher.recorded.changed, third.recorded.changed], [[], []])
      await leecher.engine[Symbol.asyncDispose]()
      const again = await lab.node('again')
      const { torrentFile, infoHash } = seeder.metainfo
      await again.engine.add(
        { kind: 'torrent-file', bytes: torrentFile },
        { directory: leecher.directory, verified: everything(seeder.metainfo), stamps: leecher.recorded.stamped },
      )
      await eventually(() => again.engine.status(infoHash)?.state === 'seeding')
      assert.deepEqual([again.recorded.stamped, again.recorded.changed], [[], []])
    })

    it('cannot be rechecked twice at once, and is as it was when a check is stopped', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 100_000_000 })
      const { infoHash } = seeder.metainfo
      const stop = new AbortController()
      const checking = seeder.engine.recheck(infoHash, {
        signal: stop.signal,
        onProgress: () => stop.abort(new Error('enough')),
      })
      await assert.rejects(seeder.engine.recheck(infoHash, {}), { code: 'CHECKING' })
      assert.equal(seeder.engine.status(infoHash)?.state, 'checking')
      await assert.rejects(seeder.engine.resume(infoHash), { code: 'CHECKING' })
      await assert.rejects(checking, /enough/)
      await eventually(() => seeder.engine.status(infoHash)?.state === 'seeding')
    })
  })
}

import assert from 'node:assert/strict'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileSelection } from '../../../src/events/index.ts'
import { countOf, dial, digestOf, type EngineName, Lab, sha256 } from '../engine-fixture.ts'

const only = (priorities: string): FileSelection => ({ priorities, others: 0, sequential: false })

export function wantedFilesContract(engine: EngineName): void {
  describe('files that are wanted', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const FILES = { 'tree/a.bin': 1_000_000, 'tree/b.bin': 1_000_001, 'tree/c.bin': 1_000_000, 'tree/d-empty': 0 }
    const started = async (selection: FileSelection | undefined, seeding = {}) => {
      const seeder = await lab.seeder('seeder', FILES, seeding)
      const leecher = await lab.node('leecher')
      const { metainfo } = seeder
      const source = { kind: 'torrent-file', bytes: metainfo.torrentFile } as const
      await leecher.engine.add(source, { directory: leecher.directory, ...(selection && { selection }) })
      await dial(leecher, metainfo.infoHash, [seeder])
      const status = () => {
        const found = leecher.engine.status(metainfo.infoHash)
        assert.ok(found)
        return found
      }
      const isWhole = async (path: string) =>
        (await digestOf(join(leecher.directory, path)).catch(() => '')) === sha256(seeder.files.get(path) ?? new Uint8Array())
      return { seeder, leecher, infoHash: metainfo.infoHash, pieceCount: metainfo.pieceCount, status, isWhole }
    }

    it('are complete without the others, of which nothing but shared pieces comes', async () => {
      const { leecher, infoHash, pieceCount, status, isWhole } = await started(only('020'))
      await leecher.until((said) => said.completed.length === 1)
      const { state, piecesWanted, piecesWantedVerified, piecesVerified, timeLeftMs } = status()
      assert.equal(state, 'seeding')
      assert.equal(timeLeftMs, 0)
      assert.ok(piecesWanted < pieceCount / 2, `${piecesWanted} of ${pieceCount}`)
      assert.equal(piecesWantedVerified, piecesWanted)
      assert.equal(piecesVerified, piecesWanted)
      assert.ok(await isWhole('tree/b.bin'))
      await assert.rejects(access(join(leecher.directory, 'tree/d-empty')), /ENOENT/)
      const files = await leecher.engine.files(infoHash)
      assert.deepEqual(
        files.map(({ file, path, lengthBytes, priority }) => [file, path, lengthBytes, priority]),
        [
          [0, 'tree/a.bin', 1_000_000, 0],
          [1, 'tree/b.bin', 1_000_001, 2],
          [2, 'tree/c.bin', 1_000_000, 0],
          [3, 'tree/d-empty', 0, 0],
        ],
      )
      assert.equal(files[1]?.verifiedBytes, 1_000_001)
      assert.ok((files[0]?.verifiedBytes ?? 0) < 500_000)
    })

    it('may become more, and come then', async () => {
      const { leecher, infoHash, pieceCount, status, isWhole } = await started(only('2'))
      await leecher.until((said) => said.completed.length === 1)
      assert.ok(await isWhole('tree/a.bin'))
      const wanted = await leecher.engine.select(infoHash, undefined)
      assert.deepEqual(wanted, [{ first: 0, count: pieceCount }])
      await leecher.until((said) => said.completed.length === 2)
      for (const path of Object.keys(FILES)) assert.ok(await isWhole(path), path)
      assert.equal(status().piecesVerified, pieceCount)
      assert.equal(countOf(leecher.recorded.verified), pieceCount)
    })

    it('may become fewer while they come: what is here stays, and that may be all', async () => {
      const { leecher, infoHash, pieceCount, status, isWhole } = await started(undefined, {
        uploadBytesPerSecondMax: 1_000_000,
      })
      await leecher.until((said) => countOf(said.verified) > 0)
      await leecher.engine.select(infoHash, only('2'))
      await leecher.until((said) => said.completed.length === 1)
      assert.ok(await isWhole('tree/a.bin'))
      assert.equal(status().state, 'seeding')
      assert.ok(status().piecesVerified < pieceCount)
      await leecher.engine.select(infoHash, only(''))
      assert.equal(status().piecesWanted, 0)
      assert.equal(status().state, 'seeding')
    })

    it('are told again when the torrent is opened again', async () => {
      const { seeder, leecher, infoHash, status, isWhole } = await started(only('002'))
      await leecher.engine.pause(infoHash)
      assert.equal(status().state, 'paused')
      await leecher.engine.resume(infoHash)
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      assert.ok(await isWhole('tree/c.bin'))
      assert.equal(status().piecesVerified, status().piecesWanted)
    })

    it('of a magnet link are chosen before anybody knows them', async () => {
      const seeder = await lab.seeder('seeder', FILES)
      const leecher = await lab.node('leecher')
      const { infoHash } = seeder.metainfo
      const options = { directory: leecher.directory, selection: only('0002') }
      await leecher.engine.add({ kind: 'magnet', uri: `magnet:?xt=urn:btih:${infoHash}` }, options)
      await assert.rejects(leecher.engine.files(infoHash), /nothing is known/)
      assert.equal(await leecher.engine.select(infoHash, only('0200')), undefined)
      await dial(leecher, infoHash, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      assert.equal(
        await digestOf(join(leecher.directory, 'tree/b.bin')),
        sha256(seeder.files.get('tree/b.bin') ?? new Uint8Array()),
      )
    })
  })
}

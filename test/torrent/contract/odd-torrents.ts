import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { checkTorrentFile, type Metainfo } from '../../../src/torrent/metainfo.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import { dialUntil, digestOf, download, type EngineName, Lab, seed, sha256 } from '../engine-fixture.ts'
import { hashes, type More, multi, type Pairs, single, torrent } from '../odd/odd-torrent.ts'

type Made = { metainfo: Metainfo; files: ReadonlyMap<string, Uint8Array> }

/** What others make with unusual pieces, keys and names is downloaded as anything else is. */
export function oddTorrentsContract(engine: EngineName): void {
  describe('an odd torrent', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const made = (info: Pairs, bytes: Uint8Array): Made => {
      const metainfo = checkTorrentFile(torrent(info), sha1)
      const files = new Map<string, Uint8Array>()
      let at = 0
      for (const { path, lengthBytes, padding } of metainfo.files) {
        if (!padding) files.set(path.join('/'), bytes.subarray(at, at + lengthBytes))
        at += lengthBytes
      }
      return { metainfo, files }
    }
    const oneFile = (sizeBytes: number, pieceLengthBytes: number): Made => {
      const bytes = randomBytes(sizeBytes)
      const name = `${sizeBytes}-${pieceLengthBytes}.bin`
      const pieces = hashes(bytes, pieceLengthBytes)
      return made(single({ length: sizeBytes, name, 'piece length': pieceLengthBytes, pieces }), bytes)
    }
    /** Files of these lengths, one behind the other; those with `attr` are padding. */
    const folder = (files: readonly (More & { length: number })[], pieceLengthBytes: number): Made => {
      const bytes = Buffer.concat(
        files.map(({ length, attr }) => (attr === undefined ? randomBytes(length) : Buffer.alloc(length))),
      )
      return made(multi(files, { 'piece length': pieceLengthBytes, pieces: hashes(bytes, pieceLengthBytes) }), bytes)
    }
    async function standIn(directory: string, { files }: Made): Promise<void> {
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(directory, path)), { recursive: true })
        await writeFile(join(directory, path), bytes)
      }
    }
    async function pair() {
      return { seeder: await lab.node('seeder'), leecher: await lab.node('leecher') }
    }
    async function moves(torrents: readonly Made[]): Promise<string> {
      const { seeder, leecher } = await pair()
      for (const each of torrents) {
        await standIn(seeder.directory, each)
        await seed(seeder, each.metainfo, seeder.directory)
        await download(leecher, each.metainfo, [seeder])
      }
      await leecher.until((said) => said.completed.length === torrents.length)
      for (const { files } of torrents) {
        for (const [path, bytes] of files) assert.equal(await digestOf(join(leecher.directory, path)), sha256(bytes), path)
      }
      assert.deepEqual(
        leecher.recorded.judged.flatMap((each) => each.bad),
        [],
      )
      return leecher.directory
    }

    it('has pieces smaller than a block, and of any other length', async () => {
      const pieceLengths = [1, 1_000, 8_192, 16_383, 16_385, 25_344, 100_000, 4_192_256]
      await moves(pieceLengths.map((length) => oneFile(Math.min(50 * length, 2 * length + 400_001), length)))
    })

    it('has a piece of 128 MiB, which is longer than the torrent', async () => {
      await moves([oneFile(1_000_000, 134_217_728)])
    })

    it('has two files of one path, an empty part, a slash and bytes that are no UTF-8', async () => {
      const latin = (text: string) => Buffer.from(text, 'latin1')
      const odd = folder(
        [
          { length: 20_000, path: ['a.mp4'] },
          { length: 9_000, path: ['a.mp4'] },
          { length: 20_000, path: [latin('\xc0\xfd\xeb1.jpg')] },
          { length: 9_001, path: [latin('\xc1\xfe\xec1.jpg')] },
          { length: 7, path: ['', 'x/y'] },
          { length: 3, path: [`${'n'.repeat(300)}.txt`] },
        ],
        PIECE,
      )
      await moves([odd])
      assert.deepEqual(
        [...odd.files.keys()].map((path) => path.slice(2)),
        ['a.mp4', 'a.1.mp4', '___1.jpg', '___1.1.jpg', '_/xy', `${'n'.repeat(240)}.txt`],
      )
    })

    it('has padding and a link, and neither is written', async () => {
      const odd = folder(
        [
          { length: 1_000, path: ['a'] },
          { length: PIECE - 1_000, path: ['.pad', '15384'], attr: 'p' },
          { length: 2_000, path: ['b'] },
          { length: 0, path: ['c'], attr: 'l', 'symlink path': ['..', '..', 'etc', 'passwd'] },
        ],
        PIECE,
      )
      const directory = await moves([odd])
      assert.deepEqual(await readdir(join(directory, 'T')), ['a', 'b'])
    })

    it('has its keys out of order, and is the same torrent to a magnet link', async () => {
      const bytes = randomBytes(50_000)
      const info = single({ length: 50_000, name: 'uns.bin', pieces: hashes(bytes, PIECE) })
      const order = ['name', 'length', 'pieces', 'piece length']
      const odd = made(new Map([...info].sort(([a], [b]) => order.indexOf(String(a)) - order.indexOf(String(b)))), bytes)
      const { seeder, leecher } = await pair()
      await standIn(seeder.directory, odd)
      const { infoHash } = odd.metainfo
      assert.equal(infoHash, createHash('sha1').update(odd.metainfo.torrentFile.subarray(7, -1)).digest('hex'))
      if (engine === 'webtorrent') {
        await seeder.engine.add({ kind: 'torrent-file', bytes: odd.metainfo.torrentFile }, { directory: seeder.directory })
        await seeder.until(({ failed }) => failed.some(({ problem }) => problem.includes('keys are out of order')))
        return
      }
      await seed(seeder, odd.metainfo, seeder.directory)
      await leecher.engine.add({ kind: 'magnet', uri: ` magnet:?XT.1=urn:btih:${infoHash}` }, { directory: leecher.directory })
      await dialUntil(leecher, infoHash, seeder, () => leecher.recorded.completed.length === 1)
      assert.equal(await digestOf(join(leecher.directory, 'uns.bin')), sha256(bytes))
    })
  })
}

const PIECE = 16_384

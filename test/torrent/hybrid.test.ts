import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { dictionarySpans, encode } from '../../src/torrent/bencode.ts'
import { TorrentError } from '../../src/torrent/engine.ts'
import { inTreeOrder, paddingOf, placesOf } from '../../src/torrent/hybrid-info.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { withSources } from '../../src/torrent/torrent-file.ts'
import { Lab, type Node, seed } from './engine-fixture.ts'
import { pythonWithLibtorrent } from './python-libtorrent.ts'

const PYTHON = pythonWithLibtorrent()
const WHY = PYTHON === undefined ? ' (skipped: this machine has no python3-libtorrent)' : ''

/** Lengths around blocks and pieces, names whose order is another one by characters, and nothing at the end. */
const FILES: Readonly<Record<string, number>> = {
  ...{ 'a.txt': 100_000, 'a/one': 16_384, 'a/two': 16_385, 'a/nil': 0, 'b/deep/er/x': 1, c: 70_000 },
  ...{ '\uffee': 3_000, '\u{1f600}': 40_000, 'zz-empty': 0 },
}

describe('a hybrid torrent that is made here', () => {
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  const madeFrom = async (node: Node, files: Readonly<Record<string, number>>, folder = 'album') => {
    for (const [path, size] of Object.entries(files)) {
      const absolute = join(node.directory, folder, path)
      await mkdir(dirname(absolute), { recursive: true })
      await writeFile(
        absolute,
        Uint8Array.from({ length: size }, (_, at) => (at * 7 + path.length) & 255),
      )
    }
    return node.engine.create([join(node.directory, folder)], { hybrid: true })
  }
  const libtorrent = async (...words: string[]): Promise<string[]> => {
    assert.ok(PYTHON)
    const child = spawn(PYTHON, [join(import.meta.dirname, 'libtorrent-hybrid.py'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await new Promise((resolve) => child.once('close', resolve))
    return text.trim().split('\n')
  }

  it('is read here: each file at the start of a piece, under its own name, seeded and downloaded', async () => {
    const seeder = await lab.node('seeder')
    const made = await madeFrom(seeder, FILES)
    const { files, pieceLengthBytes } = checkTorrentFile(made.torrentFile, sha1)
    const own = files.filter(({ padding }) => !padding)
    assert.deepEqual(
      own.map(({ path }) => path.slice(1).join('/')),
      ['a/nil', 'a/one', 'a/two', 'a.txt', 'b/deep/er/x', 'c', 'zz-empty', '\uffee', '\u{1f600}'],
    )
    let offset = 0
    for (const { lengthBytes, padding } of files) {
      if (!padding && lengthBytes > 0) assert.equal(offset % pieceLengthBytes, 0)
      offset += lengthBytes
    }
    assert.equal(made.fileCount, 9)
    assert.deepEqual(
      made.stamps.map(({ file }) => [files[file]?.padding, (files[file]?.lengthBytes ?? 0) > 0]),
      Array(7).fill([false, true]),
    )
    await seed(seeder, made, made.directory, made.stamps)
    const leecher = await lab.node('leecher')
    await leecher.engine.add({ kind: 'torrent-file', bytes: made.torrentFile }, { directory: leecher.directory })
    leecher.engine.connect(made.infoHash, '127.0.0.1', seeder.engine.port)
    await leecher.until((said) => said.completed.length === 1)
    for (const path of Object.keys(FILES)) {
      const [a, b] = await Promise.all([seeder, leecher].map(({ directory }) => readFile(join(directory, 'album', path))))
      assert.deepEqual(a, b)
    }
    const again = await seeder.engine.create([join(seeder.directory, 'album')], { hybrid: true })
    assert.equal(again.infoHash, made.infoHash)
  })

  it('is not made of a file that is named like padding', async () => {
    const node = await lab.node('node')
    const many = Object.fromEntries(Array.from({ length: 3 }, (_, at) => [`${at}`, 1]))
    const { torrentFile } = await madeFrom(node, many)
    assert.ok(torrentFile.length > 0)
    await writeFile(join(node.directory, 'album', '_____padding_file_1'), 'x')
    await assert.rejects(madeFrom(node, many), (error: unknown) => {
      assert.ok(error instanceof TorrentError)
      assert.match(error.message, /_____padding_file_1" is named like padding/)
      return true
    })
  })

  it('keeps its piece layers where trackers are written into it', async () => {
    const node = await lab.node('node')
    const { torrentFile } = await madeFrom(node, FILES)
    const before = dictionarySpans(torrentFile)
    const written = withSources(torrentFile, { trackers: ['http://t.example/announce'], webSeeds: ['http://w.example/'] })
    const after = dictionarySpans(written)
    for (const key of ['info', 'piece layers']) assert.deepEqual(after.get(key), before.get(key))
    assert.deepEqual([...after.keys()], [...after.keys()].sort())
    assert.deepEqual(
      encode(
        new Map([
          ['b', 1],
          ['\u00ff', 2],
          ['a', 3],
        ]),
      ),
      new Uint8Array(Buffer.from('64313a61693365313a62693165313aff69326565', 'hex')),
    )
  })

  it('has files in the order of its tree, and zeros between them', () => {
    const files = ['b', 'a/x', 'a.txt', 'a/\uffee', 'a/\u{1f600}'].map((path, at) => ({ path: path.split('/'), sizeBytes: at }))
    assert.deepEqual(
      inTreeOrder(files).map(({ path }) => path.join('/')),
      ['a/x', 'a/\uffee', 'a/\u{1f600}', 'a.txt', 'b'],
    )
    const sized = [10, 16, 0, 17, 5, 0].map((sizeBytes, at) => ({ path: [`${at}`], sizeBytes }))
    assert.deepEqual(paddingOf(sized, 16), [6, 0, 0, 15, 0, 0])
    assert.deepEqual(placesOf([6, 0, 0, 15, 0, 0]), [0, 2, 3, 4, 6, 7])
  })

  describe(`for libtorrent${WHY}`, function () {
    this.timeout(60_000)
    before(function () {
      if (PYTHON === undefined) this.skip()
    })

    it('is one of both versions, with the hashes of both, and is downloaded from here', async () => {
      for (const [folder, files] of [
        ['album', FILES],
        ['two', { x: 200_000, y: 65_536 }],
      ] as const) {
        const seeder = await lab.node(`seeder of ${folder}`)
        const made = await madeFrom(seeder, files, folder)
        await seed(seeder, made, made.directory, made.stamps)
        const file = join(seeder.directory, 'made.torrent')
        await writeFile(file, withSources(made.torrentFile, { trackers: [], webSeeds: [] }))
        const to = await lab.directory(`libtorrent's ${folder}`)
        const [told = '', done] = await libtorrent(file, String(seeder.engine.port), to)
        const info = dictionarySpans(made.torrentFile).get('info') ?? new Uint8Array()
        const said = JSON.parse(told) as { v1: string; v2: string; files: [string, number, boolean][] }
        assert.deepEqual([said.v1, said.v2], [made.infoHash, createHash('sha256').update(info).digest('hex')])
        assert.deepEqual(
          said.files
            .filter(([, , isPadding]) => !isPadding)
            .map(([path, size]) => [path, size])
            .sort(),
          Object.entries(files)
            .map(([path, size]) => [`${folder}/${path}`, size])
            .sort(),
        )
        assert.equal(done, 'done')
        for (const path of Object.keys(files))
          assert.deepEqual(await readFile(join(to, folder, path)), await readFile(join(seeder.directory, folder, path)))
      }
    })

    it('is one of a single file as well', async () => {
      const seeder = await lab.node('seeder')
      const path = join(seeder.directory, 'song.mp3')
      await writeFile(path, new Uint8Array(150_000).fill(3))
      const made = await seeder.engine.create([path], { hybrid: true })
      const file = join(seeder.directory, 'made.torrent')
      await writeFile(file, made.torrentFile)
      const said = JSON.parse((await libtorrent(file))[0] ?? '') as { v1: string; v2: string; files: unknown }
      assert.equal(said.v1, made.infoHash)
      assert.equal(said.v2?.length, 64)
      assert.deepEqual(said.files, [['song.mp3', 150_000, false]])
    })
  })
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFrom } from '../../src/torrent/create.fs.ts'
import { hashDisk, spotCheck } from '../../src/torrent/disk-check.fs.ts'
import { FileWatch } from '../../src/torrent/file-watch.fs.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { PieceStore } from '../../src/torrent/piece-store.fs.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'

describe('a check of the disk', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-check-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('hashes two pieces at most of a torrent that is opened again, however large it is', async () => {
    await writeFile(join(directory, 'a'), randomBytes(2_000_000))
    const made = await createFrom([join(directory, 'a')], {}, sha1)
    const metainfo = checkTorrentFile(made.torrentFile, sha1)
    const watch = new FileWatch(metainfo, directory, made.stamps, () => {})
    let reads = 0
    class CountingStore extends PieceStore {
      override get(...given: Parameters<PieceStore['get']>): void {
        reads++
        super.get(...given)
      }
    }
    const store = new CountingStore(metainfo, directory, watch)
    const verified = new Uint8Array(Math.ceil(metainfo.pieceCount / 8)).fill(0xff)
    const fresh = await spotCheck(metainfo, { store, watch, verified, signal: new AbortController().signal })
    assert.deepEqual(fresh, [])
    assert.ok(reads === 1 || reads === 2, `${reads} pieces`)
    await new Promise<void>((resolve) => store.close(() => resolve()))
  })

  it('finds what stands there, and which files are another’s', async () => {
    const bytes = randomBytes(100_000)
    await writeFile(join(directory, 'a'), bytes)
    const made = await createFrom([join(directory, 'a')], {}, sha1)
    const metainfo = checkTorrentFile(made.torrentFile, sha1)
    assert.deepEqual((await hashDisk(metainfo, directory)).stamps, made.stamps)
    await writeFile(join(directory, 'a'), randomBytes(100_000))
    assert.deepEqual((await hashDisk(metainfo, directory)).foreign, ['a'])
    await writeFile(join(directory, 'a'), '')
    assert.deepEqual((await hashDisk(metainfo, directory)).foreign, [])
    await rm(join(directory, 'a'))
    assert.deepEqual((await hashDisk(metainfo, directory)).foreign, [])
  })
})

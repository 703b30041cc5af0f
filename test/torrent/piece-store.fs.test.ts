import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { stampOf } from '../../src/torrent/file-stamp.ts'
import type { FileWatch } from '../../src/torrent/file-watch.fs.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { PieceStore } from '../../src/torrent/piece-store.fs.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import type { Written } from '../../src/torrent/watched-write.ts'
import type { Plain } from './bencode-writer.ts'
import { bencode } from './bencode-writer.ts'

const PIECE = 16_384

function metainfoOf(files: readonly { path: string[]; length: number; attr?: string }[]) {
  const size = files.reduce((sum, file) => sum + file.length, 0)
  const pieces = new Uint8Array(20 * Math.ceil(size / PIECE))
  const info = { files: files as unknown as Plain, name: 'folder', 'piece length': PIECE, pieces }
  return checkTorrentFile(bencode({ info }), sha1)
}

describe('the files of a torrent', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-store-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  const open = (metainfo: ReturnType<typeof metainfoOf>) => {
    const store = new PieceStore(metainfo, directory)
    return {
      store,
      put: promisify((index: number, piece: Uint8Array, done: (error: Error | null) => void) => store.put(index, piece, done)),
      get: (index: number, offset: number, length: number) =>
        new Promise<Uint8Array>((resolve, reject) => {
          store.get(index, { offset, length }, (error, block) => (block === undefined ? reject(error) : resolve(block)))
        }),
      close: promisify((done: (error: Error | null) => void) => store.close(done)),
    }
  }

  it('hold every byte at its place, however pieces and files overlap', async function () {
    this.timeout(20_000)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(40_000), { minLength: 1, maxLength: 8 }), fc.nat(), async (lengths, at) => {
        const files = [...lengths, 1].map((length, index) => ({ path: [`${index}?.bin`], length }))
        const metainfo = metainfoOf(files)
        const { store, put, get, close } = open(metainfo)
        const bytes = Buffer.alloc(metainfo.sizeBytes).map((_, index) => (index * 31) & 0xff)
        for (let index = metainfo.pieceCount - 1; index >= 0; index--)
          await put(index, bytes.subarray(index * PIECE, (index + 1) * PIECE))
        await store.createEmptyFiles()
        let offset = 0
        for (const { path, length } of files) {
          assert.deepEqual(await readFile(join(directory, 'folder', ...path)), bytes.subarray(offset, offset + length))
          offset += length
        }
        const from = at % metainfo.sizeBytes
        const inPiece = from % PIECE
        const length = Math.min(PIECE - inPiece, metainfo.sizeBytes - from)
        assert.deepEqual(Buffer.from(await get(Math.floor(from / PIECE), inPiece, length)), bytes.subarray(from, from + length))
        await close()
        await rm(join(directory, 'folder'), { recursive: true })
      }),
      { numRuns: 30 },
    )
  })

  it('stand below folders of any depth, those without a byte too', async () => {
    const deep = Array.from({ length: 30 }, (_, at) => `${at}`)
    const { store, put, close } = open(
      metainfoOf([
        { path: ['full', ...deep, 'a'], length: 1 },
        { path: ['empty', ...deep, 'b'], length: 0 },
      ]),
    )
    await put(0, Uint8Array.of(9))
    await store.createEmptyFiles()
    assert.deepEqual([...(await readFile(join(directory, 'folder', 'full', ...deep, 'a')))], [9])
    assert.equal((await stat(join(directory, 'folder', 'empty', ...deep, 'b'))).size, 0)
    await close()
  })

  it('are written to only where they look as they must, and it is told how they look then', async () => {
    const told: unknown[] = []
    let expected: string | undefined
    const watch = {
      isSettled: () => false,
      beforeWrite: async () => expected,
      wrote: (_file: unknown, { after }: Written) => {
        expected = after ?? expected
        told.push(after)
      },
    }
    const store = new PieceStore(metainfoOf([{ path: ['a'], length: 1 }]), directory, watch as unknown as FileWatch)
    const put = (byte: number) => promisify((done: (error: Error | null) => void) => store.put(0, Uint8Array.of(byte), done))()
    await put(1)
    const path = join(directory, 'folder', 'a')
    assert.deepEqual(told, [stampOf(await stat(path, { bigint: true }))])
    expected = 'otherwise'
    await put(2)
    assert.deepEqual([told[1], [...(await readFile(path))]], [undefined, [1]])
    await promisify((done: (error: Error | null) => void) => store.close(done))()
  })

  it('leave padding out, and read it as zeros', async () => {
    const pad = { attr: 'p', length: PIECE - 10, path: ['.pad', '1'] }
    const { put, get, close } = open(metainfoOf([{ path: ['a'], length: 10 }, pad, { path: ['b'], length: 5 }]))
    await put(0, new Uint8Array(PIECE).fill(7))
    await put(1, new Uint8Array(5).fill(8))
    assert.deepEqual(await readdir(join(directory, 'folder')), ['a', 'b'])
    assert.deepEqual([...(await get(0, 8, 4))], [7, 7, 0, 0])
    await close()
  })

  it('tell of a file that is missing or too short', async () => {
    const { get, close } = open(metainfoOf([{ path: ['a'], length: 100 }]))
    await assert.rejects(get(0, 0, 100), { code: 'ENOENT' })
    await assert.rejects(get(0, 50, 51), RangeError)
    await close()
  })

  it('are served where they may only be read', async () => {
    const metainfo = metainfoOf([{ path: ['a'], length: 3 }])
    const { put, close } = open(metainfo)
    await put(0, Uint8Array.of(1, 2, 3))
    await close()
    await chmod(join(directory, 'folder', 'a'), 0o444)
    const again = open(metainfo)
    assert.deepEqual([...(await again.get(0, 0, 3))], [1, 2, 3])
    assert.equal((await stat(join(directory, 'folder', 'a'))).mode & 0o777, 0o444)
    await again.close()
  })

  it('are finished being written before they are closed', async () => {
    const { put, close } = open(metainfoOf([{ path: ['a'], length: 4 * PIECE }]))
    const writes = [0, 1, 2, 3].map((index) => put(index, new Uint8Array(PIECE).fill(index + 1)))
    await close()
    await Promise.all(writes)
    const bytes = await readFile(join(directory, 'folder', 'a'))
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => bytes[index * PIECE]),
      [1, 2, 3, 4],
    )
  })

  it('are deleted with their empty folders, but not what else is there', async () => {
    const { store, put, close } = open(
      metainfoOf([
        { path: ['x', 'a'], length: 1 },
        { path: ['y', 'b'], length: 1 },
      ]),
    )
    await put(0, Uint8Array.of(1, 2))
    await close()
    await writeFile(join(directory, 'folder', 'y', 'other'), '')
    await store.deleteFiles()
    assert.deepEqual((await readdir(join(directory, 'folder'), { recursive: true })).sort(), ['y', 'y/other'])
  })
})

import assert from 'node:assert/strict'
import { type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stampOf } from '../../src/torrent/file-stamp.ts'
import { poolWriter, WriteThread } from '../../src/torrent/write-thread.system.ts'

const stampAt = async (path: string) => stampOf(await stat(path, { bigint: true }))

function shared(bytes: readonly number[], before = 0): Uint8Array {
  const memory = new Uint8Array(new SharedArrayBuffer(before + bytes.length + 3), before, bytes.length)
  memory.set(bytes)
  return memory
}

for (const by of ['a thread', 'the pool'] as const) {
  describe(`writes to a watched file, by ${by}`, () => {
    let directory: string
    let path: string
    let file: FileHandle
    let thread: WriteThread
    const write = (...words: Parameters<WriteThread['write']>) => (by === 'a thread' ? thread : poolWriter).write(...words)

    before(async () => {
      thread = new WriteThread()
      directory = await mkdtemp(join(tmpdir(), 'p2pt-write-'))
    })
    after(async () => {
      await thread[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    })
    beforeEach(async () => {
      path = join(directory, 'file')
      await writeFile(path, 'abcdef')
      file = await open(path, 'r+')
    })
    afterEach(() => file.close())

    it('put the bytes in their place, and tell how the file looked before and looks after', async () => {
      const before = await stampAt(path)
      const written = await write(file, shared([88, 89], 5), 3, before)
      assert.deepEqual(written, { before, sizeBefore: 6, after: await stampAt(path) })
      assert.equal(await readFile(path, 'utf8'), 'abcXYf')
      assert.notEqual(written.after, before)
      const further = await write(file, shared([90]), 9, undefined)
      assert.deepEqual([further.before, further.sizeBefore], [written.after, 6])
      assert.equal((await readFile(path)).length, 10)
    })

    it('put nothing into a file that does not look as it must', async () => {
      const before = await stampAt(path)
      await writeFile(path, 'xyz')
      assert.deepEqual(await write(file, shared([88]), 0, before), {
        before: await stampAt(path),
        sizeBefore: 3,
        after: undefined,
      })
      assert.equal(await readFile(path, 'utf8'), 'xyz')
    })

    it('say what the file system says, by its code', async () => {
      await using full = await open('/dev/full', 'r+')
      await assert.rejects(write(full, shared([1]), 0, undefined), { code: 'ENOSPC' })
      await using readable = await open(path, 'r')
      await assert.rejects(write(readable, shared([1]), 0, undefined), { code: 'EBADF' })
      assert.equal((await write(file, shared([1]), 0, undefined)).sizeBefore, 6, 'the next one is none the worse')
    })

    it('are many at a time', async () => {
      const writes = Array.from({ length: 50 }, (_, at) => write(file, shared([at]), at, undefined))
      await Promise.all(writes)
      assert.deepEqual(
        [...(await readFile(path))],
        Array.from({ length: 50 }, (_, at) => at),
      )
    })
  })
}

describe('a thread that writes', () => {
  it('leaves bytes that are not in shared memory, and all once it has ended, to the pool', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-write-'))
    const path = join(directory, 'file')
    const thread = new WriteThread()
    {
      await using file = await open(path, 'w+')
      assert.equal((await thread.write(file, Uint8Array.of(65), 0, undefined)).sizeBefore, 0)
      assert.equal((await thread.write(file, shared([66]), 1, undefined)).sizeBefore, 1)
      await thread[Symbol.asyncDispose]()
      assert.equal((await thread.write(file, shared([67]), 2, undefined)).sizeBefore, 2)
    }
    assert.equal(await readFile(path, 'utf8'), 'ABC')
    await rm(directory, { recursive: true })
  })
})

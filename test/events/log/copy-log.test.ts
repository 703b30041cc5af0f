import assert from 'node:assert/strict'
import fs, { mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { NodeId } from '../../../src/events/index.ts'
import { encodeMeta, openDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import { copyLog } from '../../../src/events/log/copy-log.level.ts'
import { bootId, isHeadFileWhole, readHeadFile } from '../../../src/events/log/head-file.fs.ts'
import { META_KEY, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'

const ada = 'a'.repeat(64) as NodeId

describe('a copy of a log', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-copy-'))
  after(() => rmSync(root, { recursive: true }))

  it('has every entry of its moment, with another entry that says whose it is, and a head file of its own', async () => {
    await using source = await openDatabase(join(root, 'source'), true)
    const value = (text: string): Buffer => Buffer.from(text)
    const firsts = Array.from({ length: 130 }, (_, index) => index + 1)
    for (const first of firsts)
      await source
        .batch()
        .put(segmentKey(first), value(`s${first}`))
        .put(summaryKey(first), value(`i${first}`))
        .write()
    await source.put(META_KEY, encodeMeta({ author: ada }))
    const moment = source.snapshot()
    await source.put(segmentKey(131), value('later'))
    const told: number[] = []
    const head = { seq: 130, digest: 'ab' }
    const directory = join(root, 'copy', 'below')
    const meta = { author: ada, floors: { index: 9 } }
    await copyLog(source, moment, directory, head, { meta, onProgress: (seq) => told.push(seq) })
    await moment.close()
    assert.deepEqual(told, firsts)
    const expected = (await source.iterator().all()).filter(([key]) => Buffer.compare(key, segmentKey(131)) !== 0)
    {
      // It is closed: nobody else could open it.
      await using copy = await openDatabase(join(directory, 'log'), false)
      const entries = await copy.iterator().all()
      assert.equal(entries.length, 261)
      for (const [index, [key, found]] of entries.entries()) {
        const [expectedKey, text] = expected[index] ?? assert.fail()
        assert.deepEqual(Buffer.from(key), Buffer.from(expectedKey))
        assert.deepEqual(found.toString(), (Buffer.compare(key, META_KEY) === 0 ? encodeMeta(meta) : text).toString())
      }
    }
    assert.deepEqual(readHeadFile(join(directory, 'head')), { latest: head, durable: head, clean: true, boot: bootId() })
    assert.equal(isHeadFileWhole(join(directory, 'head')), true)
  })

  it('has the names of its files on the disk before the head file speaks of them', async () => {
    await using source = await openDatabase(join(root, 'synced'), true)
    await source.put(segmentKey(1), Buffer.from('x'))
    await using moment = source.snapshot()
    const synced: string[] = []
    const { fsyncSync } = fs
    fs.fsyncSync = (file) => {
      synced.push(basename(fs.readlinkSync(`/proc/self/fd/${file}`)))
      fsyncSync(file)
    }
    syncBuiltinESMExports()
    try {
      await copyLog(source, moment, join(root, 'synced-copy'), { seq: 1, digest: 'ab' }, { meta: { author: ada } })
    } finally {
      fs.fsyncSync = fsyncSync
      syncBuiltinESMExports()
    }
    assert.deepEqual(synced, ['log', 'head'])
  })

  it('is not made, and closes what it opened, where the source cannot be read', async () => {
    const source = await openDatabase(join(root, 'other'), true)
    await source.put(segmentKey(1), Buffer.from('x'))
    const moment = source.snapshot()
    const directory = join(root, 'failed')
    const stop = new Error('stop')
    const copying = copyLog(
      source,
      moment,
      directory,
      { seq: 1, digest: 'ab' },
      {
        meta: { author: ada },
        onProgress: () => {
          throw stop
        },
      },
    )
    await assert.rejects(copying, stop)
    assert.equal(readHeadFile(join(directory, 'head')), undefined)
    await (await openDatabase(join(directory, 'log'), false)).close()
    await moment.close()
    await source.close()
  })
})

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { fileStamp, readScrubRecord, writeScrubRecord } from '../../../src/events/damage/scrub-record.fs.ts'
import { TablesAtStart } from '../../../src/events/damage/tables-at-start.fs.ts'
import { LogError } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { bootId, HeadFile } from '../../../src/events/log/head-file.fs.ts'
import { noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'

describe('the tables that a start reads before LevelDB does', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-at-start-'))
  after(() => rmSync(root, { recursive: true }))
  const signer = signerOf(1)
  const MIB = 1 << 20

  describe('of a log', () => {
    const directory = join(root, 'log')
    const open = () => openLevelLog({ directory, signer, clock: tickingClock(), upcast: noUpcast, create: true })
    const tables = () => readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.ldb'))
    const largest = () => {
      const paths = tables().map((name) => join(directory, 'log', name))
      return paths.sort((a, b) => readFileSync(b).length - readFileSync(a).length)[0] ?? assert.fail('no table')
    }
    before(async () => {
      for (let session = 0; session < 3; session++) {
        await using log = await open()
        for (let commit = 0; commit < 10; commit++)
          await log.append(Array.from({ length: 80 }, (_, index) => numbered(800 * session + 80 * commit + index)))
      }
    })

    it('are remembered with their checksums, and the record forgets those that are gone', async () => {
      const { checked } = readScrubRecord(directory)
      writeScrubRecord(directory, { checked: { ...checked, '999999.ldb': { at: 1, crc32: 2, file: '3' } }, damaged: [] })
      const before = tables()
      await (await open())[Symbol.asyncDispose]()
      assert.deepEqual(Object.keys(readScrubRecord(directory).checked).sort(), before.sort())
    })

    it('are seen to have spoilt since they were found whole, and the record stays as it is', async () => {
      await (await open())[Symbol.asyncDispose]()
      const record = readScrubRecord(directory)
      const bytes = readFileSync(largest())
      const spoilt = Buffer.from(bytes).fill(0, bytes.length >> 1, (bytes.length >> 1) + 16)
      const path = largest()
      writeFileSync(path, spoilt)
      await assert.rejects(open(), (error) => error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
      assert.deepEqual(readScrubRecord(directory), record)
      writeFileSync(path, bytes)
      await (await open())[Symbol.asyncDispose]()
    })

    it('may be others under the names of those that were read, and whole', async () => {
      const { checked } = readScrubRecord(directory)
      const wrong = Object.fromEntries(
        Object.entries(checked).map(([name, found]) => [name, { ...found, crc32: found.crc32 ^ 1 }]),
      )
      writeScrubRecord(directory, { checked: wrong, damaged: tables() })
      await (await open())[Symbol.asyncDispose]()
      assert.deepEqual(readScrubRecord(directory).damaged, [])
    })
  })

  describe('above the amount that is read again', () => {
    const directory = join(root, 'large')
    const names = ['000001.ldb', '000002.ldb', '000003.ldb', '000004.ldb', '000005.ldb'] as const
    const [first, second, third, suspected, unread] = names
    const isRead = (clean: boolean): string[] => {
      const mark = { seq: 0, digest: '00'.repeat(32) }
      const head = new HeadFile(join(directory, 'head'))
      for (let slot = 0; slot < 2; slot++) head.write({ latest: mark, durable: mark, clean, boot: bootId() })
      head.close()
      const tables = new TablesAtStart(directory, tickingClock())
      return names.filter((name) => tables.reads(name))
    }
    before(() => {
      mkdirSync(join(directory, 'log'), { recursive: true })
      for (const name of names) {
        writeFileSync(join(directory, 'log', name), '')
        // Holes: they take no room.
        truncateSync(join(directory, 'log', name), 100 * MIB)
      }
      const found = (name: string, at: number) => {
        const file = fileStamp(join(directory, 'log', name)) ?? assert.fail('no file')
        return { [name]: { at, crc32: 0, file } }
      }
      const checked = { ...found(first, 3), ...found(second, 1), ...found(third, 2), ...found(suspected, 4) }
      writeScrubRecord(directory, { checked, damaged: [suspected] })
    })

    it('are those that nobody has found whole, and of the others the one that was not read for longest', () => {
      assert.deepEqual(isRead(true), [second, suspected, unread])
    })

    it('are those that another file has taken the place of, too', () => {
      const path = join(directory, 'log', first)
      renameSync(path, `${path}.away`)
      writeFileSync(path, '')
      truncateSync(path, 100 * MIB)
      assert.deepEqual(isRead(true), [first, second, suspected, unread])
      renameSync(`${path}.away`, path)
      assert.deepEqual(isRead(true), [second, suspected, unread])
    })

    it('are all where LevelDB was opened before, and ended the process in that', () => {
      const tables = new TablesAtStart(directory, tickingClock())
      const isPassedOver = names.filter((name) => !tables.reads(name))
      assert.deepEqual(isPassedOver, [first, third])
      tables.remember()
      assert.deepEqual(isRead(true), [...names])
      tables.opened()
      assert.deepEqual(isRead(true), [second, suspected, unread])
    })

    it('are all after an end that was not clean: a damaged one may have been its reason', () => {
      assert.deepEqual(isRead(false), [...names])
    })
  })

  describe('that are found whole', () => {
    const directory = join(root, 'small')
    const path = (name: string): string => join(directory, 'log', name)
    const bytes = Buffer.from('a table')
    const other = { at: 1, crc32: 2, file: '3' }
    const clock = tickingClock(5_000)
    before(() => {
      mkdirSync(join(directory, 'log'), { recursive: true })
      for (const name of ['000001.ldb', '000002.ldb']) writeFileSync(path(name), bytes)
    })

    it('are written down with their bytes and when that was, in place of what was said of them', () => {
      const checked = { '000002.ldb': other, '000003.ldb': other }
      writeScrubRecord(directory, { checked, damaged: ['000001.ldb', '000004.ldb'] })
      const tables = new TablesAtStart(directory, clock)
      tables.onWhole('000001.ldb', bytes)
      tables.onWhole('000005.ldb', bytes)
      tables.remember()
      const file = fileStamp(path('000001.ldb')) ?? assert.fail()
      assert.deepEqual(readScrubRecord(directory), {
        // One that is gone meanwhile is forgotten.
        checked: { '000002.ldb': other, '000001.ldb': { at: 5_000, crc32: crc32(bytes), file } },
        damaged: ['000004.ldb'],
      })
    })

    it('are known by their bytes alone', () => {
      const tables = new TablesAtStart(directory, clock)
      assert.equal(tables.isKnown('000001.ldb', bytes), true)
      assert.equal(tables.isKnown('000001.ldb', Buffer.from('another')), false)
      assert.equal(tables.isKnown('000009.ldb', bytes), false)
    })

    it('are not written down where there is nothing new to say, or no room for it', () => {
      rmSync(join(directory, 'scrub.json'))
      const tables = new TablesAtStart(directory, clock)
      tables.remember()
      tables.opened()
      assert.equal(existsSync(join(directory, 'scrub.json')), false)
      assert.equal(tables.reads('000001.ldb'), true, 'nobody has read it')
      tables.remember()
      assert.equal(existsSync(join(directory, 'scrub.json')), false)
      // As on a full disk.
      mkdirSync(join(directory, 'scrub.json.new'))
      tables.onWhole('000001.ldb', bytes)
      tables.remember()
      assert.deepEqual(readScrubRecord(directory).checked, {})
    })
  })
})

import assert from 'node:assert/strict'
import fs, { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { bootId, HeadFile, isHeadClean, isHeadFileWhole, readHeadFile } from '../../../src/events/log/head-file.fs.ts'

describe('the head file', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-head-'))
  after(() => rmSync(root, { recursive: true }))
  const recordOf = (seq: number) => {
    const mark = { seq, digest: String(seq).repeat(8) }
    return { latest: mark, durable: mark, clean: false, boot: 'a' }
  }

  it('has the record that was written last, over any number of them and after it was opened again', () => {
    const path = join(root, 'last')
    assert.equal(readHeadFile(path), undefined)
    for (let session = 0; session < 3; session++) {
      const file = new HeadFile(path)
      for (let write = 1; write <= 3; write++) {
        const record = recordOf(10 * session + write)
        file.write(record)
        assert.deepEqual(readHeadFile(path), record)
      }
      file.close()
    }
    assert.equal(isHeadFileWhole(path), true)
  })

  it('has the record before where the last one is torn or altered, and none where both are', () => {
    const path = join(root, 'torn')
    const file = new HeadFile(path)
    for (const seq of [11, 22, 33]) file.write(recordOf(seq))
    file.close()
    const whole = readFileSync(path)
    const place = whole.indexOf('"seq":33')
    assert.ok(place > 0)
    writeFileSync(path, whole.with(place + 6, 0x39))
    assert.equal(readHeadFile(path)?.latest.seq, 22, 'another number, without its checksum')
    assert.equal(isHeadFileWhole(path), false)
    writeFileSync(path, whole.subarray(0, 600))
    assert.ok([22, 33].includes(readHeadFile(path)?.latest.seq ?? 0))
    writeFileSync(path, whole.subarray(0, 100))
    assert.equal(readHeadFile(path), undefined)
  })

  it('is two lines of half a kilobyte, of which the older one is written over', () => {
    const path = join(root, 'slots')
    const file = new HeadFile(path)
    assert.equal(readHeadFile(path), undefined, 'an empty one has no record')
    assert.equal(isHeadFileWhole(path), false)
    const seqsIn = () =>
      [0, 512].map((start) => /"seq":(\d+)/.exec(readFileSync(path, 'latin1').slice(start, start + 512))?.[1])
    file.write(recordOf(11))
    assert.deepEqual(seqsIn(), [undefined, '11'])
    assert.equal(isHeadFileWhole(path), false, 'one is not both')
    file.write(recordOf(22))
    assert.deepEqual(seqsIn(), ['22', '11'])
    file.write(recordOf(33))
    assert.deepEqual(seqsIn(), ['22', '33'])
    file.close()
    const again = new HeadFile(path)
    again.write(recordOf(44))
    again.close()
    assert.deepEqual(seqsIn(), ['44', '33'])
    const bytes = readFileSync(path)
    assert.equal(bytes.length, 1_024)
    assert.deepEqual([bytes[511], bytes[1_023]], [10, 10])
    assert.match(bytes.toString('latin1'), /^[0-9a-f]{8} \{"turn":4,/)
  })

  it('says whether the log was closed', () => {
    const path = join(root, 'clean')
    assert.equal(isHeadClean(path), false)
    const file = new HeadFile(path)
    for (const clean of [true, false, true]) {
      file.write({ ...recordOf(1), clean })
      assert.equal(isHeadClean(path), clean)
    }
    file.close()
  })

  it('has no record that lacks something, or has it wrong', () => {
    const path = join(root, 'fields')
    const whole = { turn: 1, ...recordOf(5) }
    const readOf = (fields: object) => {
      const json = JSON.stringify(fields)
      const line = `${crc32(json).toString(16).padStart(8, '0')} ${json}`
      writeFileSync(path, `${line.padEnd(511)}\n`)
      return readHeadFile(path)
    }
    assert.deepEqual(readOf(whole), recordOf(5))
    const mark = { seq: 5, digest: 'ab' }
    for (const wrong of [
      undefined,
      null,
      7,
      {},
      { ...mark, seq: '5' },
      { ...mark, seq: 1.5 },
      { ...mark, digest: 5 },
      { seq: 5 },
    ]) {
      assert.equal(readOf({ ...whole, latest: wrong }), undefined, JSON.stringify(wrong))
      assert.equal(readOf({ ...whole, durable: wrong }), undefined, JSON.stringify(wrong))
    }
    assert.equal(readOf({ ...whole, turn: '1' }), undefined)
    assert.deepEqual(readOf({ ...whole, boot: undefined }), { ...recordOf(5), boot: null })
    for (const clean of [undefined, 1, 'true']) assert.equal(readOf({ ...whole, clean })?.clean, false)
  })

  it('is no missing one where it cannot be read', () => {
    mkdirSync(join(root, 'folder'))
    assert.throws(() => readHeadFile(join(root, 'folder')), { code: 'EISDIR' })
    assert.throws(() => isHeadFileWhole(join(root, 'absent')), { code: 'ENOENT' })
  })

  it('names the boot of the machine, the same until the next', () => {
    const boot = bootId()
    assert.match(boot ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(bootId(), boot)
    const { readFileSync: real } = fs
    fs.readFileSync = (() => {
      throw new Error('no such system')
    }) as never
    syncBuiltinESMExports()
    try {
      assert.equal(bootId(), null)
    } finally {
      fs.readFileSync = real
      syncBuiltinESMExports()
    }
  })
})

describe('a head file that is written', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-head-sync-'))
  const steps: string[] = []
  const timers: { run: () => void; ms: number }[] = []
  /** Ends the syncs that were begun. */
  const ends: (() => void)[] = []
  const real = { fsync: fs.fsync, fsyncSync: fs.fsyncSync, closeSync: fs.closeSync }
  const { setTimeout: realTimeout } = globalThis
  const mark = { seq: 1, digest: 'ab' }
  const record = { latest: mark, durable: mark, clean: false, boot: null }
  let file: HeadFile

  beforeEach(() => {
    file = new HeadFile(join(root, 'head'))
    for (const list of [steps, timers, ends]) list.length = 0
    Object.assign(fs, {
      fsync: (_file: number, done: () => void) => {
        steps.push('sync begins')
        ends.push(done)
      },
      fsyncSync: (number: number) => {
        steps.push('synced')
        real.fsyncSync(number)
      },
      closeSync: (number: number) => {
        steps.push('closed')
        real.closeSync(number)
      },
    })
    syncBuiltinESMExports()
    globalThis.setTimeout = ((run: () => void, ms: number) => {
      const timer = { run, ms, unref: () => timer, [Symbol.toPrimitive]: () => 0 }
      timers.push(timer)
      return timer
    }) as never
  })
  afterEach(() => {
    globalThis.setTimeout = realTimeout
    Object.assign(fs, real)
    syncBuiltinESMExports()
  })
  after(() => rmSync(root, { recursive: true }))

  it('is brought to the disk a second later, however often it was written, and again after the next write', () => {
    for (let write = 0; write < 3; write++) file.write(record)
    assert.deepEqual([timers.map(({ ms }) => ms), steps], [[1_000], []])
    timers[0]?.run()
    file.write(record)
    assert.deepEqual([timers.length, steps], [1, ['sync begins']], 'not while it is on its way')
    ends[0]?.()
    file.write(record)
    assert.equal(timers.length, 2)
    file.sync()
    assert.deepEqual(steps, ['sync begins', 'synced'])
    file.close()
    assert.deepEqual(steps, ['sync begins', 'synced', 'synced', 'closed'])
  })

  it('is synced no more when it is closed: its number may be that of another file', () => {
    file.write(record)
    file.close()
    timers[0]?.run()
    assert.deepEqual(steps, ['synced', 'closed'])
  })

  it('is closed when its last sync is over', () => {
    file.write(record)
    timers[0]?.run()
    file.close()
    assert.deepEqual(steps, ['sync begins', 'synced'])
    ends[0]?.()
    assert.deepEqual(steps, ['sync begins', 'synced', 'closed'])
  })
})

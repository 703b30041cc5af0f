import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { SCRUB_AGAIN_MS, scrubLog, type TableDamage } from '../../../src/events/damage/scrub.fs.ts'
import { fileStamp, readScrubRecord } from '../../../src/events/damage/scrub-record.fs.ts'
import { LogError, type Millis } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { arrivalKey, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { blockOf, bytesOf, internalKey, logFileOf, tableOf, varint } from '../leveldb/leveldb-writer.ts'
import { noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'

describe('a scrub of a log', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-scrub-'))
  after(() => rmSync(root, { recursive: true }))
  const signer = signerOf(1)
  const open = (directory: string) => openLevelLog({ directory, signer, clock: tickingClock(), upcast: noUpcast, create: true })
  // Long after the log's own clock: no start has read a table within the last week.
  let now = 1_900_000_000_000
  const clock = { now: () => now as Millis }
  const never = new AbortController().signal

  /** Some segments of 80 events in tables. */
  async function makeLog(name: string): Promise<string> {
    const directory = join(root, name)
    for (let session = 0; session < 3; session++) {
      await using log = await open(directory)
      for (let commit = 0; commit < 10; commit++)
        await log.append(Array.from({ length: 80 }, (_, index) => numbered(800 * session + 80 * commit + index)))
    }
    return directory
  }

  it('reads each table once a week, slowly, while the log is in use', async () => {
    const directory = await makeLog('whole')
    await using log = await open(directory)
    let bytes = 0
    const found: TableDamage[] = []
    const pause = async (more: number) => {
      bytes += more
      await log.append([numbered(1)])
    }
    const round = () => scrubLog({ directory, clock, pause, onDamage: (damage) => found.push(damage) }, never)
    // LevelDB may be joining tables to new ones for a while.
    while ((await round()) > 0);
    assert.ok(bytes > 100_000, `${bytes} bytes`)
    now += SCRUB_AGAIN_MS - 1
    assert.equal(await round(), 0)
    now += 1
    assert.ok((await round()) >= 1)
    assert.deepEqual(found, [])
  })

  it('names the table that is damaged and its events, and the next start looks there first', async () => {
    const directory = await makeLog('damaged')
    let signature = new Uint8Array()
    {
      await using log = await open(directory)
      signature = new Uint8Array((await log.readSignedAt([1_000]))[0]?.signature ?? [])
    }
    const tables = readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.ldb'))
    const damaged = tables.filter((name) => {
      const path = join(directory, 'log', name)
      const bytes = readFileSync(path)
      const place = bytes.indexOf(Buffer.from(signature))
      if (place < 0) return false
      bytes[place] = 0xff ^ (bytes[place] ?? 0)
      writeFileSync(path, bytes)
      return true
    })
    const found: TableDamage[] = []
    await scrubLog({ directory, clock, pause: async () => {}, onDamage: (damage) => found.push(damage) }, never)
    const [damage] = found
    assert.ok(damage !== undefined && found.length === 1 && damaged.includes(damage.file))
    assert.ok(damage.range.from <= 1_000 && damage.range.to >= 1_000, JSON.stringify(damage))
    assert.deepEqual(readScrubRecord(directory).damaged, [damage.file])
    await assert.rejects(open(directory), (error) => {
      assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
      return error.detail.isInTables === true && error.detail.ranges.some(({ from, to }) => from <= 1_000 && to >= 1_000)
    })
    // The tables of the repaired log may have the same names.
    await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    assert.deepEqual(readScrubRecord(directory), { checked: {}, damaged: [] })
  })

  it('ends when it is told to, in the midst of a table', async () => {
    const directory = await makeLog('ended')
    const before = readScrubRecord(directory)
    const ending = new AbortController()
    const pause = async () => ending.abort(new Error('enough'))
    const round = scrubLog({ directory, clock, pause, onDamage: () => {} }, ending.signal)
    await assert.rejects(round, /enough/)
    assert.deepEqual(readScrubRecord(directory), before)
  })

  it('begins anew where its record cannot be read', () => {
    writeFileSync(join(root, 'scrub.json'), '{"checked": {"a": "b"}, "damaged": 3')
    assert.deepEqual(readScrubRecord(root), { checked: {}, damaged: [] })
    writeFileSync(
      join(root, 'scrub.json'),
      '{"checked": {"a": "b", "c": 5, "d": {"at": 1, "crc32": 2, "file": "3"}}, "damaged": [7, "x"]}',
    )
    assert.deepEqual(readScrubRecord(root), { checked: { d: { at: 1, crc32: 2, file: '3' } }, damaged: ['x'] })
  })

  it('reads on when its turn has come, and never two blocks at a time', async () => {
    const directory = await makeLog('turns')
    let [waiting, most, blocks] = [0, 0, 0]
    const pause = async () => {
      most = Math.max(most, ++waiting)
      blocks++
      await new Promise<void>((resolve) => setImmediate(resolve))
      waiting--
    }
    now += SCRUB_AGAIN_MS
    assert.ok((await scrubLog({ directory, clock, pause, onDamage: () => assert.fail() }, never)) > 0)
    assert.deepEqual([most, waiting], [1, 0])
    assert.ok(blocks > 1)
  })

  describe('over tables made by hand', () => {
    let directory: string
    beforeEach(() => {
      directory = mkdtempSync(join(root, 'by-hand-'))
      mkdirSync(join(directory, 'log'))
    })
    const sealed = (first: number) => new Uint8Array(sealValue([new Uint8Array(10).fill(first)]))
    const entry = (key: Uint8Array, first: number) => [internalKey({ key, write: first }), sealed(first)] as const
    const segment = (first: number) => entry(segmentKey(first), first)
    const summary = (first: number) => entry(summaryKey(first), first)
    type Entries = readonly (readonly [Uint8Array, Uint8Array])[]
    const text = (bytes: Uint8Array) => bytesOf(varint(bytes.length), bytes)
    /** A database of these tables. */
    function put(...tables: readonly (readonly Entries[])[]): void {
      const edits = tables.map((blocks, index) => {
        const bytes = tableOf(blocks.map((entries) => blockOf(entries)))
        writeFileSync(join(directory, 'log', `00000${index + 5}.ldb`), bytes)
        const keys = [blocks[0]?.[0]?.[0], blocks.at(-1)?.at(-1)?.[0]].map((key) => text(key ?? assert.fail()))
        return bytesOf(7, 0, varint(index + 5), varint(bytes.length), ...keys)
      })
      writeFileSync(join(directory, 'log', 'MANIFEST-000002'), logFileOf(bytesOf(...edits)))
      writeFileSync(join(directory, 'log', 'CURRENT'), 'MANIFEST-000002\n')
    }
    const change = (table: number, value: Uint8Array): void => {
      const path = join(directory, 'log', `00000${table}.ldb`)
      const bytes = readFileSync(path)
      const at = bytes.indexOf(value)
      assert.ok(at > 0)
      bytes[at + 6] = (bytes[at + 6] ?? 0) ^ 1
      writeFileSync(path, bytes)
    }
    async function scrubbed(pause: (bytes: number) => Promise<void> = async () => {}) {
      const found: TableDamage[] = []
      const read = await scrubLog({ directory, clock, pause, onDamage: (damage) => found.push(damage) }, never)
      return { read, found }
    }
    const blocks = [
      [summary(1), summary(9)],
      [segment(1), segment(5)],
      [segment(9), segment(20)],
    ] as const

    it('names the events from the first that begins in a damaged block to the last before the next', async () => {
      const rangeOf = async (...values: readonly number[]) => {
        put(blocks, [[segment(30)]])
        rmSync(join(directory, 'scrub.json'), { force: true })
        for (const value of values) change(5, (value < 0 ? blocks[0][1] : segment(value))[1])
        const { found, read } = await scrubbed()
        assert.deepEqual([read, found.length, found[0]?.file, found[0]?.range.what], [2, 1, '000005.ldb', 'altered'])
        return [found[0]?.range.from, found[0]?.range.to]
      }
      assert.deepEqual(await rangeOf(5), [1, 8])
      assert.deepEqual(await rangeOf(20), [9, Number.MAX_SAFE_INTEGER - 1])
      assert.deepEqual(await rangeOf(5, 20), [1, Number.MAX_SAFE_INTEGER - 1])
    })

    it('names those of summaries where no segment is damaged', async () => {
      put([[summary(1), summary(9)], [summary(30), summary(40)], [segment(50)]])
      change(5, summary(9)[1])
      const { found } = await scrubbed()
      assert.deepEqual(found, [{ file: '000005.ldb', range: { from: 1, to: 29, what: 'altered' } }])
    })

    it('names events by segments, not by what stands before or behind these', async () => {
      const last = Number.MAX_SAFE_INTEGER - 1
      const rangeOf = async () => (await scrubbed()).found.map(({ range }) => [range.from, range.to])
      put([[summary(9)], [segment(30)], [entry(arrivalKey(40), 40)]])
      change(5, segment(30)[1])
      assert.deepEqual(await rangeOf(), [[30, last]])
      // Nothing of the block can be read.
      const blank = (table: number, of: readonly Uint8Array[]): void => {
        const path = join(directory, 'log', `00000${table}.ldb`)
        const bytes = readFileSync(path)
        for (const part of of) bytes.fill(0xee, bytes.indexOf(part), bytes.indexOf(part) + part.length)
        writeFileSync(path, bytes)
      }
      put([[summary(9)], [segment(30)]], [[segment(50)], [segment(60)]])
      rmSync(join(directory, 'scrub.json'))
      blank(5, [...segment(30)])
      blank(6, [...segment(60)])
      assert.deepEqual(await rangeOf(), [
        [1, last],
        [50, last],
      ])
      put([[segment(70)], [segment(80)], [segment(90)]])
      rmSync(join(directory, 'scrub.json'))
      blank(5, [...segment(80)])
      assert.deepEqual(await rangeOf(), [[70, 89]], 'from the segment before, which may reach into it')
    })

    it('keeps what it has read, and reads it no more for a week; a damaged one it names once', async () => {
      put(blocks, [[segment(30)]], [[segment(60)]])
      change(6, segment(30)[1])
      const bytes: number[] = []
      const first = await scrubbed(async (more) => void bytes.push(more))
      assert.deepEqual([first.read, first.found.map(({ file }) => file)], [3, ['000006.ldb']])
      assert.equal(bytes.length, 5, 'once a block')
      const record = readScrubRecord(directory)
      assert.deepEqual([Object.keys(record.checked), record.damaged], [['000005.ldb', '000007.ldb'], ['000006.ldb']])
      for (const [name, { at, crc32: sum, file }] of Object.entries(record.checked)) {
        const path = join(directory, 'log', name)
        assert.deepEqual([at, sum, file], [now, crc32(readFileSync(path)), fileStamp(path)])
      }
      assert.deepEqual(await scrubbed(), { read: 0, found: [] })
      now += SCRUB_AGAIN_MS
      assert.deepEqual(await scrubbed(), { read: 2, found: [] })
    })

    it('forgets tables that are no more, and passes over one that went meanwhile', async () => {
      put([[segment(1)]], [[segment(30)]])
      await scrubbed()
      put([[segment(1)]])
      now += SCRUB_AGAIN_MS
      assert.equal((await scrubbed()).read, 1)
      assert.deepEqual(Object.keys(readScrubRecord(directory).checked), ['000005.ldb'])
      rmSync(join(directory, 'log', '000005.ldb'))
      now += SCRUB_AGAIN_MS
      assert.deepEqual(await scrubbed(), { read: 0, found: [] })
    })

    it('names all of a table that is another one than belongs there', async () => {
      put([[segment(1)]], [[segment(30)]])
      copyFileSync(join(directory, 'log', '000006.ldb'), join(directory, 'log', '000005.ldb'))
      const { found } = await scrubbed()
      assert.deepEqual(found, [{ file: '000005.ldb', range: { from: 30, to: Number.MAX_SAFE_INTEGER - 1, what: 'altered' } }])
    })

    it('reads nothing where nobody says which tables there are, and nothing more when it is told to end', async () => {
      put([[segment(1)]])
      const ended = AbortSignal.abort(new Error('enough'))
      const options = { directory, clock, pause: () => assert.fail('it reads'), onDamage: () => {} }
      await assert.rejects(scrubLog(options, ended), /enough/)
      rmSync(join(directory, 'log', 'CURRENT'))
      assert.deepEqual(await scrubbed(), { read: 0, found: [] })
    })
  })
})

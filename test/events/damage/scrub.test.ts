import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { SCRUB_AGAIN_MS, scrubLog, type TableDamage } from '../../../src/events/damage/scrub.fs.ts'
import { readScrubRecord } from '../../../src/events/damage/scrub-record.fs.ts'
import { LogError, type Millis } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
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
})

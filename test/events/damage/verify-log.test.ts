import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Level } from 'level'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import { type DamagedRange, LogError } from '../../../src/events/index.ts'
import { recordsOf } from '../../../src/events/leveldb/leveldb-log-file.ts'
import { openLevelLog, readLevelLog } from '../../../src/events/log/event-log.level.ts'
import { segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { decodeSummary, encodeSummary } from '../../../src/events/segments/segment-summary.ts'
import { CHECKSUM_BYTES, sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { EVERY_KIND, foreign, noUpcast, numbered, randomSigner, tickingClock } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'

// Real files, damaged as disks, copies and hands damage them. The log has 3,000 events in tables and 200 in LevelDB's
// own log file, the last of them in small segments.

const HEAD = 3200

describe('verifying a log', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-verify-'))
  const original = join(root, 'original')
  const signer = randomSigner()
  let copies = 0
  after(() => rmSync(root, { recursive: true }))
  const open = (directory: string, create = false) =>
    openLevelLog({ directory, signer, clock: tickingClock(), upcast: noUpcast, create })

  before(async () => {
    const first = await open(original, true)
    for (let commit = 0; commit < 30; commit++) {
      await first.append(Array.from({ length: 100 }, (_, index) => EVERY_KIND[index % EVERY_KIND.length] ?? numbered(index)))
    }
    await first[Symbol.asyncDispose]()
    const second = await open(original)
    for (let commit = 0; commit < 200; commit++) await second.append([numbered(commit)], { durable: false })
    await second[Symbol.asyncDispose]()
  })

  function copy(): string {
    const directory = join(root, `copy-${copies++}`)
    cpSync(original, directory, { recursive: true })
    return directory
  }

  const files = (directory: string, ending: string): string[] =>
    readdirSync(join(directory, 'log'))
      .filter((name) => name.endsWith(ending))
      .map((name) => join(directory, 'log', name))
      .sort((a, b) => statSync(b).size - statSync(a).size)

  function file(directory: string, ending: string): string {
    const [path] = files(directory, ending)
    assert.ok(path !== undefined, `no ${ending} file`)
    return path
  }

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path)
    assert.ok(at < bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ 0x10
    writeFileSync(path, bytes)
  }

  /** Changes rows behind the log's back, as a hand would that knows LevelDB. */
  async function edit(directory: string, change: (database: Level<Uint8Array, Buffer>) => Promise<void>): Promise<void> {
    const database = new Level<Uint8Array, Buffer>(join(directory, 'log'), {
      keyEncoding: 'view',
      valueEncoding: 'buffer',
      compression: false,
    })
    await database.open()
    await change(database)
    await database.close()
  }

  async function row(database: Level<Uint8Array, Buffer>, key: Uint8Array): Promise<Buffer> {
    const value = await database.get(key)
    assert.ok(value !== undefined)
    return value
  }

  async function ranges(directory: string): Promise<readonly DamagedRange[]> {
    const verdict = await verifyLog(directory)
    assert.equal(verdict.intact, verdict.ranges.length === 0)
    return verdict.ranges
  }

  async function assertRefused(directory: string): Promise<void> {
    await assert.rejects(
      async () => {
        const log = await open(directory)
        try {
          for await (const _ of log.readBatches()) {
            // Reading is what must find it, where opening does not.
          }
        } finally {
          await log[Symbol.asyncDispose]()
        }
      },
      (error) => {
        assert.ok(error instanceof LogError, String(error))
        assert.equal(error.code, 'LOG_DAMAGED')
        return true
      },
    )
  }

  it('calls an intact log intact, with its counts and its head digest, and changes none of its files', async () => {
    const directory = copy()
    const contents = () =>
      readdirSync(join(directory, 'log')).map((name) => [name, readFileSync(join(directory, 'log', name), 'hex')])
    const before = contents()
    const progress: number[] = []
    const verdict = await verifyLog(directory, {
      signaturesOf: TEST_NETWORK,
      onProgress: ({ events }) => progress.push(events),
    })
    assert.deepEqual(verdict.ranges, [])
    assert.deepEqual([verdict.intact, verdict.events, verdict.signaturesChecked, verdict.problems], [true, HEAD, HEAD, []])
    assert.match(readFileSync(join(directory, 'head'), 'utf8'), new RegExp(verdict.headDigest))
    assert.equal(progress.at(-1), HEAD)
    assert.deepEqual(contents(), before)
    const log = await open(directory)
    assert.equal(log.head, HEAD)
    await log[Symbol.asyncDispose]()
  })

  it('names the events of a bit that was flipped in a table', async () => {
    const directory = copy()
    const table = file(directory, '.ldb')
    flip(table, Math.floor(statSync(table).size / 2))
    const [range, ...others] = await ranges(directory)
    assert.deepEqual(others, [])
    assert.ok(range !== undefined)
    assert.ok(range.from > 1 && range.to < 3000 && range.to - range.from < 300, JSON.stringify(range))
    await assertRefused(directory)
  })

  it('names the events of a bit that was flipped in the log file of LevelDB, which drops them without a word', async () => {
    const directory = copy()
    const path = file(directory, '.log')
    flip(path, statSync(path).size - 5000)
    const [range, ...others] = await ranges(directory)
    assert.deepEqual(others, [])
    assert.deepEqual(range?.what, 'missing')
    assert.ok((range?.from ?? 0) > 3128)
    await assertRefused(directory)
  })

  it('finds a flipped bit in bytes that hold no event any more', async () => {
    const directory = copy()
    // The first small commit, which stands in a joined segment since.
    flip(file(directory, '.log'), 40)
    const verdict = await verifyLog(directory)
    assert.equal(verdict.events, HEAD)
    assert.deepEqual(verdict.ranges, [{ from: 1, to: HEAD, what: 'unproven' }])
    assert.match(verdict.problems.join(), /\.log is damaged at byte 0$/)
  })

  it('names what is missing at the end of a log file that was cut', async () => {
    const directory = copy()
    const path = file(directory, '.log')
    truncateSync(path, Math.floor(statSync(path).size / 2))
    const [range, ...others] = await ranges(directory)
    assert.deepEqual(others, [])
    assert.deepEqual([range?.to, range?.what], [HEAD, 'missing'])
    assert.ok((range?.from ?? 0) > 3001)
    await assertRefused(directory)
  })

  it('names what was in a log file that is gone', async () => {
    const directory = copy()
    rmSync(file(directory, '.log'))
    assert.deepEqual(await ranges(directory), [{ from: 3001, to: HEAD, what: 'missing' }])
    await assertRefused(directory)
  })

  it('names what was in a table that is gone', async () => {
    const directory = copy()
    rmSync(file(directory, '.ldb'))
    const verdict = await verifyLog(directory)
    assert.deepEqual(verdict.ranges, [{ from: 1, to: 3000, what: 'missing' }])
    assert.match(verdict.problems.join(), /^\d+\.ldb is missing$/)
    await assertRefused(directory)
  })

  for (const name of ['CURRENT', 'MANIFEST']) {
    it(`does not begin anew without its ${name} file, and says that the events themselves are there`, async () => {
      const directory = copy()
      for (const entry of readdirSync(join(directory, 'log'))) {
        if (entry.startsWith(name)) rmSync(join(directory, 'log', entry))
      }
      const verdict = await verifyLog(directory)
      assert.deepEqual(verdict.ranges, [{ from: 1, to: HEAD, what: 'unproven' }])
      assert.equal(verdict.events, HEAD)
      assert.match(verdict.problems.join(), new RegExp(`${name}(-\\d+)? is missing`))
      await assertRefused(directory)
    })
  }

  it('passes over tables that belong to nothing, as a crash leaves them', async () => {
    const directory = copy()
    const [table] = files(directory, '.ldb')
    assert.ok(table !== undefined)
    writeFileSync(join(directory, 'log', '000999.ldb'), readFileSync(table).subarray(0, statSync(table).size >> 1))
    const verdict = await verifyLog(directory)
    assert.deepEqual([verdict.ranges, verdict.problems], [[], []])
    await (await open(directory))[Symbol.asyncDispose]()
  })

  it('refuses to open a log with a table cut, a file gone or a flip in its log file, and leaves the traces', async () => {
    const damages: ((directory: string) => void)[] = [
      (directory) => truncateSync(file(directory, '.ldb'), statSync(file(directory, '.ldb')).size - 1),
      (directory) => rmSync(file(directory, '.ldb')),
      (directory) => rmSync(file(directory, '.log')),
      (directory) => flip(file(directory, '.log'), 2_000),
      (directory) => truncateSync(file(directory, '.log'), 2_000),
    ]
    for (const damage of damages) {
      const directory = copy()
      damage(directory)
      const before = await verifyLog(directory)
      assert.ok(!before.intact && before.problems.length > 0)
      const left = readdirSync(join(directory, 'log')).sort()
      for (const look of [() => open(directory), () => readLevelLog({ directory, upcast: noUpcast })]) {
        await assert.rejects(look(), (error) => {
          assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED', String(error))
          assert.deepEqual(error.detail.ranges, before.ranges)
          return true
        })
      }
      assert.deepEqual(readdirSync(join(directory, 'log')).sort(), left)
      assert.deepEqual(await verifyLog(directory), before)
    }
  })

  it('writes to no file of the log under an old list of its tables, in which numbers of live ones are free', async () => {
    const directory = join(root, 'many-tables')
    {
      await using log = await open(directory, true)
      const described = EVERY_KIND.find(({ event }) => event.kind === 'download.described')
      assert.ok(described?.event.kind === 'download.described')
      // Large ones, so that LevelDB makes several tables while it has the log open.
      for (let count = 0; count < 8; count++) {
        const torrentFile = new Uint8Array(4e6).fill(count)
        await log.append([{ event: { ...described.event, torrentFile } }])
      }
    }
    const contents = (of: string) =>
      readdirSync(join(of, 'log')).map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(of, 'log', name)))
          .digest('hex'),
      ])
    const list = readdirSync(join(directory, 'log')).find((name) => name.startsWith('MANIFEST'))
    assert.ok(list !== undefined)
    const entries = [...recordsOf(readFileSync(join(directory, 'log', list)))].map(({ length }) => length + 7)
    assert.ok(entries.length > 3, `${entries.length} entries`)
    for (let left = 1; left < entries.length; left++) {
      const damaged = join(root, `old-list-${left}`)
      cpSync(directory, damaged, { recursive: true })
      const bytes = entries.slice(0, left).reduce((sum, length) => sum + length, 0)
      truncateSync(join(damaged, 'log', list), bytes)
      const before = contents(damaged)
      assert.equal((await verifyLog(damaged)).intact, false)
      assert.deepEqual(contents(damaged), before, `${left} of ${entries.length} entries left`)
      const { keptIn, lost } = await repairLog(damaged, { author: signer.id, network: TEST_NETWORK })
      assert.deepEqual(contents(keptIn ?? ''), before)
      assert.deepEqual(lost, [])
      rmSync(damaged, { recursive: true })
    }
  }).timeout(60_000)

  it('says whose log it is, if it is not the one it should be', async () => {
    await assert.rejects(verifyLog(copy(), { author: randomSigner().id }), (error) => {
      assert.ok(error instanceof LogError && error.code === 'LOG_FOREIGN')
      assert.match(error.message, new RegExp(signer.id))
      return true
    })
  })

  it('finds the whole database gone', async () => {
    const directory = copy()
    rmSync(join(directory, 'log'), { recursive: true })
    assert.deepEqual(await ranges(directory), [{ from: 1, to: HEAD, what: 'missing' }])
    await assertRefused(directory)
  })

  it('finds the head file gone, cut or overwritten', async () => {
    for (const damage of [
      (path: string) => rmSync(path),
      (path: string) => truncateSync(path, 100),
      (path: string) => writeFileSync(path, 'x'.repeat(1024)),
    ]) {
      const directory = copy()
      damage(join(directory, 'head'))
      assert.deepEqual(await ranges(directory), [{ from: 1, to: HEAD, what: 'unproven' }])
      await assertRefused(directory)
    }
  })

  it('finds an old database under a new head file', async () => {
    const directory = copy()
    const log = await open(directory)
    await log.append([numbered(1)])
    await log[Symbol.asyncDispose]()
    rmSync(join(directory, 'log'), { recursive: true })
    cpSync(join(original, 'log'), join(directory, 'log'), { recursive: true })
    assert.deepEqual(await ranges(directory), [{ from: HEAD + 1, to: HEAD + 1, what: 'missing' }])
    await assertRefused(directory)
  })

  it('finds a row that was removed, by its neighbours', async () => {
    const directory = copy()
    await edit(directory, async (database) => {
      await database.batch().del(segmentKey(1001)).del(summaryKey(1001)).write()
    })
    assert.deepEqual(await ranges(directory), [{ from: 1001, to: 1100, what: 'missing' }])
    await assertRefused(directory)
    const other = copy()
    await edit(other, (database) => database.del(segmentKey(1001)))
    assert.deepEqual(await ranges(other), [{ from: 1001, to: 1100, what: 'missing' }])
    await assertRefused(other)
    const third = copy()
    await edit(third, (database) => database.del(summaryKey(1001)))
    assert.deepEqual(await ranges(third), [{ from: 1001, to: 1100, what: 'unproven' }])
    await assertRefused(third)
  })

  it('finds segments that changed places, though each is whole', async () => {
    const directory = copy()
    await edit(directory, async (database) => {
      const [a, b] = [await row(database, segmentKey(501)), await row(database, segmentKey(901))]
      await database.batch().put(segmentKey(501), b).put(segmentKey(901), a).write()
    })
    assert.deepEqual(await ranges(directory), [
      { from: 501, to: 600, what: 'reordered' },
      { from: 901, to: 1000, what: 'reordered' },
    ])
  })

  it('finds an event that was changed together with its checksum', async () => {
    const directory = copy()
    await edit(directory, async (database) => {
      const frames = (await row(database, segmentKey(701))).subarray(CHECKSUM_BYTES)
      frames[frames.length - 10] = (frames[frames.length - 10] ?? 0) ^ 1
      await database.put(segmentKey(701), sealValue([frames]))
    })
    assert.deepEqual(await ranges(directory), [{ from: 701, to: 800, what: 'altered' }])
  })

  it('finds a summary that hides kinds from readers', async () => {
    const directory = copy()
    await edit(directory, async (database) => {
      const summary = decodeSummary((await row(database, summaryKey(701))).subarray(CHECKSUM_BYTES))
      await database.put(summaryKey(701), sealValue([encodeSummary({ ...summary, kinds: { low: 0, high: 0 } })]))
    })
    assert.deepEqual(await ranges(directory), [{ from: 701, to: 800, what: 'altered' }])
  })

  it('finds a forged event that was in the log from the start, by its signature alone', async () => {
    const directory = join(root, 'forged')
    const log = await open(directory, true)
    const author = randomSigner()
    const good = foreign(author, 1, 1)
    // Signatures are checked before ingest; here they were not.
    await log.ingest([good, { body: foreign(author, 2, 2).body, signature: good.signature }, foreign(author, 3, 3)])
    await log[Symbol.asyncDispose]()
    assert.deepEqual(await ranges(directory), [])
    const verdict = await verifyLog(directory, { signaturesOf: TEST_NETWORK })
    assert.deepEqual(verdict.ranges, [{ from: 2, to: 2, what: 'altered' }])
  })

  it('reports every random flip in the files of the log', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('.log', '.ldb', 'head'),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (ending, where) => {
          const directory = copy()
          const path = ending === 'head' ? join(directory, 'head') : file(directory, ending)
          flip(path, Math.floor(where * statSync(path).size))
          assert.notDeepEqual(await ranges(directory), [])
          rmSync(directory, { recursive: true })
        },
      ),
      { numRuns: 40 },
    )
  })

  it('audits a log that is open, while it is appended to', async () => {
    const directory = copy()
    await using log = await open(directory)
    const auditing = log.verify({ signaturesOf: TEST_NETWORK })
    for (let commit = 0; commit < 150; commit++) await log.append([numbered(commit)], { durable: false })
    const verdict = await auditing
    assert.deepEqual([verdict.intact, verdict.events, verdict.signaturesChecked], [true, HEAD, HEAD])
    assert.equal((await log.verify()).events, HEAD + 150)
  })

  it('names damaged events of a log that is open', async () => {
    const directory = copy()
    await edit(directory, (database) => database.del(segmentKey(1001)))
    await using log = await open(directory)
    assert.deepEqual((await log.verify()).ranges, [{ from: 1001, to: 1100, what: 'missing' }])
  })

  it('is refused while the log is open in this process', async () => {
    const directory = copy()
    await using log = await open(directory)
    await assert.rejects(verifyLog(directory), (error) => error instanceof LogError && error.code === 'LOG_LOCKED')
    assert.equal(log.head, HEAD)
  })
})

import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { Level } from 'level'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import { type Envelope, LogError } from '../../../src/events/index.ts'
import { openLevelLog, readLevelLog } from '../../../src/events/log/event-log.level.ts'
import { SUMMARIES, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { EVERY_KIND, noUpcast, numbered, randomSigner, signerOf, tickingClock } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'

describe('repairing a log', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-repair-'))
  const original = join(root, 'original')
  const signer = signerOf(1)
  let copies = 0
  let whole: readonly Envelope[] = []
  after(() => rmSync(root, { recursive: true }))
  const open = (directory: string, create = false) =>
    openLevelLog({ directory, signer, clock: tickingClock(), upcast: noUpcast, create })

  const eventsOf = async (directory: string): Promise<Envelope[]> => {
    await using log = await open(directory)
    const events: Envelope[] = []
    for await (const envelope of log.read()) events.push(envelope)
    return events
  }

  before(async () => {
    // Closed now and then, so that the log stands in tables as well as in LevelDB's own log.
    for (let session = 0; session < 4; session++) {
      await using log = await open(original, session === 0)
      for (let commit = 0; commit < 10; commit++)
        await log.append(Array.from({ length: 80 }, (_, index) => EVERY_KIND[index % EVERY_KIND.length] ?? numbered(index)))
      for (let commit = 0; commit < 20; commit++) await log.append([numbered(commit)], { durable: false })
    }
    // Of a copy: opening moves what stands in LevelDB's own log to a table.
    whole = await eventsOf(copy())
    assert.equal(whole.length, 3280)
  })

  function copy(): string {
    const directory = join(root, `copy-${copies++}`)
    cpSync(original, directory, { recursive: true })
    return directory
  }

  const files = (directory: string, ending: string): string[] =>
    readdirSync(join(directory, 'log'))
      .filter((name) => name.endsWith(ending) || name.startsWith(ending))
      .map((name) => join(directory, 'log', name))
      .sort((a, b) => statSync(b).size - statSync(a).size)

  function largest(directory: string, ending: string): string {
    const [path] = files(directory, ending)
    assert.ok(path !== undefined, `no ${ending} file`)
    return path
  }

  /** Repairs, and holds what is left against the log as it was. @returns the report */
  async function repaired(directory: string) {
    const report = await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    assert.ok(report.repaired)
    assert.deepEqual([report.after.ranges, report.after.problems], [[], []])
    const again = await verifyLog(directory, { signaturesOf: TEST_NETWORK })
    assert.ok(again.intact)
    assert.ok(
      report.keptIn !== null && (existsSync(join(report.keptIn, 'log')) || !existsSync(join(directory, 'damaged-1', 'log'))),
    )
    const left = await eventsOf(directory)
    const places = new Set(left.map(({ seq }) => seq))
    assert.deepEqual(
      left,
      whole.filter(({ seq }) => places.has(seq)),
    )
    const gone = report.lost.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index))
    assert.equal(gone.length + left.length, Math.max(whole.length, ...gone))
    assert.ok(gone.every((seq) => !places.has(seq)))
    assert.deepEqual(
      again.holes.map(({ from, to, what }) => [from, to, what]),
      report.lost.map(({ from, to }) => [from, to, 'lost']),
    )
    // Nothing that was ever published has its number given to another event.
    await using log = await open(directory)
    for (const stream of ['local', 'gossip'] as const) {
      const highest = Math.max(...whole.filter((event) => event.stream === stream).map(({ authorSeq }) => authorSeq))
      const [next] = await log.append([stream === 'local' ? { event: { kind: 'node.stopped', reason: 'after' } } : numbered(1)])
      assert.ok(next !== undefined && next.authorSeq > highest, `${stream} ${next?.authorSeq} after ${highest}`)
      if (stream === 'local') assert.ok(next.seq > Math.max(0, ...gone, ...places))
    }
    return report
  }

  it('changes nothing in a log that is intact', async () => {
    const directory = copy()
    const report = await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    assert.equal(report.repaired, false)
    assert.deepEqual(readdirSync(directory).sort(), readdirSync(original).sort())
  })

  /** Changes the bytes of the event at place 1000, in whatever file there is a copy of it. */
  async function spoil(directory: string, change: (bytes: Uint8Array, at: number) => void): Promise<void> {
    const reader = await open(copy())
    const [event] = await reader.readSignedAt([1000])
    await reader[Symbol.asyncDispose]()
    assert.ok(event !== undefined)
    let spoilt = 0
    for (const path of files(directory, '')) {
      const bytes = readFileSync(path)
      const at = bytes.indexOf(event.signature)
      if (at < 0) continue
      change(bytes, at)
      writeFileSync(path, bytes)
      spoilt++
    }
    assert.ok(spoilt > 0)
  }

  it('puts a single bit back that was flipped in a table', async () => {
    for (const bit of [0, 4, 7]) {
      const directory = copy()
      await spoil(directory, (bytes, at) => {
        bytes[at + bit] = (bytes[at + bit] ?? 0) ^ (1 << bit)
      })
      const { lost, before } = await repaired(directory)
      assert.deepEqual(lost, [])
      assert.ok(before.ranges.some(({ from, to }) => from <= 1000 && to >= 1000))
    }
  })

  it('loses only the event whose bytes are gone, of all that stood beside it, and says whose it was', async () => {
    const directory = copy()
    await spoil(directory, (bytes, at) => bytes.fill(0, at, at + 16))
    const { lost } = await repaired(directory)
    const [event] = whole.filter(({ seq }) => seq === 1000)
    assert.ok(event !== undefined)
    const { author, stream, authorSeq } = event
    assert.deepEqual(lost, [{ from: 1000, to: 1000, known: [{ author, stream, authorSeq, count: 1 }], unknown: 0 }])
  })

  it('saves all events but two of a table of which a hundred bytes are gone or too many', async () => {
    for (const change of [
      (bytes: Buffer, at: number) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 100)]),
      (bytes: Buffer, at: number) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(100, 7), bytes.subarray(at)]),
    ]) {
      const directory = copy()
      const path = largest(directory, '.ldb')
      const bytes = readFileSync(path)
      writeFileSync(path, change(bytes, bytes.length >> 1))
      const { lost } = await repaired(directory)
      const count = lost.reduce((sum, { from, to }) => sum + to - from + 1, 0)
      assert.ok(count <= 3, JSON.stringify(lost))
    }
  })

  it('saves everything of a table that lost its end', async () => {
    for (const bytes of [1, 47, 48, 60]) {
      const directory = copy()
      const path = largest(directory, '.ldb')
      truncateSync(path, statSync(path).size - bytes)
      assert.deepEqual((await repaired(directory)).lost, [])
    }
  })

  it('saves everything of tables that changed places', async () => {
    const directory = copy()
    // Opened once more: what stood in LevelDB's own log is a table now.
    await (await open(directory))[Symbol.asyncDispose]()
    const [a, b] = files(directory, '.ldb')
    assert.ok(a !== undefined && b !== undefined)
    const [first, second] = [readFileSync(a), readFileSync(b)]
    writeFileSync(a, second)
    writeFileSync(b, first)
    assert.deepEqual((await repaired(directory)).lost, [])
  })

  it('takes nothing from a table of another node, though its writes have higher numbers', async () => {
    const directory = copy()
    const foreign = join(root, `foreign-${copies++}`)
    const other = randomSigner()
    for (let session = 0; session < 2; session++) {
      await using log = await openLevelLog({
        ...{ directory: foreign, signer: other, clock: tickingClock(), upcast: noUpcast, create: session === 0 },
      })
      for (let commit = 0; commit < 100; commit++) await log.append([...EVERY_KIND])
    }
    writeFileSync(join(directory, 'log', '009999.ldb'), readFileSync(largest(foreign, '.ldb')))
    rmSync(join(directory, 'log', 'CURRENT'))
    assert.deepEqual((await repaired(directory)).lost, [])
  })

  it('records what was cut off at the end, by the head file', async () => {
    const directory = copy()
    const path = largest(directory, '.log')
    assert.ok(statSync(path).size > 100)
    truncateSync(path, statSync(path).size >> 1)
    const { lost } = await repaired(directory)
    assert.equal(lost.at(-1)?.to, whole.length)
  })

  it('loses nothing with the files that say which tables there are', async () => {
    for (const name of ['CURRENT', 'MANIFEST']) {
      const directory = copy()
      rmSync(largest(directory, name))
      const { lost } = await repaired(directory)
      assert.deepEqual(lost, [])
    }
  })

  it('loses nothing with the head file', async () => {
    const directory = copy()
    rmSync(join(directory, 'head'))
    const { lost, floors } = await repaired(directory)
    assert.deepEqual([lost, floors], [[], {}])
  })

  it('goes on from nothing when the whole database is gone, above every number it may have used', async () => {
    const directory = copy()
    rmSync(join(directory, 'log'), { recursive: true })
    const { lost } = await repaired(directory)
    assert.deepEqual(
      lost.map(({ from, to, unknown }) => [from, to, unknown]),
      [[1, whole.length, whole.length]],
    )
  })

  it('puts segments back that changed places, and makes summaries anew', async () => {
    const directory = copy()
    const database = new Level<Uint8Array, Buffer>(join(directory, 'log'), {
      keyEncoding: 'view',
      valueEncoding: 'buffer',
      compression: false,
    })
    await database.open()
    const [a, b] = await database.getMany([segmentKey(81), segmentKey(241)])
    assert.ok(a !== undefined && b !== undefined)
    await database.batch().put(segmentKey(81), b).put(segmentKey(241), a).del(summaryKey(401)).write()
    await database.close()
    const { before, lost } = await repaired(directory)
    assert.equal(before.intact, false)
    assert.deepEqual(lost, [])
  })

  it('loses no event with every summary: each segment says where it belongs', async () => {
    const directory = copy()
    const database = new Level<Uint8Array, Buffer>(join(directory, 'log'), {
      keyEncoding: 'view',
      valueEncoding: 'buffer',
      compression: false,
    })
    await database.open()
    await database.clear(SUMMARIES)
    await database.close()
    const { before, lost } = await repaired(directory)
    assert.deepEqual(before.ranges, [{ from: 1, to: whole.length, what: 'unproven' }])
    assert.deepEqual(lost, [])
  })

  it('can save as much after others have looked at the damaged log as before', async () => {
    const [path] = files(copy(), '.log')
    assert.ok(path !== undefined)
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4
    const damage = (): string => {
      const directory = copy()
      writeFileSync(join(directory, 'log', basename(path)), bytes)
      return directory
    }
    const [untouched, lookedAt] = [damage(), damage()]
    const isDamaged = (error: unknown) => error instanceof LogError && error.code === 'LOG_DAMAGED'
    await assert.rejects(readLevelLog({ directory: lookedAt, upcast: noUpcast }), isDamaged)
    await assert.rejects(open(lookedAt), isDamaged)
    const [first, second] = [await repairLog(untouched, { author: signer.id, network: TEST_NETWORK }), await repaired(lookedAt)]
    assert.deepEqual(second.lost, first.lost)
    assert.deepEqual(second.before, first.before)
  })

  it('leaves the log of another node as it is', async () => {
    const other = randomSigner()
    for (const name of ['', 'CURRENT', 'head']) {
      const directory = copy()
      if (name === 'head') rmSync(join(directory, 'head'))
      else if (name !== '') rmSync(join(directory, 'log', name))
      const before = readdirSync(join(directory, 'log')).sort()
      await assert.rejects(repairLog(directory, { author: other.id, network: TEST_NETWORK }), (error) => {
        assert.ok(error instanceof LogError && error.code === 'LOG_FOREIGN', String(error))
        return true
      })
      assert.deepEqual(readdirSync(join(directory, 'log')).sort(), before)
    }
  })

  it('tells the floors before the repaired log is in place, so that whoever marks them can be cut off after it', async () => {
    const directory = copy()
    // The end of the log, which stands in no table.
    rmSync(largest(directory, '.log'))
    const crash = new Error('cut off here')
    let told = {}
    const marking = repairLog(directory, { author: signer.id, network: TEST_NETWORK }, (floors) => {
      told = floors
      throw crash
    })
    await assert.rejects(marking, crash)
    assert.ok(Object.keys(told).length > 0)
    assert.equal((await verifyLog(directory)).intact, false)
    await repaired(directory)
  })

  it('goes on with a repair that was cut off between its last steps', async () => {
    const directory = copy()
    rmSync(largest(directory, '.ldb'))
    await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    const left = await verifyLog(directory)
    cpSync(join(directory, 'log'), join(directory, 'log.repaired'), { recursive: true })
    rmSync(join(directory, 'log'), { recursive: true })
    const report = await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    assert.deepEqual([report.repaired, report.after], [false, left])
  })

  describe('that was cut off', () => {
    const owner = { author: signer.id, network: TEST_NETWORK }
    /** A log with its tables gone, its repair up to the call of the file system that is named, and what that repair would say. */
    const cutOff = async (name: string): Promise<{ directory: string; told: Awaited<ReturnType<typeof repairLog>> }> => {
      const directory = copy()
      for (const table of files(directory, '.ldb')) rmSync(table)
      const twin = copy()
      rmSync(join(twin, 'log'), { recursive: true })
      cpSync(join(directory, 'log'), join(twin, 'log'), { recursive: true })
      const told = await repairLog(twin, owner)
      const at = (path: string): string => join(directory, path)
      // As the steps leave it: the damaged files are whole in `kept`, the new log is `made`.
      const [kept, made] = [join(twin, 'damaged-1'), join(twin, 'log')]
      const steps: Record<string, () => void> = {
        'half a draft': () => mkdirSync(at('log.repaired')),
        'a whole draft': () => cpSync(made, at('log.repaired'), { recursive: true }),
        'a folder for the damaged files': () => mkdirSync(at('damaged.part')),
        'its report': () => cpSync(join(kept, 'repair.json'), at('damaged.part/repair.json')),
        'the damaged log moved': () => renameSync(at('log'), at('damaged.part/log')),
        'the new log in place': () => {
          rmSync(at('scrub.json'), { force: true })
          renameSync(at('log.repaired'), at('log'))
        },
        'no head file': () => rmSync(at('head')),
      }
      for (const [step, take] of Object.entries(steps)) {
        if (step === 'a whole draft') rmSync(at('log.repaired'), { recursive: true })
        take()
        if (step === name) return { directory, told }
      }
      assert.fail(`no step ${name}`)
    }
    const beside = (directory: string): string[] =>
      readdirSync(directory).filter((name) => !['log', 'head', 'scrub.json', 'damaged-1'].includes(name))

    for (const step of [
      'half a draft',
      'a whole draft',
      'a folder for the damaged files',
      'its report',
      'the damaged log moved',
      'the new log in place',
      'no head file',
    ])
      it(`after it had made ${step}, is done all the same, says what it would have said, and leaves nothing behind`, async () => {
        const { directory, told } = await cutOff(step)
        const report = await repairLog(directory, owner)
        assert.deepEqual([report.repaired, report.lost, report.floors], [true, told.lost, told.floors])
        assert.deepEqual(report.after.holes, told.after.holes)
        assert.ok(report.after.intact && told.lost.length > 0)
        assert.deepEqual(beside(directory), [])
        assert.equal(report.keptIn, join(directory, 'damaged-1'))
        assert.ok(existsSync(join(directory, 'damaged-1', 'log')))
        assert.equal((await repairLog(directory, owner)).repaired, false)
      })

    it('and over which somebody has put another log, touches neither that nor the damaged files', async () => {
      const { directory } = await cutOff('the damaged log moved')
      cpSync(join(original, 'log'), join(directory, 'log'), { recursive: true })
      cpSync(join(original, 'head'), join(directory, 'head'))
      assert.equal((await repairLog(directory, owner)).repaired, false)
      assert.deepEqual(await eventsOf(directory), whole)
      assert.deepEqual(beside(directory), [])
      assert.ok(existsSync(join(directory, 'damaged-1', 'log')))
    })
  })

  it('can be done again, after more damage', async () => {
    const directory = copy()
    rmSync(largest(directory, '.ldb'))
    const first = await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    const [path] = files(directory, '').filter((file) => /\.(ldb|log)$/.test(file))
    assert.ok(path !== undefined)
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0, bytes.length >> 1, (bytes.length >> 1) + 500))
    const second = await repairLog(directory, { author: signer.id, network: TEST_NETWORK })
    assert.ok(second.after.intact)
    const lost = (ranges: readonly { from: number; to: number }[]) =>
      ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
    assert.ok(lost(second.after.holes) > lost(first.after.holes))
    assert.equal(second.after.events + lost(second.after.holes), whole.length)
  })

  it('makes a usable log of any damage by a flip or a cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), async (which, share, cuts) => {
        const directory = copy()
        const paths = files(directory, '').filter((path) => /\.(ldb|log)$|MANIFEST/.test(path) && statSync(path).size > 0)
        const path = paths[which % paths.length]
        assert.ok(path !== undefined)
        const at = Math.min(Math.floor(share * statSync(path).size), statSync(path).size - 1)
        if (cuts) {
          truncateSync(path, at)
        } else {
          const bytes = readFileSync(path)
          bytes[at] = (bytes[at] ?? 0) ^ 0x40
          writeFileSync(path, bytes)
        }
        if (!(await verifyLog(directory)).intact) await repaired(directory)
        rmSync(directory, { recursive: true })
      }),
      { numRuns: 12 },
    )
  })
})

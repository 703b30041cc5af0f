import assert from 'node:assert/strict'
import fs, { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { Level } from 'level'
import { upcastSteps } from '../../../migrations/index.ts'
import {
  type ContentRules,
  type Envelope,
  type EventKind,
  type EventLog,
  type InfoHash,
  LogError,
  type Signer,
  upcaster,
} from '../../../src/events/index.ts'
import { encodeMeta, openDatabase, readMeta } from '../../../src/events/leveldb/log-database.level.ts'
import { createLevelLog, type LevelLog, openLevelLog, readLevelLog } from '../../../src/events/log/event-log.level.ts'
import { bootId, HeadFile, isHeadFileWhole, readHeadFile } from '../../../src/events/log/head-file.fs.ts'
import type { HeadMark } from '../../../src/events/log/head-record.ts'
import { META_KEY } from '../../../src/events/segments/segment-keys.ts'
import { EVERY_KIND, foreign, numbered, randomSigner, tickingClock } from '../samples.ts'
import { describeEventLog } from './event-log.contract.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const seqsOfRead = (envelopes: readonly Envelope[]): number[] => envelopes.map(({ seq }) => seq)
const seqsTo = (head: number): number[] => Array.from({ length: head }, (_, index) => index + 1)

describe('the log on LevelDB', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-log-'))
  let directories = 0
  const fresh = (): string => join(root, String(directories++))
  after(() => rmSync(root, { recursive: true }))
  const open = (directory: string, signer: Signer, create = true, rules?: ContentRules): Promise<EventLog> =>
    openLevelLog({ directory, signer, clock: tickingClock(), upcast: upcaster(upcastSteps), create, ...(rules && { rules }) })

  describeEventLog('the log on LevelDB', (signer, rules) => open(fresh(), signer, true, rules))

  const signer = randomSigner()
  const author = randomSigner()

  /** Events of two authors and of every kind, in commits of these sizes. */
  async function fill(log: EventLog, commits: readonly number[]): Promise<void> {
    let own = 0
    let theirs = log.versionVector().get(author.id) ?? 0
    for (const [index, size] of commits.entries()) {
      if (index % 3 === 2) {
        const events = Array.from({ length: size }, () => foreign(author, ++theirs, log.lamport + 1))
        await log.ingest(events, { durable: index % 2 === 0 })
      } else {
        const drafts = Array.from({ length: size }, () => EVERY_KIND[own++ % EVERY_KIND.length] ?? numbered(0))
        await log.append(drafts, { durable: false })
      }
    }
  }

  async function sizesOfSegments(directory: string): Promise<number[]> {
    const seqs: number[] = []
    const database = new Level<Uint8Array, Buffer>(join(directory, 'log'), {
      keyEncoding: 'view',
      valueEncoding: 'buffer',
      compression: false,
    })
    for await (const key of database.keys({ gte: new Uint8Array([0x73]), lt: new Uint8Array([0x74]) })) {
      seqs.push(new DataView(key.buffer, key.byteOffset).getUint32(5))
    }
    await database.close()
    return seqs.map((seq, index) => (seqs[index + 1] ?? seq) - seq).slice(0, -1)
  }

  it('is whole to whoever reads while small commits are joined', async () => {
    await using log = await open(fresh(), signer)
    let isDone = false
    let reads = 0
    const reader = async (): Promise<void> => {
      while (!isDone) {
        const { head } = log
        const read = (await all(log.readBatches())).flat()
        assert.ok(read.length >= head, `${read.length} events of ${head}`)
        assert.equal((await log.readSignedAt(seqsTo(head))).length, head)
        reads++
        await setImmediate()
      }
    }
    const readers = [reader(), reader(), reader(), reader()]
    for (let number = 0; number < 400; number++) await log.append([1, 2, 3].map(numbered), { durable: false })
    isDone = true
    await Promise.all(readers)
    assert.ok(reads > 0)
  })

  it('is the same after it was closed and opened, whatever the sizes of its commits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 30, size: 'max' }),
        fc.nat(),
        async (commits, cut) => {
          const directory = fresh()
          const first = await open(directory, signer)
          await fill(first, commits.slice(0, cut % 30))
          const half = await all(first.read())
          await first[Symbol.asyncDispose]()
          const second = await open(directory, signer, false)
          assert.deepEqual(await all(second.read()), half)
          await fill(second, commits.slice(cut % 30))
          const whole = await all(second.read())
          const facts = (log: EventLog): unknown => [log.head, log.lamport, [...log.versionVector()]]
          const before = facts(second)
          await second[Symbol.asyncDispose]()
          const third = await open(directory, signer, false)
          assert.deepEqual(facts(third), before)
          assert.deepEqual(await all(third.read()), whole)
          assert.deepEqual(
            whole.map(({ seq }) => seq),
            whole.map((_, index) => index + 1),
          )
          const kinds: readonly EventKind[] = ['piece.judged', 'member.left']
          const wanted = whole.filter(({ event }) => (kinds as readonly string[]).includes(event.kind))
          assert.deepEqual(await all(third.read({ kinds })), wanted)
          const found = await all(third.readSigned(author.id, 'gossip', 1, Number.MAX_SAFE_INTEGER))
          assert.equal(found.length, whole.filter((envelope: Envelope) => envelope.author === author.id).length)
          await third[Symbol.asyncDispose]()
        },
      ),
      { numRuns: 20 },
    )
  })

  it('joins small commits into segments of at least 64 events, and leaves few small ones', async () => {
    const directory = fresh()
    const log = await open(directory, signer)
    for (let commit = 0; commit < 1000; commit++) await log.append([numbered(commit)], { durable: false })
    await log[Symbol.asyncDispose]()
    const sizes = await sizesOfSegments(directory)
    assert.deepEqual(sizes.slice(0, 7), Array(7).fill(128))
    assert.ok(sizes.slice(7).every((size) => size === 1))
    assert.ok(sizes.length < 7 + 128)
  })

  it('reads its snapshot to the end while segments are joined under it', async () => {
    await using log = await open(fresh(), signer)
    for (let commit = 0; commit < 120; commit++) await log.append([numbered(commit)], { durable: false })
    const seen: number[] = []
    for await (const { seq } of log.read()) {
      seen.push(seq)
      if (seq % 10 === 0) await log.append([numbered(seq)], { durable: false })
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 120 }, (_, index) => index + 1),
    )
    assert.equal((await all(log.read())).length, 132)
  })

  it('is read without its key when its node is stopped', async () => {
    const directory = fresh()
    const log = await open(directory, signer)
    await fill(log, [3, 1, 200])
    const whole = await all(log.read())
    await log[Symbol.asyncDispose]()
    const view = await readLevelLog({ directory, upcast: upcaster(upcastSteps) })
    assert.deepEqual([view.author, view.head], [signer.id, 204])
    assert.deepEqual(await all(view.read()), whole)
    await view[Symbol.asyncDispose]()
    const again = await open(directory, signer, false)
    assert.equal(again.head, 204)
    await again[Symbol.asyncDispose]()
  })

  it('refuses the log of another node, and says so where there is none', async () => {
    const directory = fresh()
    await (await open(directory, signer))[Symbol.asyncDispose]()
    await assert.rejects(open(directory, author, false), (error) => error instanceof LogError && error.code === 'LOG_FOREIGN')
    await assert.rejects(open(fresh(), signer, false), (error) => error instanceof LogError && error.code === 'LOG_MISSING')
    await (await open(directory, signer, false))[Symbol.asyncDispose]()
  })

  it('is locked while it is open, for whoever writes or reads, and free afterwards', async () => {
    const directory = fresh()
    const log = await open(directory, signer)
    const locked = { code: 'LOG_LOCKED' }
    await assert.rejects(open(directory, signer, false), locked)
    await assert.rejects(readLevelLog({ directory, upcast: upcaster(upcastSteps) }), locked)
    await assert.rejects(createLevelLog(directory, signer.id), locked)
    await log[Symbol.asyncDispose]()
    const view = await readLevelLog({ directory, upcast: upcaster(upcastSteps), author: signer.id })
    await assert.rejects(open(directory, signer, false), locked)
    await view[Symbol.asyncDispose]()
    await assert.rejects(readLevelLog({ directory, upcast: upcaster(upcastSteps), author: author.id }), { code: 'LOG_FOREIGN' })
    await (await open(directory, signer, false))[Symbol.asyncDispose]()
    await assert.rejects(readLevelLog({ directory: fresh(), upcast: upcaster(upcastSteps) }), { code: 'LOG_MISSING' })
  })

  it('leaves nothing behind where it was read, and clears away what a killed process left', async () => {
    const directory = fresh()
    await (await open(directory, signer))[Symbol.asyncDispose]()
    const names = (): string[] => readdirSync(directory).sort()
    const before = names()
    for (const left of ['read-old', 'room-old.part', 'other']) mkdirSync(join(directory, left))
    const view = await readLevelLog({ directory, upcast: upcaster(upcastSteps) })
    assert.equal(names().filter((name) => name.startsWith('read-')).length, 1)
    await view[Symbol.asyncDispose]()
    assert.deepEqual(names(), [...before, 'other', 'room-old.part'].sort())
    await (await open(directory, signer, false))[Symbol.asyncDispose]()
    assert.deepEqual(names(), [...before, 'other', 'scrub.json'].sort())
  })

  it('is made once: what is there is left as it is', async () => {
    const directory = fresh()
    await createLevelLog(directory, signer.id)
    const empty = { seq: 0, digest: '00'.repeat(32) }
    assert.deepEqual(readHeadFile(join(directory, 'head')), { latest: empty, durable: empty, clean: true, boot: bootId() })
    assert.equal(isHeadFileWhole(join(directory, 'head')), true)
    const log = await open(directory, signer, false)
    await fill(log, [3])
    await log[Symbol.asyncDispose]()
    await createLevelLog(directory, author.id)
    const again = await open(directory, signer)
    assert.equal(again.head, 3)
    await again[Symbol.asyncDispose]()
    // Where the head file alone is gone nothing proves that the log is all there, and none is begun.
    rmSync(join(directory, 'head'))
    await createLevelLog(directory, signer.id)
    assert.equal(existsSync(join(directory, 'head')), false)
    await assert.rejects(open(directory, signer), (error) => {
      assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
      assert.deepEqual(error.detail.ranges, [{ from: 1, to: 3, what: 'unproven' }])
      return true
    })
  })

  it('keeps the head file behind each commit, what is on the disk apart, and says whether it was closed', async () => {
    const directory = fresh()
    const record = () => readHeadFile(join(directory, 'head')) ?? assert.fail()
    const log = (await open(directory, signer)) as LevelLog
    assert.deepEqual([record().latest.seq, record().clean], [0, false], 'open')
    await log.append([numbered(1)], { durable: true })
    await log.append([numbered(2)], { durable: false })
    assert.deepEqual([record().latest.seq, record().durable.seq, record().clean, record().boot], [2, 1, false, bootId()])
    const { headDigest } = await log.verify()
    assert.equal(record().latest.digest, headDigest)
    await log[Symbol.asyncDispose]()
    assert.deepEqual(record(), {
      latest: { seq: 2, digest: headDigest },
      durable: { seq: 2, digest: headDigest },
      clean: true,
      boot: bootId(),
    })
    await using again = await open(directory, signer, false)
    assert.deepEqual([again.head, record().durable.seq, record().clean], [2, 2, false])
  })

  it('is damaged where it ends before what the head file proves, or otherwise', async () => {
    const directory = fresh()
    const log = await open(directory, signer)
    await fill(log, [3, 2])
    await log[Symbol.asyncDispose]()
    const { latest } = readHeadFile(join(directory, 'head')) ?? assert.fail()
    const claim = (mark: HeadMark): void => {
      const file = new HeadFile(join(directory, 'head'))
      for (let slot = 0; slot < 2; slot++) file.write({ latest: mark, durable: mark, clean: true, boot: null })
      file.close()
    }
    const damaged = async (mark: HeadMark, ranges: readonly object[]) => {
      claim(mark)
      for (const opened of [
        () => open(directory, signer, false),
        () => readLevelLog({ directory, upcast: upcaster(upcastSteps) }),
      ])
        await assert.rejects(opened, (error) => {
          assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
          assert.deepEqual(error.detail.ranges, ranges)
          return true
        })
    }
    const other = { ...latest, digest: 'ab'.repeat(32) }
    await damaged({ ...latest, seq: 7 }, [{ from: 6, to: 7, what: 'missing' }])
    await damaged(other, [{ from: 1, to: 5, what: 'altered' }])
    claim(latest)
    await (await open(directory, signer, false))[Symbol.asyncDispose]()
  })

  it('names a damaged table before LevelDB opens it, and whether tables alone are damaged', async () => {
    const directory = fresh()
    const log = await open(directory, signer)
    await fill(log, [90, 90])
    await log[Symbol.asyncDispose]()
    // Once more, so that it stands in a table.
    await (await open(directory, signer, false))[Symbol.asyncDispose]()
    const [table] = readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.ldb'))
    const path = join(directory, 'log', table ?? assert.fail())
    const bytes = readFileSync(path)
    rmSync(join(directory, 'scrub.json'))
    writeFileSync(path, bytes.fill(0xee, 100, 110))
    for (const opened of [
      () => open(directory, signer, false),
      () => readLevelLog({ directory, upcast: upcaster(upcastSteps) }),
    ])
      await assert.rejects(opened, (error) => {
        assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
        assert.equal(error.detail.isInTables, true)
        return true
      })
    await assert.rejects(readLevelLog({ directory, upcast: upcaster(upcastSteps), author: author.id }), { code: 'LOG_FOREIGN' })
  })

  /** While every write of a batch to LevelDB fails. */
  async function onFullDisk(run: () => Promise<void>): Promise<void> {
    const { batch } = Level.prototype
    Level.prototype.batch = function (this: Level, ...parameters: []) {
      const chained = batch.apply(this, parameters)
      chained.write = async () => {
        throw new Error('binding', { cause: new Error('No space left on device') })
      }
      return chained
    } as never
    try {
      await run()
    } finally {
      Reflect.deleteProperty(Level.prototype, 'batch')
    }
  }
  const failed = { code: 'LOG_WRITE_FAILED', message: 'the event log could not be written: No space left on device' }

  it('says why it cannot be written, and can be again when there is room', async () => {
    const log = (await open(fresh(), signer)) as LevelLog
    const told: (string | undefined)[] = []
    log.onWriteFailure((reason) => told.push(reason))
    await fill(log, [3])
    await onFullDisk(async () => {
      await assert.rejects(log.append([numbered(1)]), failed)
      for (let attempt = 0; attempt < 2; attempt++) assert.equal(await log.recover(), false)
      assert.equal(log.writeFailure, 'No space left on device')
    })
    assert.equal(await log.recover(), true)
    assert.deepEqual([log.writeFailure, told], [undefined, ['No space left on device', undefined]])
    await log.append([numbered(1)])
    assert.equal((await log.verify()).intact, true)
    await onFullDisk(() => assert.rejects(log.append([numbered(2)]), failed))
    await log[Symbol.asyncDispose]()
    assert.equal(await log.recover(), false, 'not when it is closed')
    assert.equal(told.length, 3)
  })

  it('says why nothing could be taken out of it, and what of it is damaged', async () => {
    const directory = fresh()
    const log = (await open(directory, signer)) as LevelLog
    await log.append(Array.from({ length: 70 }, (_, index) => numbered(index)))
    const request = { to: 70, kinds: ['member.left'], drop: () => true } as const
    await onFullDisk(() => assert.rejects(log.prune(request), failed))
    await log[Symbol.asyncDispose]()
    await assert.rejects(log.prune(request), { code: 'LOG_CLOSED' })
    const again = (await open(directory, signer, false)) as LevelLog
    assert.equal((await again.prune(request)).events, 70)
    await again[Symbol.asyncDispose]()
  })

  it('has its head file on the disk as soon as it is open', async () => {
    const directory = fresh()
    await (await open(directory, signer))[Symbol.asyncDispose]()
    const synced: string[] = []
    const { fsyncSync } = fs
    fs.fsyncSync = (file) => {
      synced.push(basename(fs.readlinkSync(`/proc/self/fd/${file}`)))
      fsyncSync(file)
    }
    syncBuiltinESMExports()
    try {
      await using _log = await open(directory, signer, false)
      assert.ok(synced.includes('head'), String(synced))
    } finally {
      fs.fsyncSync = fsyncSync
      syncBuiltinESMExports()
    }
  })

  it('gives numbers out again that a repair had left out, once peers have told what they hold', async () => {
    const directory = fresh()
    await createLevelLog(directory, signer.id)
    const database = await openDatabase(join(directory, 'log'), false)
    await database.put(META_KEY, encodeMeta({ author: signer.id, floors: { gossip: 70, index: 5 } }))
    await database.close()
    const seqsOf = async (log: EventLog) => {
      const titled = { event: { kind: 'torrent.withdrawn', infoHash: 'ab'.repeat(20) as InfoHash, title: 'x' } } as const
      return (await log.append([numbered(1), titled])).map(({ authorSeq }) => authorSeq)
    }
    const log = (await open(directory, signer, false)) as LevelLog
    assert.deepEqual(await seqsOf(log), [70, 5])
    await log[Symbol.asyncDispose]()
    const again = (await open(directory, signer, false)) as LevelLog
    await again.settleGossip()
    await again.settleGossip()
    await again[Symbol.asyncDispose]()
    const check = await openDatabase(join(directory, 'log'), false)
    assert.deepEqual((await readMeta(check, signer.id)).floors, { index: 5 })
    await check.close()
  })

  it('is copied as that of a node that goes on from it: index numbers begin far above, of a node that runs or not', async () => {
    const [directory, copy, second] = [fresh(), fresh(), fresh()]
    const titled = { event: { kind: 'torrent.withdrawn', infoHash: 'ab'.repeat(20) as InfoHash, title: 'x' } } as const
    const log = (await open(directory, signer)) as LevelLog
    await log.append([numbered(1), titled, titled])
    const { head, gossipSeq, indexSeq } = await log.copyTo(copy)
    assert.deepEqual([head.seq, gossipSeq, indexSeq], [3, 1, 2])
    const whole = await all(log.read())
    await log[Symbol.asyncDispose]()
    const other = await open(copy, signer, false)
    assert.deepEqual(await all(other.read()), whole)
    assert.deepEqual(
      (await other.append([titled, numbered(2)])).map(({ authorSeq }) => authorSeq),
      [2 + 1 + 65_536, 2],
    )
    await other[Symbol.asyncDispose]()
    // A copy of a copy goes above what that had left out.
    const view = await readLevelLog({ directory: copy, upcast: upcaster(upcastSteps) })
    const told: number[] = []
    await view.copyTo(second, (seq) => told.push(seq))
    assert.deepEqual(told.slice(0, 1), [1])
    await view[Symbol.asyncDispose]()
    const third = await open(second, signer, false)
    assert.deepEqual(
      (await third.append([titled])).map(({ authorSeq }) => authorSeq),
      [3 + 65_536 + 1 + 65_536],
    )
    await third[Symbol.asyncDispose]()
  })

  it('lets events go in many writes, and gives their room back', async () => {
    await using log = (await open(fresh(), signer)) as LevelLog
    for (let commit = 0; commit < 70; commit++)
      await log.append(
        Array.from({ length: 64 }, (_, index) => numbered(index)),
        { durable: false },
      )
    const bytes = await log.bytesOnDisk()
    const pruned = await log.prune({ to: log.head - 64, kinds: ['member.left'], drop: () => true })
    assert.equal(pruned.events, 69 * 64)
    assert.ok(pruned.bytes > 69 * 64 * 100 && (await log.bytesOnDisk()) < bytes, `${pruned.bytes} of ${bytes}`)
    assert.deepEqual(seqsOfRead(await all(log.read())), seqsTo(log.head).slice(-64))
    assert.deepEqual(await log.prune({ to: log.head - 64, kinds: ['member.left'], drop: () => true }), { events: 0, bytes: 0 })
    assert.equal(await log.recover(), true, 'nothing is wrong with it')
  })

  it('refuses a log of a newer format', async () => {
    const directory = fresh()
    await (await open(directory, signer))[Symbol.asyncDispose]()
    const database = new Level(join(directory, 'log'))
    await database.put('m', JSON.stringify({ format: 2, since: '2.1.0', author: signer.id }))
    await database.close()
    await assert.rejects(open(directory, signer, false), (error) => {
      assert.ok(error instanceof LogError)
      assert.match(error.message, /format 2, this version reads up to 1: use p2pt 2\.1\.0 or later/)
      return true
    })
  })

  it('goes on from a copy of its files that was taken while it ran', async () => {
    const [directory, copy] = [fresh(), fresh()]
    await using log = await open(directory, signer)
    await fill(log, [5, 5, 5])
    // What kill -9 leaves: what was written, with no close. The head file is ahead of nothing.
    cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith('LOCK') })
    await using again = await open(copy, signer, false)
    assert.deepEqual(await all(again.read()), await all(log.read()))
  })

  it('leaves index numbers out above those that it has left out before', async () => {
    const directory = fresh()
    let log = (await open(directory, signer)) as LevelLog
    const next = async () =>
      (await log.append([{ event: { kind: 'torrent.withdrawn', infoHash: 'ab'.repeat(20) as InfoHash, title: 'x' } }]))[0]
        ?.authorSeq
    await log.leaveOutIndexNumbers(10)
    await log.leaveOutIndexNumbers(10)
    assert.equal(await next(), 10 + 2 * 65_536 + 2 - 1)
    await log.leaveOutIndexNumbers(500_000)
    assert.equal(await next(), 500_000 + 65_536 + 1)
    await log.leaveOutIndexNumbers(600_000)
    await log[Symbol.asyncDispose]()
    log = (await open(directory, signer, false)) as LevelLog
    assert.equal(await next(), 600_000 + 65_536 + 1, 'also after it was opened again')
    await log[Symbol.asyncDispose]()
  })
})

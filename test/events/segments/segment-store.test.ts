import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Draft, Envelope, EventKind, InfoHash, UnsignedEvent } from '../../../src/events/index.ts'
import { LogError } from '../../../src/events/index.ts'
import { readMeta } from '../../../src/events/leveldb/log-database.level.ts'
import type { PlannedEvent } from '../../../src/events/log/commit-plan.ts'
import { bootId, readHeadFile } from '../../../src/events/log/head-file.fs.ts'
import { toHex } from '../../../src/events/model/hex.ts'
import { encodeFrame } from '../../../src/events/segments/segment.ts'
import { ARRIVALS, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { decodeSummary } from '../../../src/events/segments/segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, isSealed, sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { foreign, numbered, signerOf } from '../samples.ts'
import { atNextWrite, ME, storeScene } from './store-scene.ts'

type Scene = Awaited<ReturnType<typeof storeScene>>

const local: Draft = { event: { kind: 'node.stopped', reason: 'x' } }
const published: UnsignedEvent = {
  stream: 'index',
  event: {
    ...{ kind: 'torrent.published', infoHash: 'ab'.repeat(20) as InfoHash, title: 'orbit' },
    ...{ sizeBytes: 1, fileCount: 1, tags: [] },
  },
}
const drafts = (count: number): Draft[] => Array.from({ length: count }, (_, index) => numbered(index))

async function add({ log }: Scene, ...counts: readonly number[]): Promise<void> {
  for (const count of counts) await log.append(drafts(count), { durable: false })
}
const range = (from: number, to: number, kinds?: readonly EventKind[]) => ({ from, to, kinds })
async function read({ store }: Scene, ...bounds: Parameters<typeof range>): Promise<number[]> {
  const seqs: number[] = []
  for await (const batch of store.batches(range(...bounds))) seqs.push(...batch.map(({ seq }) => seq))
  return seqs
}
const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, index) => from + index)
const damage =
  (...ranges: readonly object[]) =>
  (error: unknown) => {
    assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED', String(error))
    assert.deepEqual(error.detail.ranges, ranges)
    return true
  }
/** Events that a store takes as they are. */
const planned = (first: number, bodies: readonly number[]): PlannedEvent[] =>
  bodies.map((length, index) => ({
    ...{ body: new Uint8Array(length), signature: new Uint8Array(64) },
    envelope: {
      seq: first + index,
      author: ME.id,
      stream: 'local',
      authorSeq: first + index,
      lamport: 1,
      kind: 1,
    } as unknown as Envelope,
  }))

/** The names of files that are brought to the disk through node:fs/promises. */
function watchSyncs(): { names: string[]; undo(): void } {
  const names: string[] = []
  const { open } = promises
  promises.open = async (...parameters) => {
    const file = await open(...parameters)
    const datasync = file.datasync.bind(file)
    file.datasync = async () => {
      names.push(basename(String(parameters[0])))
      await datasync()
    }
    return file
  }
  syncBuiltinESMExports()
  return {
    names,
    undo() {
      promises.open = open
      syncBuiltinESMExports()
    },
  }
}

describe('the store of segments', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-store-'))
  let directories = 0
  const fresh = () => join(root, String(directories++), 'log')
  const scene = () => storeScene(fresh())
  after(() => rmSync(root, { recursive: true }))

  it('has a segment and a summary for each commit, in one chain', async () => {
    await using one = await scene()
    await add(one, 2, 3)
    assert.deepEqual(
      [await one.segments(), await one.summaries()],
      [
        [1, 3],
        [1, 3],
      ],
    )
    let digest: Uint8Array = new Uint8Array(32)
    for (const [first, count] of [
      [1, 2],
      [3, 3],
    ] as const) {
      const value = await one.database.get(summaryKey(first))
      assert.ok(value !== undefined && isSealed(value))
      const summary = decodeSummary(value.subarray(CHECKSUM_BYTES))
      assert.deepEqual(
        [summary.first, summary.count, summary.lamportMin, summary.lamportMax],
        [first, count, first, first + count - 1],
      )
      assert.deepEqual(Buffer.from(summary.before), Buffer.from(digest))
      digest = chainDigest(digest, encodeFrame(await one.store.signedAt(upTo(first + count - 1, first))))
      assert.deepEqual(Buffer.from(summary.after), Buffer.from(digest))
      assert.deepEqual(summary.runs, [{ author: ME.id, stream: 'gossip', authorSeq: first, seq: first, count }])
      assert.equal(one.steps.includes(`${first + count - 1} ${toHex(digest).slice(0, 8)}`), true, 'and tells of it')
    }
    assert.deepEqual(
      [...one.directory].map(({ first, count }) => [first, count]),
      [
        [1, 2],
        [3, 3],
      ],
    )
  })

  it('joins small commits that bring 128 events together, and leaves large ones alone', async () => {
    await using one = await scene()
    await add(one, 63, 63, 1)
    assert.deepEqual(await one.segments(), [1, 64, 127])
    await add(one, 1)
    assert.deepEqual([await one.segments(), await one.summaries()], [[1], [1]], 'the fourth brings them to 128')
    await add(one, 64)
    assert.deepEqual(await one.segments(), [1, 129])
    await add(one, 1)
    await add(one, 64)
    assert.deepEqual(await one.segments(), [1, 129, 193], 'a large one takes the small ones before it along')
    await add(one, 1)
    assert.deepEqual(await one.segments(), [1, 129, 193, 258])
    assert.deepEqual(await read(one, 1, 258), upTo(258))
    assert.deepEqual(
      [...one.directory].map(({ first, count }) => [first, count]),
      [
        [1, 128],
        [129, 64],
        [193, 65],
        [258, 1],
      ],
    )
  })

  it('joins small commits that bring 256 KiB together', async () => {
    await using one = await scene()
    const frame = (body: number): number => encodeFrame(planned(1, [body])).length
    const over = frame(100_000) - 100_000
    const sizes = [100_000, 100_000, 256 * 1024 - 2 * (100_000 + over) - over - 1]
    assert.equal(frame(sizes[2] as number), 256 * 1024 - 2 * frame(100_000) - 1)
    for (const [index, size] of sizes.entries()) await one.store.write({ events: planned(index + 1, [size]), runs: [] }, false)
    assert.deepEqual(await one.segments(), [1, 2, 3], 'a byte fewer')
    await one.store.write({ events: planned(4, [1]), runs: [] }, false)
    assert.deepEqual(await one.segments(), [1])
  })

  it('goes on after it was closed where it was, and joins what was small then', async () => {
    const path = fresh()
    {
      await using one = await storeScene(path)
      await add(one, 60, 60)
    }
    await using one = await storeScene(path)
    assert.equal(one.state.head, 120)
    await add(one, 8)
    assert.deepEqual(await one.segments(), [1])
    assert.deepEqual(await read(one, 1, 128), upTo(128))
    assert.equal((await one.store.verify({})).intact, true)
  })

  it('writes down when events arrived, once an hour, and never backwards', async () => {
    const path = fresh()
    const start = 1_800_000_000_000
    {
      await using one = await storeScene(path)
      for (const after of [0, 3_599_999, 3_600_000, 1_000, 7_199_999, 7_200_000]) {
        one.clock.at = start + after
        await add(one, 2)
      }
      const expected = [
        { seq: 1, at: start },
        { seq: 5, at: start + 3_600_000 },
        { seq: 11, at: start + 7_200_000 },
      ]
      assert.deepEqual(one.store.arrivals, expected)
      assert.deepEqual(await one.arrivals(), [1, 5, 11])
    }
    await using again = await storeScene(path)
    assert.deepEqual(
      again.store.arrivals.map(({ seq }) => seq),
      [1, 5, 11],
    )
    assert.equal(
      (await again.database.iterator(ARRIVALS).all()).every(([, value]) => isSealed(value)),
      true,
    )
  })

  it('reads from any place to any other, of all kinds or of some', async () => {
    await using one = await scene()
    await add(one, 70)
    await one.log.append([local, numbered(1), local])
    await add(one, 70)
    assert.deepEqual(await read(one, 1, 143), upTo(143))
    assert.deepEqual(await read(one, 69, 74), [69, 70, 71, 72, 73, 74])
    assert.deepEqual(await read(one, 1, 143, ['node.stopped']), [71, 73])
    assert.deepEqual(await read(one, 72, 72, ['node.stopped']), [])
    assert.deepEqual(await read(one, 1, 143, []), [])
    assert.deepEqual(await read(one, 1, 143, ['torrent.published']), [])
  })

  it('reads in batches of a thousand and some events', async () => {
    await using one = await scene()
    for (let commit = 0; commit < 9; commit++) await one.log.append(drafts(256), { durable: false })
    const sizes: number[] = []
    for await (const batch of one.store.batches(range(1, 2_304))) sizes.push(batch.length)
    assert.deepEqual(sizes, [1_024, 1_024, 256])
  })

  it('finds signed events in the order asked, each as often as asked, as copies', async () => {
    await using one = await scene()
    await add(one, 70, 1, 1)
    const events = await one.store.signedAt([72, 1, 70, 1])
    const [last, first, seventieth, again] = events
    assert.equal(events.length, 4)
    assert.equal(first, again)
    assert.notDeepEqual(first, seventieth)
    assert.equal(last?.signature.length, 64)
    for (const event of events) assert.equal(event.body.buffer.byteLength, event.body.length)
    assert.deepEqual(await one.store.signedAt([]), [])
  })

  it('names the events of a segment that is gone, changed or too many', async () => {
    await using one = await scene()
    await add(one, 70, 70, 70)
    const [key, value] = [segmentKey(71), await one.database.get(segmentKey(71))]
    assert.ok(value !== undefined)
    await one.database.del(key)
    const missing = damage({ from: 71, to: 140, what: 'missing' })
    await assert.rejects(read(one, 1, 210), missing)
    await assert.rejects(one.store.signedAt([75, 1]), missing)
    assert.deepEqual(await read(one, 141, 210), upTo(210, 141))
    await assert.rejects(read(one, 80, 130), missing)

    await one.database.put(key, Buffer.from(value.with(50, (value[50] ?? 0) ^ 1)))
    const altered = damage({ from: 71, to: 140, what: 'altered' })
    await assert.rejects(read(one, 1, 210), altered)
    await assert.rejects(one.store.signedAt([75]), altered)

    await one.database.put(key, value)
    await one.database.put(segmentKey(100), value)
    await assert.rejects(read(one, 1, 210), damage({ from: 100, to: 141, what: 'reordered' }))
    await one.database.del(segmentKey(100))
    await one.database.del(segmentKey(141))
    await assert.rejects(read(one, 1, 210), damage({ from: 141, to: 210, what: 'missing' }))
    const { intact, ranges } = await one.store.verify({})
    assert.deepEqual([intact, ranges], [false, [{ from: 141, to: 210, what: 'missing' }]])
  })

  it('says which events cannot be read where their checksum holds and their bytes are none', async () => {
    await using one = await scene()
    await add(one, 70)
    await one.database.put(segmentKey(1), sealValue([Buffer.from('no segment')]))
    const altered = damage({ from: 1, to: 70, what: 'altered' })
    await assert.rejects(read(one, 1, 70), altered)
    await assert.rejects(one.store.signedAt([3]), altered)
  })

  it('gives readers the log before a commit or after it, and nothing between', async () => {
    await using one = await scene()
    await add(one, 63, 63, 1)
    const written = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    atNextWrite(one.database, async (write) => {
      await write()
      written.resolve()
      await gate.promise
    })
    const appended = add(one, 1)
    await written.promise
    // Its segments are joined in the database, and not yet in the directory.
    const reads = [read(one, 1, 127), one.store.signedAt([127]).then((events) => events.map(() => 127))]
    gate.resolve()
    await appended
    assert.deepEqual(await Promise.all(reads), [upTo(127), [127]])
  })

  it('is mended by the next write after a failed one, and has nothing of that', async () => {
    for (const isWritten of [false, true]) {
      const path = fresh()
      await using one = await storeScene(path)
      await add(one, 63, 63, 1)
      const failure = new Error('No space left on device')
      atNextWrite(one.database, async (write) => {
        if (isWritten) await write()
        throw failure
      })
      await assert.rejects(add(one, 1), { code: 'LOG_WRITE_FAILED', message: /No space left on device/ })
      assert.deepEqual([one.log.head, [...one.directory].length], [127, 3])
      one.steps.length = 0
      await add(one, 2)
      assert.equal(one.steps[0], 'opened anew')
      assert.deepEqual(await read(one, 1, 129), upTo(129))
      assert.deepEqual([await one.segments(), await one.summaries()], [[1], [1]])
      assert.equal((await one.store.verify({})).intact, true)
      one.steps.length = 0
      await add(one, 1)
      assert.equal(one.steps.includes('opened anew'), false, 'once is enough')
    }
  })

  it('stays to be mended as long as it cannot be', async () => {
    await using one = await scene()
    await add(one, 1)
    const failing = async (): Promise<void> => {
      throw new Error('Input/output error')
    }
    atNextWrite(one.database, failing)
    await assert.rejects(add(one, 1))
    one.hooks.opened = (database) => atNextWrite(database, failing)
    for (let attempt = 0; attempt < 2; attempt++) await assert.rejects(add(one, 1), /Input\/output error/)
    one.hooks.opened = () => {}
    await add(one, 1)
    assert.deepEqual(await read(one, 1, 2), [1, 2])
    assert.equal(one.steps.filter((step) => step === 'opened anew').length, 3)
  })

  it('is not closed cleanly where it could not be mended', async () => {
    const one = await scene()
    await add(one, 1)
    atNextWrite(one.database, async () => {
      throw new Error('Input/output error')
    })
    await assert.rejects(add(one, 1))
    rmSync(join(one.database.location, 'CURRENT'))
    await one.store.close()
    assert.equal(one.steps.at(-1), 'closed, not clean')
  })

  it('is closed cleanly, and tells so once', async () => {
    const one = await scene()
    await add(one, 1)
    await one.store.close()
    assert.deepEqual(
      one.steps.filter((step) => step.startsWith('closed')),
      ['closed'],
    )
    assert.equal(one.database.status, 'closed')
  })

  it('says that a reader under whom it is closed has to ask again', async () => {
    const one = await scene()
    await add(one, 70, 70)
    const batches = one.store.batches(range(1, 140))[Symbol.asyncIterator]()
    await batches.next()
    await one.store.close()
    await assert.rejects(one.store.signedAt([1]), { code: 'LOG_CLOSED' })
    await assert.rejects(read(one, 1, 140), { code: 'LOG_CLOSED' })
    await batches.return?.(undefined)
  })

  it('keeps whose log it is, and which numbers it does not give out', async () => {
    await using one = await scene()
    await one.store.writeMeta({ author: ME.id, floors: { gossip: 7 } })
    assert.deepEqual((await readMeta(one.database, ME.id)).floors, { gossip: 7 })
    const put = one.database.put.bind(one.database)
    one.database.put = async () => {
      throw new Error('No space left on device')
    }
    await assert.rejects(one.store.writeMeta({ author: ME.id }), /No space left/)
    one.database.put = put
    await one.store.writeMeta({ author: ME.id })
    assert.deepEqual(one.steps, ['opened anew'])
  })

  it('tells of each commit whether it is on the disk', async () => {
    await using one = await scene()
    await one.log.append([local], { durable: false })
    await one.log.append([local], { durable: true })
    assert.deepEqual(
      one.steps.map((step) => step.split(' ').slice(0, -1).join(' ')),
      ['1', '2 durable'],
    )
  })

  it('is brought to the disk with the log files before the present one, once, and before it is closed', async () => {
    const one = await scene()
    const { location } = one.database
    const present = readdirSync(location).find((name) => name.endsWith('.log'))
    assert.ok(present !== undefined && present > '000001.log')
    // As LevelDB leaves them when it begins a new file: it syncs the one it writes to.
    writeFileSync(join(location, '000001.log'), '')
    writeFileSync(join(location, '000002.notes'), '')
    // Gone while it is looked for.
    symlinkSync('nowhere', join(location, '000000.log'))
    const synced = watchSyncs()
    try {
      const step = async (durable: boolean): Promise<string[]> => {
        await one.log.append([local], { durable })
        return synced.names.splice(0)
      }
      assert.deepEqual(await step(true), [], 'nothing waits in an older file')
      assert.deepEqual(await step(false), [])
      assert.deepEqual(await step(false), [])
      assert.deepEqual(await step(true), ['000001.log'])
      assert.deepEqual(await step(true), [])
      await step(false)
      await one.store.prune({ to: 99, kinds: ['node.stopped'], drop: () => true, throughEnd: true }, 1)
      assert.deepEqual(synced.names.splice(0), ['000001.log'])
      await step(false)
      symlinkSync('000000x.log', join(location, '000000x.log'))
      await assert.rejects(step(true), { code: 'LOG_WRITE_FAILED', message: /ELOOP/ }, 'any other failure is one')
      for (const name of ['000000x.log', '000000.log']) rmSync(join(location, name))
      await step(false)
      writeFileSync(join(location, '000001.log'), '')
      await one.store.close()
      assert.deepEqual(synced.names.splice(0), ['000001.log'])
      assert.equal(one.steps.at(-1), 'closed')
    } finally {
      synced.undo()
    }
  })

  it('is copied as it stands, to a log of another directory that is as clean', async () => {
    await using one = await scene()
    await add(one, 70, 3)
    const copy = fresh()
    const told: number[] = []
    const meta = { author: ME.id, floors: { index: 70_000 } }
    const head = await one.store.copyTo(dirname(copy), { meta, onProgress: (seq) => told.push(seq) })
    assert.deepEqual(head, { seq: 73, digest: head.digest })
    assert.equal(head.digest.slice(0, 8), one.steps.at(-1)?.split(' ')[1])
    assert.deepEqual(told, [1, 71])
    assert.deepEqual(readHeadFile(join(dirname(copy), 'head')), { latest: head, durable: head, clean: true, boot: bootId() })
    await using other = await storeScene(copy)
    assert.deepEqual(await read(other, 1, 73), upTo(73))
    assert.deepEqual((await readMeta(other.database, ME.id)).floors, { index: 70_000 })
    const empty = await scene()
    assert.equal((await empty.store.copyTo(dirname(fresh()), { meta })).seq, 0)
    await empty.store.close()
  })
})

describe('a store that is pruned', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-store-pruned-'))
  let directories = 0
  const scene = () => storeScene(join(root, String(directories++), 'log'))
  after(() => rmSync(root, { recursive: true }))
  const theirs = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => foreign(signerOf(2), from + index, from + index, published))
  const request = (to: number, more: object = {}) => ({
    ...{ to, kinds: ['torrent.published'] as const, drop: ({ seq }: Envelope) => seq % 2 === 0 },
    ...more,
  })

  it('lacks what went, knows that it had it, and has its rows for it', async () => {
    await using one = await scene()
    await one.log.ingest(theirs(1, 70))
    await add(one, 70)
    one.steps.length = 0
    const rows = [['key', 'value'] as const, ['ä', '電影'] as const]
    const pruned = await one.store.prune(request(140, { snapshot: { projection: 'names', rows: () => rows } }), 1)
    assert.deepEqual([pruned.events, pruned.next], [35, undefined])
    assert.ok(pruned.bytes > 35 * 64)
    assert.deepEqual(
      await read(one, 1, 140),
      upTo(140).filter((seq) => seq > 70 || seq % 2 === 1),
    )
    assert.deepEqual(await one.store.snapshot('names'), rows)
    assert.deepEqual(await one.store.snapshot('other'), [])
    assert.equal(one.state.held().events, 105)
    assert.equal(one.state.has({ author: signerOf(2).id, stream: 'index', authorSeq: 2 }), true)
    assert.deepEqual(await one.store.signedAt([2, 3, 4]), await one.store.signedAt([3]))
    assert.deepEqual(
      one.steps.map((step) => step.replace(/ [0-9a-f]{8}$/, '')),
      ['140 durable', 'head synced'],
    )
    assert.equal((await one.store.verify({})).pruned, 35)
    assert.deepEqual((await readMeta(one.database, ME.id)).author, ME.id)
    one.steps.length = 0
    assert.deepEqual(await one.store.prune(request(140), 1), { events: 0, bytes: 0, next: undefined })
    assert.deepEqual(one.steps, [], 'nothing is written where nothing goes')
  })

  it('has no segment where all of one went, and is read over it', async () => {
    await using one = await scene()
    await one.log.ingest(theirs(1, 70))
    await add(one, 70)
    const { events } = await one.store.prune(request(140, { drop: () => true }), 1)
    assert.equal(events, 70)
    assert.deepEqual([await one.segments(), await one.summaries()], [[71], [1, 71]])
    assert.deepEqual(await read(one, 1, 140), upTo(140, 71))
    assert.deepEqual(await one.store.signedAt([1, 71]), await one.store.signedAt([71]))
    const before = await one.store.bytesOnDisk()
    await one.store.compact(140)
    assert.ok((await one.store.bytesOnDisk()) !== before)
    assert.ok(readdirSync(one.database.location).some((name) => name.endsWith('.ldb')))
    assert.equal((await one.store.verify({})).intact, true)
  })

  it('keeps the small segments at its end unless it is pruned through that', async () => {
    await using one = await scene()
    await one.log.ingest(theirs(1, 70))
    await one.log.ingest(theirs(71, 10))
    await one.log.ingest(theirs(81, 10))
    await one.store.prune(request(90, { drop: () => true }), 1)
    assert.deepEqual(await read(one, 1, 90), upTo(90, 71))
    assert.deepEqual(await one.segments(), [71, 81])
    await one.store.prune(request(70, { throughEnd: true }), 1)
    assert.deepEqual(await one.segments(), [71, 81], 'nothing of them was to go')
    await one.store.prune(request(90, { throughEnd: true, kinds: ['member.left'] }), 1)
    assert.deepEqual(await one.segments(), [71, 81], 'nor of this kind')
    await one.store.prune(request(90, { throughEnd: true }), 1)
    assert.deepEqual(await one.segments(), [71])
    assert.deepEqual(
      await read(one, 1, 90),
      upTo(90, 71).filter((seq) => seq % 2 === 1),
    )
    await one.log.ingest(theirs(91, 1))
    assert.deepEqual(await one.segments(), [71, 91])
    assert.equal((await one.store.verify({})).intact, true)
  })

  it('leaves the log as it was where the write fails, and is mended by the next', async () => {
    await using one = await scene()
    await one.log.ingest(theirs(1, 70))
    await one.log.ingest(theirs(71, 5))
    atNextWrite(one.database, async () => {
      throw new Error('Input/output error')
    })
    await assert.rejects(one.store.prune(request(70), 1), /Input\/output error/)
    assert.deepEqual(await read(one, 1, 75), upTo(75))
    assert.equal(one.state.held().events, 75)
    await one.store.prune(request(70), 1)
    await one.log.ingest(theirs(76, 5))
    // The small ones at the end are joined before anything is taken out of them.
    atNextWrite(one.database, async () => {
      throw new Error('Input/output error')
    })
    await assert.rejects(one.store.prune(request(80, { throughEnd: true }), 1), /Input\/output error/)
    one.steps.length = 0
    await one.log.ingest(theirs(81, 1))
    assert.ok(one.steps.includes('opened anew'))
    assert.equal(one.state.held().events, 46)
    assert.equal((await one.store.verify({})).intact, true)
  })
})

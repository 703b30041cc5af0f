import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from '../../../src/events/index.ts'
import type { LogDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import { LogState } from '../../../src/events/log/log-state.ts'
import { toHex } from '../../../src/events/model/hex.ts'
import { SegmentDirectory } from '../../../src/events/segments/segment-directory.ts'
import { arrivalKey, SEGMENTS, SUMMARIES, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { digestAt, readArrivals, scanSummaries } from '../../../src/events/segments/segment-scan.level.ts'
import { decodeSummary, encodeSummary, type SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { CHECKSUM_BYTES, sealSegment, sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { logOf } from '../damage/segments-scene.ts'
import { numbered, signerOf } from '../samples.ts'
import { ME, storeScene } from './store-scene.ts'

const damage =
  (...ranges: readonly object[]) =>
  (error: unknown) => {
    assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED', String(error))
    assert.deepEqual(error.detail.ranges, ranges)
    return true
  }

describe('the scan of a log that is opened', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-scan-'))
  let scene: Awaited<ReturnType<typeof storeScene>>
  let whole: (readonly [Uint8Array, Buffer])[]
  /** Chain digests (hex) after some events. */
  let digests: Map<number, string>
  let database: LogDatabase

  // Segments 1 to 70, 71 to 140, and small ones at 141, 143 and 146.
  before(async () => {
    scene = await storeScene(join(root, 'log'))
    database = scene.database
    digests = new Map()
    for (const count of [70, 70, 2, 3, 1])
      await scene.log.append(
        Array.from({ length: count }, (_, index) => numbered(index)),
        { durable: false },
      )
    whole = [...(await database.iterator(SUMMARIES).all()), ...(await database.iterator(SEGMENTS).all())]
    for (const [key, value] of whole) {
      if (key[0] !== SUMMARIES.gte[0]) continue
      const { first, count, after } = decodeSummary(value.subarray(CHECKSUM_BYTES))
      digests.set(first + count - 1, toHex(after))
    }
  })
  after(async () => {
    await scene.store.close()
    rmSync(root, { recursive: true })
  })
  beforeEach(async () => {
    const batch = database.batch()
    for (const range of [SUMMARIES, SEGMENTS]) for (const key of await database.keys(range).all()) batch.del(key)
    for (const [key, value] of whole) batch.put(key, value)
    await batch.write()
  })

  async function scanned() {
    const [state, directory] = [new LogState(), new SegmentDirectory()]
    const { tail, digest } = await scanSummaries(database, state, directory)
    return {
      state,
      directory,
      digest: toHex(digest),
      tail: tail.map(({ summary }) => [summary.first, summary.count]),
      tails: tail,
    }
  }
  const flip = (bytes: Buffer, at: number): Buffer => Buffer.from(bytes.with(at, (bytes[at] ?? 0) ^ 1))
  const get = async (key: Uint8Array): Promise<Buffer> => (await database.get(key)) ?? assert.fail()
  async function rewrite(first: number, change: (summary: SegmentSummary) => SegmentSummary, at = first): Promise<void> {
    const summary = decodeSummary((await get(summaryKey(first))).subarray(CHECKSUM_BYTES))
    await database.put(summaryKey(at), sealValue([encodeSummary(change(summary))]))
  }
  const known = { author: signerOf(3).id, stream: 'gossip' as const, authorSeq: 5, count: 4 }
  const removal = (what: 'pruned' | 'thinned' | 'lost' | 'torn') => ({ what, content: new Uint8Array(32), known: [known] })

  it('knows whose events stand where, and the segments, as they were when it was closed', async () => {
    const { state, directory, digest, tail, tails } = await scanned()
    assert.deepEqual([state.head, state.clock.now], [146, 146])
    assert.equal(state.versionVector().get(ME.id), 146)
    assert.deepEqual([...directory], [...scene.directory])
    assert.equal(digest, digests.get(146))
    assert.deepEqual(tail, [
      [141, 2],
      [143, 3],
      [146, 1],
    ])
    for (const { summary, frames } of tails) {
      const stored = await get(segmentKey(summary.first))
      assert.deepEqual(Buffer.from(frames), stored.subarray(stored.length - frames.length))
    }
  })

  it('is empty where nothing is', async () => {
    for (const [key] of whole) await database.del(key)
    const { state, digest, tail } = await scanned()
    assert.deepEqual([state.head, digest, tail], [0, '00'.repeat(32), []])
  })

  it('has at its end only what a commit may still join', async () => {
    const batch = database.batch()
    for (const first of [141, 143, 146]) batch.del(summaryKey(first)).del(segmentKey(first))
    await batch.write()
    assert.deepEqual((await scanned()).tail, [], 'not a large segment')
  })

  it('reads at its end no more small segments than a commit may join', async () => {
    const put = async (...counts: readonly number[]): Promise<void> => {
      const batch = database.batch()
      for (const range of [SUMMARIES, SEGMENTS]) for (const key of await database.keys(range).all()) batch.del(key)
      for (const { first, summary, frames } of logOf(signerOf(3), ...counts)) {
        batch.put(segmentKey(first), sealSegment({ before: summary.before }, [frames]))
        batch.put(summaryKey(first), sealValue([encodeSummary(summary)]))
      }
      await batch.write()
    }
    await put(60, 60, 60, 7)
    assert.deepEqual((await scanned()).tail, [
      [61, 60],
      [121, 60],
      [181, 7],
    ])
    // With another one they are 128.
    await put(60, 60, 60, 8)
    assert.deepEqual((await scanned()).tail, [
      [121, 60],
      [181, 8],
    ])
    await database.del(segmentKey(1))
    await scanned()
    await database.del(segmentKey(61))
    await assert.rejects(scanned(), damage({ from: 61, to: 120, what: 'missing' }), 'to know how large it is')
  })

  it('names the events that are missing, stand twice, or have a summary that cannot be read', async () => {
    await database.del(summaryKey(71))
    await assert.rejects(scanned(), damage({ from: 71, to: 140, what: 'missing' }))
    await database.put(summaryKey(71), flip(await get(summaryKey(1)), 20))
    await assert.rejects(scanned(), damage({ from: 71, to: 71, what: 'altered' }, { from: 71, to: 140, what: 'missing' }))
    await database.put(
      summaryKey(71),
      Buffer.from(whole.find(([key]) => key[0] === SUMMARIES.gte[0] && key[8] === 71)?.[1] ?? []),
    )
    await rewrite(141, (summary) => ({ ...summary, first: 140 }), 140)
    const twice = await scanned().catch((error: unknown) => error)
    assert.ok(twice instanceof LogError && twice.detail.code === 'LOG_DAMAGED')
    assert.deepEqual(twice.detail.ranges[0], { from: 140, to: 140, what: 'reordered' })
  })

  it('names a segment at which the chain breaks', async () => {
    await rewrite(71, (summary) => ({ ...summary, before: new Uint8Array(32) }))
    await assert.rejects(scanned(), damage({ from: 71, to: 140, what: 'altered' }))
    await database.put(summaryKey(1), sealValue([Buffer.from('no summary')]))
    await assert.rejects(scanned(), damage({ from: 1, to: 1, what: 'altered' }))
  })

  it('knows events that were pruned, and not those that were lost', async () => {
    for (const what of ['pruned', 'thinned'] as const) {
      await rewrite(71, (summary) => ({ ...summary, removal: removal(what) }))
      const { state, directory } = await scanned()
      assert.equal(state.has({ ...known, authorSeq: 8 }), true)
      assert.equal(state.has({ ...known, authorSeq: 9 }), false)
      assert.equal(directory.find(71)?.gone, what === 'pruned' ? true : undefined)
    }
    for (const what of ['lost', 'torn'] as const) {
      await rewrite(71, (summary) => ({ ...summary, removal: removal(what) }))
      assert.equal((await scanned()).state.has(known), false, 'peers are asked for them')
    }
  })

  it('reads the small segments at the end against their digests', async () => {
    const value = await get(segmentKey(143))
    const events = { from: 143, to: 145 }
    await database.put(segmentKey(143), flip(value, 60))
    await assert.rejects(scanned(), damage({ ...events, what: 'altered' }))
    const frames = value.subarray(CHECKSUM_BYTES)
    await database.put(segmentKey(143), sealValue([flip(frames, frames.length - 1)]))
    await assert.rejects(scanned(), damage({ ...events, what: 'altered' }))
    await database.put(segmentKey(143), sealValue([frames.subarray(0, -1)]))
    await assert.rejects(scanned(), damage({ ...events, what: 'altered' }))
    await database.put(segmentKey(143), sealValue([Buffer.from('nothing')]))
    await assert.rejects(scanned(), damage({ ...events, what: 'altered' }))
    await database.del(segmentKey(143))
    await assert.rejects(scanned(), damage({ ...events, what: 'missing' }))
    await database.put(segmentKey(143), value)
    await database.del(segmentKey(71))
    assert.equal((await scanned()).state.head, 146, 'and no others')
  })

  it('has the chain digest after each commit, and of no place within one', async () => {
    const { directory } = await scanned()
    assert.equal(await digestAt(database, directory, 0), '00'.repeat(32))
    for (const [seq, digest] of digests) assert.equal(await digestAt(database, directory, seq), digest, `${seq}`)
    for (const seq of [1, 69, 71, 144, 147]) assert.equal(await digestAt(database, directory, seq), undefined, `${seq}`)
  })

  it('has the digest of a commit within a segment that was joined, as long as its frames are what they were', async () => {
    // 122 more events join the small ones.
    const other = await storeScene(join(root, 'joined'))
    const expected = new Map<number, string>()
    for (const count of [60, 60, 8]) {
      await other.log.append(
        Array.from({ length: count }, (_, index) => numbered(index)),
        { durable: false },
      )
      expected.set(other.log.head, (other.steps.at(-1) ?? '').split(' ')[1] ?? '')
    }
    assert.deepEqual(await other.segments(), [1])
    const digestOf = async (seq: number) => (await digestAt(other.database, other.directory, seq))?.slice(0, 8)
    for (const [seq, digest] of expected) assert.equal(await digestOf(seq), digest)
    assert.equal(await digestOf(61), undefined)
    const sealed = (await other.database.get(summaryKey(1))) ?? assert.fail()
    const value = (await other.database.get(segmentKey(1))) ?? assert.fail()
    const range = { from: 1, to: 128 }
    await other.database.put(segmentKey(1), flip(value, 100))
    await assert.rejects(digestOf(60), damage({ ...range, what: 'altered' }))
    assert.equal(await digestOf(128), expected.get(128), 'its last is in the summary')
    await other.database.del(segmentKey(1))
    await assert.rejects(digestOf(60), damage({ ...range, what: 'missing' }))
    await other.database.put(segmentKey(1), value)
    const summary = decodeSummary(sealed.subarray(CHECKSUM_BYTES))
    await other.database.put(summaryKey(1), sealValue([encodeSummary({ ...summary, removal: removal('thinned') })]))
    assert.deepEqual([await digestOf(60), await digestOf(128)], [undefined, expected.get(128)])
    await other.database.put(summaryKey(1), flip(sealed, 20))
    await assert.rejects(digestOf(128), damage({ ...range, what: 'altered' }))
    await other.database.del(summaryKey(1))
    await assert.rejects(digestOf(128), damage({ ...range, what: 'altered' }))
    await other.database.put(summaryKey(1), sealed)
    await other.store.close()
  })

  it('reads when events arrived, without what cannot be read', async () => {
    const sealed = (text: string): Buffer => sealValue([Buffer.from(text)])
    assert.equal((await readArrivals(database)).length, 1)
    await database.put(arrivalKey(1), sealed('1000'))
    await database.put(arrivalKey(300), sealed('2000'))
    for (const [index, text] of ['x', '1.5', '1e400', '9007199254740993'].entries())
      await database.put(arrivalKey(400 + index), sealed(text))
    await database.put(arrivalKey(500), flip(sealed('3000'), 5))
    assert.deepEqual(await readArrivals(database), [
      { seq: 1, at: 1000 },
      { seq: 300, at: 2000 },
    ])
  })
})

import assert from 'node:assert/strict'
import {
  auditEntries,
  readSummary,
  segmentsOf,
  unsealed,
  type VerifyOptions,
} from '../../../src/events/damage/audit-log.level.ts'
import { LogError, type NodeId, toHex } from '../../../src/events/index.ts'
import { encodeMeta } from '../../../src/events/leveldb/log-database.level.ts'
import type { StoredEntries } from '../../../src/events/leveldb/stored-entries.ts'
import { META_KEY, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { encodeSummary } from '../../../src/events/segments/segment-summary.ts'
import { sealSegment, sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { TEST_NETWORK } from '../test-network.ts'
import { BOB, EVE, gossip, logOf, type Made, ME, secret, segmentOf } from './segments-scene.ts'

/** Entries in memory, in the order of their keys. */
class Entries implements StoredEntries {
  readonly #values = new Map<string, Buffer>()

  put(key: Uint8Array, value: Buffer): this {
    this.#values.set(toHex(key), value)
    return this
  }

  del(key: Uint8Array): this {
    this.#values.delete(toHex(key))
    return this
  }

  async get(key: Uint8Array): Promise<Buffer | undefined> {
    return this.#values.get(toHex(key))
  }

  async *entries({ gte, lt }: { gte: Uint8Array; lt: Uint8Array }): AsyncGenerator<readonly [Uint8Array, Buffer]> {
    for (const [key, value] of [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)))
      if (key >= toHex(gte) && key < toHex(lt)) yield [new Uint8Array(Buffer.from(key, 'hex')), value]
  }
}

const sealedSummary = ({ summary }: Pick<Made, 'summary'>): Buffer => sealValue([encodeSummary(summary)])
const sealedSegment = ({ summary, frames }: Made): Buffer => sealSegment({ before: summary.before }, [frames])
const flip = (value: Buffer, at: number): Buffer => Buffer.from(value.with(at, (value[at] ?? 0) ^ 1))

function entriesOf(segments: readonly Made[], author: NodeId | undefined = ME.id): Entries {
  const entries = new Entries()
  if (author !== undefined) entries.put(META_KEY, encodeMeta({ author }))
  for (const made of segments)
    entries.put(summaryKey(made.first), sealedSummary(made)).put(segmentKey(made.first), sealedSegment(made))
  return entries
}
const log = logOf(BOB, 4, 3, 5)
const [, two, three] = log as [Made, Made, Made]
const last = three.summary
const mark = { seq: 12, digest: toHex(last.after) }
const record = { latest: mark, durable: mark, clean: true, boot: null }
const audit = (entries: StoredEntries, options: VerifyOptions = {}, more: object = {}) =>
  auditEntries({ entries, record, boot: null, isRepaired: false, problems: [], ...more }, options)

describe('the audit of stored entries', () => {
  it('calls what is whole intact, with its counts, and says how far it is', async () => {
    const progress: object[] = []
    const verdict = await audit(entriesOf(log), { onProgress: (each) => progress.push(each) })
    assert.deepEqual(verdict, {
      ...{ intact: true, events: 12, segments: 3, headDigest: mark.digest, ranges: [], holes: [], pruned: 0 },
      ...{ problems: [], signaturesChecked: 0, author: ME.id },
    })
    assert.deepEqual(
      progress,
      [4, 7, 12].map((events) => ({ events, of: 12 })),
    )
    const unmarked = await audit(entriesOf(log), { onProgress: (each) => progress.push(each) }, { record: undefined })
    assert.deepEqual([unmarked.ranges, progress.at(-3)], [[{ from: 1, to: 12, what: 'unproven' }], { events: 4, of: 4 }])
  })

  it('checks each signature where the network is known, and names those that are forged', async () => {
    const whole = await audit(entriesOf(log), { signaturesOf: TEST_NETWORK })
    assert.deepEqual([whole.intact, whole.signaturesChecked], [true, 12])
    const [event, ...others] = gossip(BOB, 5, 3)
    const forged = segmentOf(log[0]?.summary, [
      { body: event?.body ?? new Uint8Array(), signature: new Uint8Array(64) },
      ...others,
    ])
    const behind = segmentOf(forged.summary, three.events)
    const entries = entriesOf([log[0] as Made, forged, behind])
    const end = { seq: 12, digest: toHex(behind.summary.after) }
    const marked = { record: { ...record, latest: end, durable: end } }
    const verdict = await audit(entries, { signaturesOf: TEST_NETWORK }, marked)
    assert.deepEqual([verdict.ranges, verdict.signaturesChecked], [[{ from: 5, to: 5, what: 'altered' }], 12])
    assert.equal((await audit(entries, {}, marked)).intact, true, 'the chain alone knows nothing of signatures')
  })

  it('names what is gone, changed or unreadable, of summaries and segments', async () => {
    const ranges = async (change: (entries: Entries) => Entries) => (await audit(change(entriesOf(log)))).ranges
    const altered = [{ from: 5, to: 7, what: 'altered' }]
    assert.deepEqual(await ranges((entries) => entries.del(segmentKey(5))), [{ from: 5, to: 7, what: 'missing' }])
    assert.deepEqual(await ranges((entries) => entries.put(segmentKey(5), flip(sealedSegment(two), 50))), altered)
    assert.deepEqual(await ranges((entries) => entries.put(segmentKey(5), sealValue([Buffer.from('no preface')]))), altered)
    assert.deepEqual(await ranges((entries) => entries.del(summaryKey(5))), [{ from: 5, to: 7, what: 'unproven' }])
    assert.deepEqual(await ranges((entries) => entries.put(summaryKey(5), flip(sealedSummary(two), 20))), [
      { from: 5, to: 7, what: 'unproven' },
    ])
    assert.deepEqual(await ranges((entries) => entries.del(summaryKey(5)).del(segmentKey(5))), [
      { from: 5, to: 7, what: 'missing' },
    ])
    assert.deepEqual(
      await ranges((entries) => entries.put(Uint8Array.from([...summaryKey(5), 1]), Buffer.from('x'))),
      [],
      'a key of another length is none',
    )
  })

  it('knows whose log it is by its private events, and says where it says otherwise', async () => {
    const private_ = (...authors: readonly (typeof ME)[]) => {
      const segments = [
        segmentOf(
          undefined,
          authors.map((author, index) => secret(author, index + 1)),
        ),
      ]
      const of = segments[0]?.summary ?? assert.fail()
      const end = { seq: of.count, digest: toHex(of.after) }
      return { segments, more: { record: { ...record, latest: end, durable: end } } }
    }
    const mine = private_(ME)
    const good = await audit(entriesOf(mine.segments), {}, mine.more)
    assert.deepEqual([good.intact, good.author], [true, ME.id])
    const renamed = await audit(entriesOf(mine.segments, BOB.id), {}, mine.more)
    assert.deepEqual(renamed.problems, [`the entry that names format and author is that of the log of node ${BOB.id}`])
    assert.deepEqual([renamed.author, renamed.intact], [ME.id, false])
    const mixed = private_(ME, EVE)
    const other = await audit(entriesOf(mixed.segments), {}, mixed.more)
    assert.deepEqual([other.author, other.problems], [ME.id, [`there are private events of node ${EVE.id} in it`]])
    const asked = await audit(entriesOf(mixed.segments), { author: EVE.id }, mixed.more)
    assert.deepEqual([asked.author, asked.problems.length], [EVE.id, 2])
    const nameless = entriesOf(mine.segments).del(META_KEY)
    const gone = await audit(nameless, {}, mine.more)
    assert.deepEqual([gone.author, gone.problems], [ME.id, ['the entry that names format and author is gone or altered']])
    assert.equal((await audit(entriesOf(log).del(META_KEY))).author, undefined)
  })

  it('keeps the problems that are known already, and gives none to whoever asked', async () => {
    const problems = ['a file is missing']
    const verdict = await audit(entriesOf(log).del(META_KEY), {}, { problems })
    assert.deepEqual(verdict.problems, ['a file is missing', 'the entry that names format and author is gone or altered'])
    assert.equal(problems.length, 1)
  })

  it('refuses the log of another node, and one of a newer format', async () => {
    await assert.rejects(audit(entriesOf(log), { author: BOB.id }), (error) => {
      assert.ok(error instanceof LogError)
      assert.deepEqual(error.detail, { code: 'LOG_FOREIGN', expected: BOB.id, found: ME.id })
      return true
    })
    assert.equal((await audit(entriesOf(log), { author: ME.id })).intact, true)
    const newer = entriesOf(log).put(META_KEY, Buffer.from(JSON.stringify({ format: 9, author: ME.id })))
    await assert.rejects(audit(newer), { code: 'LOG_NEWER' })
  })

  it('passes over what is there twice after a repair alone', async () => {
    const twice = () => entriesOf(log).put(segmentKey(6), sealedSegment(segmentOf(log[0]?.summary, two.events.slice(0, 1))))
    assert.equal((await audit(twice())).intact, false)
    assert.equal((await audit(twice(), {}, { isRepaired: true })).intact, true)
  })
})

describe('segments and summaries', () => {
  it('come side by side, whichever of the two is there', async () => {
    const entries = entriesOf(log).del(summaryKey(1)).del(segmentKey(8))
    const found: unknown[] = []
    for await (const { first, summary, frames, preface } of segmentsOf(entries))
      found.push([first, summary?.first, frames && Buffer.from(frames).length, preface?.before?.length])
    assert.deepEqual(found, [
      [1, undefined, log[0]?.frames.length, 32],
      [5, 5, two.frames.length, 32],
      [8, 8, undefined, undefined],
    ])
  })

  it('are none where their checksum fails or they cannot be read', () => {
    const value = sealedSegment(two)
    assert.deepEqual(Buffer.from(unsealed(value).frames ?? []), Buffer.from(two.frames))
    const nothing = { frames: null, preface: undefined }
    for (const bad of [flip(value, 9), Buffer.alloc(0), sealValue([]), sealValue([Buffer.from('no preface')])])
      assert.deepEqual(unsealed(bad), nothing)
    const summary = sealedSummary(two)
    assert.deepEqual(readSummary({ first: 5, value: summary }), two.summary)
    assert.equal(readSummary({ first: 6, value: summary }), undefined, 'under the key of another')
    for (const bad of [flip(summary, 9), Buffer.alloc(0), sealValue([]), sealValue([Buffer.from('none')])])
      assert.equal(readSummary({ first: 5, value: bad }), undefined)
  })
})

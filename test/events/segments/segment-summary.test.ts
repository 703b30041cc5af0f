import assert from 'node:assert/strict'
import fc from 'fast-check'
import { STREAMS } from '../../../src/events/codec/body-scan.ts'
import type { AuthorRun } from '../../../src/events/log/log-state.ts'
import { isSmall } from '../../../src/events/segments/segment-store.level.ts'
import {
  decodeSummary,
  encodeSummary,
  hasFrames,
  isMissed,
  joinSummaries,
  NO_KINDS,
  type SegmentSummary,
  shareKinds,
  withKind,
} from '../../../src/events/segments/segment-summary.ts'
import { signerOf } from '../samples.ts'

const author = signerOf(1).id
const digest = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const run = (authorSeq: number, seq: number, count: number, stream: AuthorRun['stream'] = 'gossip'): AuthorRun => ({
  ...{ author, stream, authorSeq, seq, count },
})
const summaryOf = (first: number, count: number, runs: readonly AuthorRun[] = []): SegmentSummary => ({
  ...{ first, count, kinds: NO_KINDS, lamportMin: first, lamportMax: first + count - 1 },
  ...{ before: digest(first), after: digest(first + count), runs },
})

describe('the summary of a segment', () => {
  it('has one bit for all kinds that this version does not know, which is no bit of a known one', () => {
    const known = withKind(NO_KINDS, 9)
    for (const unknown of [63, 64, 64 + 9, 128 + 9, 2 ** 31]) {
      assert.equal(shareKinds(withKind(NO_KINDS, unknown), known), false, String(unknown))
      assert.equal(shareKinds(withKind(NO_KINDS, unknown), withKind(NO_KINDS, 1_000)), true)
    }
    for (const kind of [0, 31, 32, 62]) assert.equal(shareKinds(withKind(known, kind), withKind(NO_KINDS, kind)), true)
  })

  it('joins runs that go on, and none over what stands between them', () => {
    const join = (a: AuthorRun, b: AuthorRun) => joinSummaries(summaryOf(1, 3, [a]), [summaryOf(4, 3, [b])]).runs
    assert.deepEqual(join(run(1, 1, 3), run(4, 4, 3)), [run(1, 1, 6)])
    for (const other of [run(5, 4, 2), run(4, 5, 2), run(4, 4, 2, 'index'), { ...run(4, 4, 2), author: signerOf(2).id }])
      assert.deepEqual(join(run(1, 1, 3), other), [run(1, 1, 3), other])
    const joined = joinSummaries({ ...summaryOf(1, 3), lamportMin: 9, lamportMax: 9 }, [summaryOf(4, 3)])
    assert.deepEqual([joined.first, joined.count, joined.lamportMin, joined.lamportMax], [1, 6, 4, 9])
    assert.deepEqual([joined.before, joined.after], [digest(1), digest(7)])
  })

  it('comes back from its bytes, with what went and how', () => {
    const summary = summaryOf(2 ** 33, 5, [run(1, 2 ** 33, 3), run(9, 2 ** 33 + 3, 2, 'index')])
    assert.deepEqual(decodeSummary(encodeSummary(summary)), summary)
    const known = [{ author: signerOf(3).id, stream: 'local' as const, authorSeq: 7, count: 2 }]
    for (const what of ['thinned', 'pruned', 'lost', 'torn'] as const) {
      const gone = { ...summary, removal: { what, content: digest(4), known } }
      assert.deepEqual(decodeSummary(encodeSummary(gone)), gone)
      assert.equal(isSmall(gone), false, 'it is not joined: its removal would be forgotten')
    }
    assert.deepEqual([isSmall(summaryOf(1, 63)), isSmall(summaryOf(1, 64)), isSmall(undefined)], [true, false, false])
    assert.throws(() => decodeSummary(encodeSummary(summary).slice(0, -1)), { name: 'VarintError' })
  })

  it('comes back whatever its numbers are', () => {
    const plain = { noNullPrototype: true }
    const number = fc.maxSafeNat()
    const whose = {
      author: fc.constantFrom(...[1, 2, 3].map((each) => signerOf(each).id)),
      stream: fc.constantFrom(...STREAMS),
    }
    const known = fc.record({ ...whose, authorSeq: number, count: number }, plain)
    fc.assert(
      fc.property(
        fc.record({ first: fc.nat(), count: number, lamportMin: number, lamportMax: number }, plain),
        fc.record({ low: fc.nat(2 ** 32 - 1), high: fc.nat(2 ** 32 - 1) }, plain),
        fc.array(fc.record({ ...whose, authorSeq: number, after: fc.nat(), count: number }, plain), {
          maxLength: 30,
          size: 'max',
        }),
        fc.option(
          fc.record({
            what: fc.constantFrom('thinned', 'pruned', 'lost', 'torn'),
            known: fc.array(known, { maxLength: 20, size: 'max' }),
          }),
        ),
        (numbers, kinds, places, removal) => {
          const runs = places.map(({ after, ...place }) => ({ ...place, seq: numbers.first + after }))
          const summary = { ...numbers, kinds, before: digest(1), after: digest(2), runs }
          const gone = removal === null ? summary : { ...summary, removal: { ...removal, content: digest(4) } }
          assert.deepEqual(decodeSummary(encodeSummary(gone)), gone)
        },
      ),
    )
  })

  it('names each author once', () => {
    const runs = Array.from({ length: 9 }, (_, index) => run(2 * index + 1, index + 1, 1))
    const known = [{ author, stream: 'gossip' as const, authorSeq: 100, count: 1 }]
    const bytes = encodeSummary({ ...summaryOf(1, 9, runs), removal: { what: 'thinned', content: digest(4), known } })
    const id = Buffer.from(author, 'hex')
    assert.equal(Buffer.from(bytes).indexOf(id), Buffer.from(bytes).lastIndexOf(id))
    assert.equal(bytes.buffer.byteLength, bytes.length, 'and takes no more memory than it has to')
  })

  it('is none of a run of nobody, or of a removal that nobody knows', () => {
    const whole = encodeSummary(summaryOf(1, 1, [run(1, 1, 1)]))
    // Behind six numbers, two digests, one author and the number of runs.
    const at = 6 + 64 + 1 + 32 + 1
    assert.equal(whole[at], STREAMS.indexOf('gossip'))
    assert.throws(() => decodeSummary(whole.with(at, 3)), { name: 'VarintError', message: 'a run is of nobody' })
    const gone = encodeSummary({ ...summaryOf(1, 1), removal: { what: 'torn', content: digest(4), known: [] } })
    const how = 6 + 64 + 1 + 1
    assert.equal(gone[how], 4)
    for (const number of [0, 5])
      assert.throws(() => decodeSummary(gone.with(how, number)), {
        ...{ name: 'VarintError', message: 'nobody knows how these events went' },
      })
  })

  it('says whether frames are left, and whether what went is missed', () => {
    const all = (['thinned', 'pruned', 'lost', 'torn'] as const).map((what) => ({ what, content: digest(4), known: [] }))
    assert.deepEqual(
      all.map((removal) => hasFrames({ ...summaryOf(1, 1), removal })),
      [true, false, false, true],
    )
    assert.equal(hasFrames(summaryOf(1, 1)), true)
    assert.deepEqual(all.map(isMissed), [false, false, true, true])
  })

  it('has the kinds of all that were joined', () => {
    const kinds = [9, 40, 70].map((kind) => withKind(NO_KINDS, kind))
    const [first, ...rest] = kinds.map((each, index) => ({ ...summaryOf(index + 1, 1), kinds: each })) as [
      SegmentSummary,
      ...SegmentSummary[],
    ]
    const joined = joinSummaries(first, rest)
    assert.deepEqual(joined.kinds, { low: 2 ** 9, high: 2 ** 31 + 2 ** 8 })
    assert.deepEqual([joined.count, joined.after], [3, digest(4)])
    assert.equal(joinSummaries(first, []), first)
    assert.equal(shareKinds(joined.kinds, withKind(NO_KINDS, 10)), false)
  })
})

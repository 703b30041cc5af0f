import assert from 'node:assert/strict'
import type { AuthorRun } from '../../../src/events/log/log-state.ts'
import { isSmall } from '../../../src/events/segments/segment-store.level.ts'
import {
  decodeSummary,
  encodeSummary,
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
    assert.throws(() => decodeSummary(encodeSummary(summary).slice(0, -1)))
  })
})

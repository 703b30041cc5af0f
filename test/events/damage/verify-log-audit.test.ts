import assert from 'node:assert/strict'
import { LogAudit } from '../../../src/events/damage/verify-log.ts'
import { toHex } from '../../../src/events/index.ts'
import { NO_KINDS, type SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { chainDigest } from '../../../src/events/segments/segment-value.level.ts'

const digest = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const hole = (
  first: number,
  count: number,
  what: 'pruned' | 'lost',
  before: Uint8Array,
  after: Uint8Array,
): SegmentSummary => ({
  ...{ first, count, kinds: NO_KINDS, lamportMin: 1, lamportMax: 1, before, after, runs: [] },
  removal: { what, content: digest(0), known: [] },
})

describe('the audit of a log', () => {
  const audit = (mark: { seq: number; digest: string }, ...summaries: SegmentSummary[]) => {
    const checker = new LogAudit(chainDigest, mark, false)
    for (const summary of summaries) checker.add({ first: summary.first, summary, frames: undefined, preface: undefined })
    return checker.finish({ latest: mark, durable: mark, clean: true, boot: null }, null, [], 0)
  }

  it('follows the chain over what was pruned, also where the log ends with it', () => {
    const verdict = audit({ seq: 3, digest: toHex(digest(1)) }, hole(1, 3, 'pruned', digest(0), digest(1)))
    assert.deepEqual([verdict.ranges, verdict.pruned, verdict.intact], [[], 3, true])
    assert.equal(audit({ seq: 3, digest: toHex(digest(2)) }, hole(1, 3, 'pruned', digest(0), digest(1))).intact, false)
  })

  it('names a hole that does not begin where the one before ends, and one that is missing', () => {
    const mark = { seq: 5, digest: toHex(digest(3)) }
    const first = hole(1, 3, 'lost', digest(0), digest(1))
    assert.deepEqual(audit(mark, first, hole(4, 2, 'lost', digest(1), digest(3))).holes, [{ from: 1, to: 5, what: 'lost' }])
    assert.deepEqual(audit(mark, first, hole(4, 2, 'pruned', digest(2), digest(3))).ranges, [
      { from: 4, to: 5, what: 'altered' },
    ])
    assert.deepEqual(audit(mark, first, hole(5, 1, 'pruned', digest(2), digest(3))).ranges, [
      { from: 4, to: 4, what: 'missing' },
    ])
  })
})

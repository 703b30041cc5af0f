import assert from 'node:assert/strict'
import { joinPruned } from '../../../src/events/pruning/thinning.ts'
import { NO_KINDS, type SegmentSummary } from '../../../src/events/segments/segment-summary.ts'
import { signerOf } from '../samples.ts'

const author = signerOf(1).id
const digest = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const pruned = (first: number, count: number, lamports: readonly [number, number]): SegmentSummary => ({
  ...{ first, count, kinds: NO_KINDS, lamportMin: lamports[0], lamportMax: lamports[1], runs: [] },
  ...{ before: digest(first), after: digest(first + count) },
  removal: { what: 'pruned', content: digest(0), known: [{ author, stream: 'gossip', authorSeq: first, count }] },
})

describe('two holes in a log', () => {
  it('become one where they stand side by side, with the stamps and events of both', () => {
    const joined = joinPruned(pruned(1, 4, [7, 9]), pruned(5, 3, [2, 30]))
    assert.ok(joined)
    assert.deepEqual([joined.first, joined.count, joined.lamportMin, joined.lamportMax], [1, 7, 2, 30])
    assert.deepEqual([joined.before, joined.after], [digest(1), digest(8)])
    assert.deepEqual(joined.removal?.known, [{ author, stream: 'gossip', authorSeq: 1, count: 7 }])
  })

  it('stay two where something stands between them, where they overlap, and where one is lost rather than pruned', () => {
    assert.equal(joinPruned(pruned(1, 4, [1, 1]), pruned(6, 3, [1, 1])), undefined)
    assert.equal(joinPruned(pruned(1, 4, [1, 1]), pruned(4, 3, [1, 1])), undefined)
    const lost = pruned(5, 3, [1, 1])
    assert.ok(lost.removal)
    assert.equal(joinPruned(pruned(1, 4, [1, 1]), { ...lost, removal: { ...lost.removal, what: 'lost' } }), undefined)
  })
})

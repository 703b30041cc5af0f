import { deepEqual, equal } from 'node:assert/strict'
import type { ProjectionStates } from '../../../src/projections/all.ts'
import type { ProjectionRunner } from '../../../src/projections/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { projectedIndexView } from '../../../src/roles/index-node/projected-index-view.ts'
import { node } from '../../projections/envelopes.ts'

describe('an index node, asked how much it holds', () => {
  let turns: number
  /** A view over so many documents in partition 7, of which every third cannot be found any more. */
  const viewOf = (documents: number) => {
    turns = 0
    const ordinals = Array.from({ length: documents }, (_, ordinal) => ordinal)
    const state = {
      ...{ visibleCount: documents, words: new Map([['orbit', {}]]), postingCount: 3 },
      partitions: [...new Array(7).fill(undefined), ordinals],
      byOrdinal: ordinals.map((ordinal) => ({ words: ordinal % 3 === 0 ? [] : ['orbit'] })),
    }
    return projectedIndexView({
      states: { state: () => state, onChange: () => () => {} } as unknown as ProjectionRunner<ProjectionStates>,
      ...{ map: undefined as never, own: node('ada'), isOpen: true, newSha256 },
      async yieldToEventLoop() {
        turns += 1
      },
    })
  }

  it('counts the documents of a partition that can be found, 5,000 in one turn', async () => {
    equal(await viewOf(5_000).documentsOf(7), 3_333)
    equal(turns, 0)
    equal(await viewOf(10_001).documentsOf(7), 6_667)
    equal(turns, 2)
    equal(await viewOf(10).documentsOf(8), 0)
  })

  it('says its totals without counting', async () => {
    deepEqual(await viewOf(40_001).totals(), { documents: 40_001, keywords: 1, postings: 3 })
    equal(turns, 0)
  })
})

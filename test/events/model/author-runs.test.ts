import assert from 'node:assert/strict'
import fc from 'fast-check'
import { AuthorRuns } from '../../../src/events/model/author-runs.ts'

describe('the runs of an author', () => {
  it('know what a plain map knows, after any additions in any order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 3 })),
        (authorSeqs, steps) => {
          const runs = new AuthorRuns()
          const model = new Map<number, number>()
          let seq = 0
          for (const [index, authorSeq] of authorSeqs.entries()) {
            seq += steps[index] ?? 1
            runs.add(authorSeq, seq, 1)
            model.set(authorSeq, seq)
            const held = [...model.keys()].sort((a, b) => a - b)
            let contiguous = 0
            while (model.has(contiguous + 1)) contiguous++
            const gaps = held.filter((value) => !model.has(value - 1) && value !== 1).length
            assert.deepEqual([runs.contiguous, runs.highest, runs.gaps], [contiguous, held.at(-1) ?? 0, gaps])
            for (let probe = -1; probe <= 62; probe++) {
              assert.equal(runs.seqOf(probe), model.get(probe), `place of ${probe}`)
              assert.equal(runs.has(probe), model.has(probe), `has ${probe}`)
            }
            assert.deepEqual(
              [...runs.seqsOf(10, 40)],
              held.filter((value) => value >= 10 && value <= 40).map((value) => model.get(value)),
            )
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('takes whole runs, as a segment tells them', () => {
    const runs = new AuthorRuns()
    runs.add(1, 100, 5)
    runs.add(11, 105, 5)
    assert.deepEqual([runs.contiguous, runs.highest, runs.gaps], [5, 15, 1])
    runs.add(6, 200, 5)
    assert.deepEqual([runs.contiguous, runs.highest, runs.gaps], [15, 15, 0])
    assert.deepEqual([...runs.seqsOf(4, 12)], [103, 104, 200, 201, 202, 203, 204, 105, 106])
  })
})

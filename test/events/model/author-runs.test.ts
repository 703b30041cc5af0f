import assert from 'node:assert/strict'
import fc from 'fast-check'
import { AuthorRuns } from '../../../src/events/model/author-runs.ts'

describe('the runs of an author', () => {
  it('know what a plain map knows, after any additions in any order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 60, size: 'max' }),
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

  it('know what was pruned and where the rest stands, whatever is let go of', () => {
    const stretch = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 12 }))
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 8 }), stretch, (gone, [from, count]) => {
        const runs = new AuthorRuns()
        runs.add(1, 101, 40)
        const pruned = new Set<number>()
        for (const [first, length] of gone) {
          runs.unplace(first, length)
          for (let number = first; number < Math.min(41, first + length); number++) pruned.add(number)
        }
        const numbers = Array.from({ length: 40 }, (_, index) => index + 1)
        for (const number of numbers) assert.equal(runs.seqOf(number), pruned.has(number) ? undefined : 100 + number)
        assert.deepEqual([runs.contiguous, runs.highest, runs.gaps, runs.held], [40, 40, 0, 40 - pruned.size])
        const to = from + count - 1
        const told = [...runs.prunedOf(from, to)].flatMap((range) =>
          numbers.filter((one) => one >= range.from && one <= range.to),
        )
        assert.ok([...runs.prunedOf(from, to)].every((range) => range.from >= from && range.to <= to))
        assert.deepEqual(
          told,
          numbers.filter((one) => one >= from && one <= to && pruned.has(one)),
        )
        assert.deepEqual(
          [...runs.seqsOf(from, to)],
          numbers.filter((one) => one >= from && one <= to && !pruned.has(one)).map((one) => 100 + one),
        )
      }),
    )
  })

  it('count on over what was pruned when the event before it is known', () => {
    const runs = new AuthorRuns()
    runs.add(2, 1, 1)
    runs.unplace(2, 1)
    runs.addKnown(1, 1)
    assert.deepEqual([runs.contiguous, runs.gaps], [2, 0])
  })

  it('know what a plain map knows, after any history of runs, of what was pruned elsewhere, and of what is let go of', () => {
    const step = fc.record({
      does: fc.constantFrom('add', 'add', 'known', 'unplace'),
      from: fc.integer({ min: 1, max: 40 }),
      count: fc.integer({ min: 1, max: 6 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const runs = new AuthorRuns()
        /** Place of each event that is known; 0 of those without. */
        const model = new Map<number, number>()
        let seq = 1
        for (const { does, from, count } of steps) {
          const numbers = Array.from({ length: count }, (_, index) => from + index)
          if (does === 'add' && numbers.every((number) => !model.has(number))) {
            runs.add(from, seq, count)
            for (const number of numbers) model.set(number, seq++)
            // Now and then the next run stands right behind it.
            seq += from % 2
          } else if (does === 'known') {
            runs.addKnown(from, count)
            for (const number of numbers) if (!model.has(number)) model.set(number, 0)
          } else if (does === 'unplace' && numbers.every((number) => model.has(number))) {
            runs.unplace(from, count)
            for (const number of numbers) model.set(number, 0)
          }
          const known = [...model.keys()].sort((a, b) => a - b)
          let contiguous = 0
          while (model.has(contiguous + 1)) contiguous++
          const gaps = known.filter((number) => number !== 1 && !model.has(number - 1)).length
          const placed = known.filter((number) => model.get(number) !== 0)
          assert.deepEqual(
            [runs.contiguous, runs.highest, runs.gaps, runs.held],
            [contiguous, known.at(-1) ?? 0, gaps, placed.length],
          )
          for (let number = 0; number <= 47; number++) {
            assert.equal(runs.has(number), model.has(number))
            assert.equal(runs.seqOf(number), model.get(number) || undefined)
          }
          const within = (numbers: readonly number[]) => numbers.filter((number) => number >= 5 && number <= 30)
          assert.deepEqual(
            [...runs.seqsOf(5, 30)],
            within(placed).map((number) => model.get(number)),
          )
          const pruned = [...runs.prunedOf(5, 30)]
          assert.deepEqual(
            pruned.flatMap(({ from: first, to }) => Array.from({ length: to - first + 1 }, (_, index) => first + index)),
            within(known).filter((number) => model.get(number) === 0),
          )
          // What has grown together is told as one.
          for (const [index, { to }] of pruned.entries()) assert.notEqual(pruned[index + 1]?.from, to + 1)
        }
      }),
      { numRuns: 60 },
    )
  })
})

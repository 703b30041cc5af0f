import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope } from '../../src/events/index.ts'
import type { Projection, Row } from '../../src/projections/index.ts'
import { foldAll, rearranged, rowsOf, stored } from './envelopes.ts'

/**
 * What every projection owes: a replay is always the same, rows are the state, and a crash between any two checkpoints
 * changes nothing. With `agreed`, also that the order of arrival changes nothing (of the part of the rows it returns).
 */
export function projectionLaws<S>(
  projection: () => Projection<S>,
  histories: fc.Arbitrary<readonly Envelope[]>,
  agreed?: (rows: readonly Row[]) => unknown,
): void {
  const runs = { numRuns: 60 }

  it('gives the same state for every replay', () => {
    fc.assert(
      fc.property(histories, (envelopes) => {
        const one = projection()
        const two = projection()
        assert.deepEqual(rowsOf(one, foldAll(one, envelopes)), rowsOf(two, foldAll(two, envelopes)))
      }),
      runs,
    )
  })

  it('is loaded from its rows as it was', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (envelopes, cut) => {
        const fold = projection()
        const at = cut % (envelopes.length + 1)
        const before = foldAll(fold, envelopes.slice(0, at))
        const loaded = fold.load(rowsOf(fold, before))
        assert.deepEqual(rowsOf(fold, loaded), rowsOf(fold, before))
        assert.deepEqual(fold.changes(loaded), [], 'nothing has changed since it was loaded')
        // And it goes on as if nothing had been.
        assert.deepEqual(
          rowsOf(fold, foldAll(fold, envelopes.slice(at), loaded)),
          rowsOf(fold, foldAll(projection(), envelopes)),
        )
      }),
      runs,
    )
  })

  it('drains changes that add up to its rows, over a crash after any checkpoint', () => {
    fc.assert(
      fc.property(histories, fc.array(fc.nat(), { maxLength: 4 }), (envelopes, cuts) => {
        const fold = projection()
        const ends = [...cuts.map((cut) => cut % (envelopes.length + 1)), envelopes.length].sort((a, b) => a - b)
        let rows: Row[] = []
        let from = 0
        for (const end of ends) {
          // The process starts with what was stored, folds some events, stores the changes and is killed.
          const state = foldAll(fold, envelopes.slice(from, end), fold.load(rows))
          rows = stored(rows, fold.changes(state))
          assert.deepEqual(rows, rowsOf(fold, state))
          assert.deepEqual(fold.changes(state), [])
          from = end
        }
        assert.deepEqual(rows, rowsOf(fold, foldAll(projection(), envelopes)))
      }),
      runs,
    )
  })

  it('lists its rows in ascending order of keys, each once', () => {
    fc.assert(
      fc.property(histories, (envelopes) => {
        const fold = projection()
        const keys = rowsOf(fold, foldAll(fold, envelopes)).map(([key]) => key)
        assert.deepEqual(keys, [...new Set(keys)].sort())
      }),
      runs,
    )
  })

  if (agreed === undefined) return
  it('gives the same state for every order of arrival', () => {
    const shuffled = histories.chain((envelopes) =>
      fc.tuple(
        fc.constant(envelopes),
        fc.shuffledSubarray(
          envelopes.map((_, index) => index),
          { minLength: envelopes.length, maxLength: envelopes.length },
        ),
      ),
    )
    fc.assert(
      fc.property(shuffled, ([envelopes, order]) => {
        const fold = projection()
        const sent = foldAll(fold, envelopes)
        const arrived = foldAll(projection(), rearranged(envelopes, order))
        assert.deepEqual(agreed(rowsOf(fold, arrived)), agreed(rowsOf(fold, sent)))
      }),
      { numRuns: 200 },
    )
  })
}

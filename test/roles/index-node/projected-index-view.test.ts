import { deepEqual, equal, fail } from 'node:assert/strict'
import { projectedIndexView } from '../../../src/roles/index-node/projected-index-view.ts'
import { EnvelopeMaker, hash, node } from '../../projections/envelopes.ts'
import { fold, mergeFrom, newTable, openOver, writeSegment } from '../../projections/keyword-index/index-states.ts'

describe('words near a typed one, as an index node tells them', () => {
  it('are found where segments are merged between two steps', async () => {
    const maker = new EnvelopeMaker()
    const table = newTable()
    const state = openOver(table)
    const says = (title: string) => {
      const described = { infoHash: hash(title), title, sizeBytes: 1, fileCount: 1, tags: [] }
      fold.apply(state, maker.make(node('ada'), { kind: 'torrent.published', ...described }, 'index'))
    }
    // More words with one beginning than are looked at in a step, in each of two segments.
    const words = Array.from({ length: 400 }, (_, at) => `pl${String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26))}ox`)
    for (const half of [words.slice(0, 390), words.slice(10)]) {
      says(`plants ${half.join(' ')}`)
      writeSegment(state)
    }
    fold.flush(state)
    await table.commit(1)
    let turns = 0
    const view = projectedIndexView({
      states: { state: () => state, onChange: () => () => {} } as never,
      ...{ map: undefined as never, own: node('own'), now: () => 0 },
      newTurns: () =>
        ({
          isOver: true,
          async next() {
            turns += 1
            if (turns > 1) return
            const before = state.listings.segments
            mergeFrom(state)
            await state.listings.clearOthers()
            // The block cache would still answer for them here, so a read of one has to be seen.
            for (const segment of before) Object.assign(segment, { terms: () => fail('a merged segment is read') })
          },
        }) as never,
    })
    deepEqual(
      (await view.nearWords('plnts')).map(({ word }) => word),
      ['plants'],
    )
    equal(state.listings.segments.length, 1)
    equal(turns >= 2, true)
  })
})

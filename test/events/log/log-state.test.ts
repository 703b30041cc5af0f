import assert from 'node:assert/strict'
import { extendRuns, LogState, runsOfEvents } from '../../../src/events/log/log-state.ts'
import { signerOf } from '../samples.ts'

const author = signerOf(1).id
const run = (authorSeq: number, seq: number, count: number, stream: 'gossip' | 'index' = 'gossip') => ({
  ...{ author, stream, authorSeq, seq, count },
})

describe('the state of a log', () => {
  it('counts authors of whom something is left', () => {
    const state = new LogState()
    state.advance(5, 9, [run(1, 1, 5)])
    assert.deepEqual(state.held(), { events: 5, authors: 1 })
    state.unplace([run(1, 0, 4)])
    assert.deepEqual(state.held(), { events: 1, authors: 1 })
    state.unplace([run(5, 0, 1)])
    assert.deepEqual(state.held(), { events: 0, authors: 0 })
    assert.equal(state.has({ author, stream: 'gossip', authorSeq: 3 }), true)
  })

  it('tells others how far it holds gossip without a hole, as it is now', () => {
    const state = new LogState()
    state.advance(2, 1, [run(1, 1, 2)])
    assert.equal(state.versionVector().get(author), 2)
    state.advance(3, 1, [run(4, 3, 1)])
    assert.equal(state.versionVector().get(author), 2)
    state.know([run(3, 0, 1)])
    assert.equal(state.versionVector().get(author), 4)
    state.advance(9, 1, [run(1, 4, 6, 'index')])
    assert.equal(state.versionVector().get(author), 4)
  })

  it('joins events to a run only where nothing is between them, of either order', () => {
    const at = (authorSeq: number, seq: number, stream: 'gossip' | 'index' = 'gossip') => ({ author, stream, authorSeq, seq })
    assert.deepEqual(runsOfEvents([at(1, 1), at(2, 2), at(3, 3)]), [run(1, 1, 3)])
    for (const second of [at(3, 2), at(2, 3), at(1, 2), at(2, 2, 'index'), { ...at(2, 2), author: signerOf(2).id }]) {
      const runs = [run(1, 1, 1)]
      extendRuns(runs, second)
      assert.equal(runs.length, 2)
    }
  })
})

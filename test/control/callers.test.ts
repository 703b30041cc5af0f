import assert from 'node:assert/strict'
import { CALLERS_MAX, Callers, RESERVED_MAX, SILENT_MS_MAX } from '../../src/control/callers.ts'

const NONE = { place: true, evicted: undefined }
const REFUSED = { place: false, evicted: undefined }

describe('places for callers', () => {
  /** `count` callers, 0 first, each a millisecond after the one before. */
  const withCallers = (count: number): Callers<number> => {
    const callers = new Callers<number>()
    for (let caller = 0; caller < count; caller += 1) assert.deepEqual(callers.arrive(caller, caller), NONE)
    return callers
  }
  const later = 10_000

  it('are 64, and 8 in reserve', () => {
    assert.deepEqual([CALLERS_MAX, RESERVED_MAX, SILENT_MS_MAX], [64, 8, 250])
  })

  it('go to a newcomer from the one that was idle for longest', () => {
    const callers = withCallers(CALLERS_MAX)
    callers.calls(0, 1, 500)
    callers.calls(0, 0, 600)
    assert.deepEqual(callers.arrive(100, later), { place: true, evicted: 1 })
    assert.deepEqual(callers.arrive(101, later), { place: true, evicted: 2 })
    assert.equal(callers.size, CALLERS_MAX)
    // A full place, and not one in reserve.
    assert.deepEqual(callers.ask(100, 'node.scores', later), NONE)
  })

  it('are not taken from one that has a call open, nor from one that has only just come', () => {
    const callers = withCallers(CALLERS_MAX)
    callers.calls(0, 2, 300)
    callers.calls(0, 1, 301)
    assert.deepEqual(callers.arrive(100, SILENT_MS_MAX), NONE)
    assert.deepEqual(callers.arrive(101, SILENT_MS_MAX + 1), { place: true, evicted: 1 })
  })

  it('in reserve are for status and stop where every caller has a call open', () => {
    const callers = withCallers(CALLERS_MAX)
    for (let caller = 0; caller < CALLERS_MAX; caller += 1) callers.calls(caller, 1, 100)
    for (let caller = 0; caller < RESERVED_MAX; caller += 1) assert.deepEqual(callers.arrive(100 + caller, later), NONE)
    assert.deepEqual(callers.arrive(200, later), REFUSED)
    assert.equal(callers.size, CALLERS_MAX + RESERVED_MAX)
    assert.deepEqual(callers.ask(100, 'node.status', later), NONE)
    assert.deepEqual(callers.ask(100, 'node.stop', later), NONE)
    assert.deepEqual(callers.ask(100, 'node.scores', later), REFUSED)
    // One that holds such a place and says nothing loses it as well.
    callers.calls(100, 1, later)
    assert.deepEqual(callers.arrive(200, later + SILENT_MS_MAX), { place: true, evicted: 101 })
    callers.calls(5, 0, later)
    assert.deepEqual(callers.ask(102, 'node.scores', later), { place: true, evicted: 5 })
  })

  it('in reserve become full ones when there is room', () => {
    const callers = withCallers(CALLERS_MAX + 1)
    callers.leave(3)
    assert.deepEqual(callers.ask(CALLERS_MAX, 'node.scores', later), NONE)
    assert.equal(callers.size, CALLERS_MAX)
    assert.deepEqual(callers.ask(999, 'node.status', later), REFUSED)
  })
})

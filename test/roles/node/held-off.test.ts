import assert from 'node:assert/strict'
import type { Millis, NodeId } from '../../../src/events/index.ts'
import { HeldOff } from '../../../src/roles/node/held-off.ts'

const idOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId

describe('who is held off', () => {
  it('is shown with the reason, the latest first, and counted by reason, also beyond what is remembered', () => {
    let now = 0
    const heldOff = new HeldOff({ now: () => ++now as Millis })
    for (let number = 0; number <= 256; number++) heldOff.note(idOf(number), 'over-budget')
    heldOff.note(idOf(255), 'over-budget')
    heldOff.note(idOf(0), 'used')
    const rows = heldOff.rows()
    assert.deepEqual(rows.slice(0, 3), [
      // The first had given way to the last: it is counted anew.
      { peer: idOf(0), why: 'used', times: 1, lastAt: 259 },
      { peer: idOf(255), why: 'over-budget', times: 2, lastAt: 258 },
      { peer: idOf(256), why: 'over-budget', times: 1, lastAt: 257 },
    ])
    assert.equal(rows.length, 20)
    assert.deepEqual(Object.fromEntries(heldOff.totals), { 'over-budget': 258, used: 1 })
  })
})

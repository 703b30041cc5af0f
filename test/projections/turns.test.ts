import assert from 'node:assert/strict'
import { newTurns } from '../../src/projections/turns.system.ts'
import { TURN_MS_MAX, Turns } from '../../src/projections/turns.ts'

describe('turns of long work', () => {
  it('are over after 10 ms, and begin anew when the others have had theirs', async () => {
    let now = 500
    const turns = new Turns({
      now: () => now,
      async yieldToEventLoop() {
        now += 40
      },
    })
    now += TURN_MS_MAX - 1
    assert.equal(turns.isOver, false)
    now += 1
    assert.equal(turns.isOver, true)
    await turns.next()
    assert.equal(turns.isOver, false, 'what the others took does not count')
    now += TURN_MS_MAX
    assert.equal(turns.isOver, true)
  })

  it('let everything have its turn that waits', async () => {
    let had = false
    setImmediate(() => {
      had = true
    })
    await newTurns().next()
    assert.ok(had)
  })
})

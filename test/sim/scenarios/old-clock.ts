import assert from 'node:assert/strict'
import type { Millis } from '../../../src/events/index.ts'
import type { Scenario } from '../stage.ts'

export const oldClock: Scenario = {
  proves: 'who returns with a clock a day behind is alive for all within 10 s, and sees the others',
  nodes: 15,
  nodesMax: 100,
  async tell(stage) {
    const { sim } = stage
    await stage.everybodyStarts()
    await stage.pass(10)
    const late = sim.at(5)
    sim.crash(late)
    await stage.everybodyBelieves(late, 'dead', 15)
    await sim.start(late, { clock: { now: () => (sim.time.now() - 86_400_000) as Millis } })
    await stage.everybodyIsAliveWithin(10)
    await sim.publish(late)
    await stage.everybodyHoldsTheSameWithin(10)
    const other = sim.at(9)
    sim.crash(other)
    await stage.everybodyBelieves(other, 'dead', 15)
    assert.equal(late.overlay.member(other.id)?.state, 'dead')
    await stage.nobodyDied(late, other)
  },
}

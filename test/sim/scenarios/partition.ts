import assert from 'node:assert/strict'
import type { Scenario } from '../stage.ts'

export const partition: Scenario = {
  proves: 'a network that was cut in two for a minute holds the same events, and trusts all again, 15 s after it is healed',
  nodes: 15,
  nodesMax: 300,
  async tell(stage) {
    const { sim } = stage
    await stage.everybodyStarts()
    const half = stage.size >> 1
    stage.cut(half)
    for (let second = 0; second < 60; second++) {
      await sim.publish(sim.at(second % half))
      await sim.publish(sim.at(half + (second % (stage.size - half))))
      await stage.pass(1)
    }
    const gone = sim.at(0).overlay.members()
    assert.ok(gone.filter(({ state }) => state === 'dead').length > 0, 'each side believes the other dead')
    stage.heal()
    stage.figures.sameMs = await stage.everybodyHoldsTheSameWithin(15)
    stage.figures.aliveMs = await stage.everybodyIsAliveWithin(15)
  },
}

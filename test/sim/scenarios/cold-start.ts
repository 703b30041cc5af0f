import type { Scenario } from '../stage.ts'

export const coldStart: Scenario = {
  proves: 'nodes started at the same moment all know all as alive within 10 s, and hold the same events',
  nodes: 15,
  nodesMax: 300,
  async tell(stage) {
    await stage.sim.startAll(100)
    stage.figures.aliveMs = await stage.everybodyIsAliveWithin(10)
    await stage.everybodyHoldsTheSameWithin(2)
  },
}

import type { Scenario } from '../stage.ts'

export const crash: Scenario = {
  proves: 'a crash is seen everywhere, nobody else is declared dead, and who returns with its identity is alive within 10 s',
  nodes: 15,
  nodesMax: 1_000,
  async tell(stage) {
    await stage.everybodyStarts()
    await stage.pass(10)
    const victim = stage.sim.at(stage.size >> 1)
    stage.sim.crash(victim)
    stage.figures.deadMs = await stage.everybodyBelieves(victim, 'dead', stage.size > 100 ? 30 : 15)
    await stage.nobodyDied(victim)
    await stage.sim.start(victim)
    stage.figures.aliveMs = await stage.everybodyIsAliveWithin(10)
  },
}

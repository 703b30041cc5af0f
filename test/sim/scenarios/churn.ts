import type { Scenario } from '../stage.ts'

export const churn: Scenario = {
  proves: 'no event is lost to 20 % loss, copies, 10 % of the nodes killed and back each minute, and a partition',
  nodes: 15,
  nodesMax: 300,
  options: { duplication: 0.05 },
  async tell(stage) {
    const { sim } = stage
    await stage.everybodyStarts()
    sim.network.faults.loss = 0.2
    const everyMs = 60_000 / Math.max(1, Math.round(stage.size / 10))
    let killAt = sim.time.now() + everyMs / 2
    const back: { node: (typeof sim.nodes)[number]; at: number }[] = []
    for (let second = 0; second < 60; second++) {
      if (second === 20) stage.cut(stage.size >> 2)
      if (second === 40) stage.heal()
      await sim.publish(stage.someMember())
      for (; killAt <= sim.time.now(); killAt += everyMs) {
        const node = stage.someMember()
        sim.crash(node)
        back.push({ node, at: sim.time.now() + 10_000 })
      }
      for (const one of back.filter(({ at }) => at <= sim.time.now())) {
        back.splice(back.indexOf(one), 1)
        await sim.start(one.node)
      }
      await stage.pass(1)
    }
    for (const { node } of back) await sim.start(node)
    // The loss stays: what is repaired here is repaired under it.
    stage.figures.sameMs = await stage.everybodyHoldsTheSameWithin(60)
    sim.network.faults.loss = 0
    await stage.everybodyIsAliveWithin(20)
  },
}

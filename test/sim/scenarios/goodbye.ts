import assert from 'node:assert/strict'
import type { Scenario } from '../stage.ts'

export const goodbye: Scenario = {
  proves: 'who leaves politely is known to have left within 2 s, suspected by nobody, and alive again when it returns',
  nodes: 15,
  nodesMax: 300,
  async tell(stage) {
    const { sim } = stage
    await stage.everybodyStarts()
    await stage.pass(10)
    const leaver = sim.at(3)
    await sim.stop(leaver)
    stage.figures.leftMs = await stage.everybodyBelieves(leaver, 'left', 2)
    await stage.pass(30)
    await stage.nobodyDied()
    for await (const { event } of sim.at(0).log.read({ kinds: ['member.suspect'] })) {
      assert.fail(`${event.kind} of a node that said goodbye`)
    }
    await sim.start(leaver)
    await stage.everybodyIsAliveWithin(10)
  },
}

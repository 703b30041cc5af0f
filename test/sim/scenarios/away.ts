import assert from 'node:assert/strict'
import { decodeWire } from '../../../src/network/wire.ts'
import type { Scenario } from '../stage.ts'

export const away: Scenario = {
  proves: 'who was away for ten minutes catches up with everything, asking once for each range that it lacks',
  nodes: 15,
  nodesMax: 100,
  async tell(stage) {
    const { sim, figures } = stage
    await stage.everybodyStarts()
    const traveller = sim.at(stage.size - 1)
    sim.crash(traveller)
    for (let second = 0; second < 600; second++) {
      const authors = Math.min(5, stage.size - 1)
      await sim.publish(sim.at(second % authors))
      await stage.pass(1)
    }
    const asked = new Map<string, number>()
    sim.network.options.onMessage = (from, _to, bytes) => {
      const message = decodeWire(bytes)
      if (from !== traveller.id || message.type !== 'fetch') return
      for (const { author, from: first, to } of message.ranges) {
        for (let seq = first; seq <= to; seq++) asked.set(`${author} ${seq}`, (asked.get(`${author} ${seq}`) ?? 0) + 1)
      }
    }
    await sim.start(traveller)
    figures.sameMs = await stage.everybodyHoldsTheSameWithin(10)
    await stage.everybodyIsAliveWithin(10)
    assert.ok(asked.size >= 600)
    const twice = [...asked.values()].filter((times) => times > 1).length
    assert.equal(twice, 0, 'asked for twice')
  },
}

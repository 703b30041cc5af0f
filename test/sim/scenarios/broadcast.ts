import assert from 'node:assert/strict'
import type { Scenario } from '../stage.ts'

export const broadcast: Scenario = {
  proves: 'an event reaches all in at most two copies and twelve hops, and the network is quiet at rest',
  nodes: 100,
  nodesMax: 1_000,
  async tell(stage) {
    const { sim, figures } = stage
    await stage.everybodyStarts()
    await stage.pass(15)
    figures.bytesPerSecond = await stage.traffic(10)
    const before = stage.copies()
    const watch = sim.watchHops()
    for (let count = 0; count < 40; count++) {
      await sim.publish(sim.at((count * 37) % stage.size))
      await sim.time.advance(100)
    }
    figures.sameMs = await stage.everybodyHoldsTheSameWithin(15)
    figures.hops = watch()
    const after = stage.copies()
    assert.equal(after.fresh - before.fresh, 40 * (stage.size - 1))
    figures.copies = (after.received - before.received) / (after.fresh - before.fresh)
    assert.ok(figures.copies <= 2, `${figures.copies} copies`)
    assert.ok(figures.hops <= 12, `${figures.hops} hops`)
    assert.ok(figures.bytesPerSecond < 1_500, `${figures.bytesPerSecond} bytes a second a node`)
  },
}

import assert from 'node:assert/strict'
import type { Event } from '../../../src/events/index.ts'
import type { Scenario } from '../stage.ts'

export const noise: Scenario = {
  proves: 'an author that says 1,000 things a second does not keep the words of others, nor its own verdicts, from going round',
  nodes: 15,
  nodesMax: 50,
  async tell(stage) {
    const { sim, figures } = stage
    await stage.everybodyStarts()
    await stage.pass(5)
    const [noisy, quiet] = [sim.at(3), sim.at(9)]
    const hash = 'ab'.repeat(20)
    const verdict = { kind: 'piece.suspected', infoHash: hash, index: 1, sources: [] } as unknown as Event
    let slowest = 0
    for (let second = 0; second < 10; second++) {
      for (let count = 0; count < 1_000; count++) void sim.publish(noisy)
      const word = (await sim.publish(quiet, verdict))[0]
      assert.ok(word)
      const heard = () => sim.running.every(({ log }) => log.has(word))
      slowest = Math.max(slowest, await stage.within(1, 'a verdict everywhere', heard))
      await stage.pass(1)
    }
    figures.verdictMs = slowest
    stage.figures.sameMs = await stage.everybodyHoldsTheSameWithin(60)
    await stage.nobodyDied()
  },
}

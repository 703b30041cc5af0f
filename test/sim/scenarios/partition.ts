import assert from 'node:assert/strict'
import type { SimNode } from '../simulation.ts'
import type { Scenario, Stage } from '../stage.ts'

/** As long as real nodes have for it (test/cluster/namespaces.test.ts). */
const SEEN_SECONDS_MAX = 40

export const partition: Scenario = {
  proves: 'a network that was cut in two for a minute knows it in 40 s; healed, it holds the same and trusts all 15 s later',
  nodes: 15,
  nodesMax: 300,
  options: { clients: 2 },
  async tell(stage) {
    const { sim } = stage
    await stage.everybodyStarts()
    const half = stage.size >> 1
    stage.cut(half)
    // On each side one dies with the cut, and comes back before the healing: both have something to tell.
    const victims = [sim.at(half - 1), sim.at(half + 1)]
    for (const node of victims) sim.crash(node)
    let seenSeconds: number | undefined
    for (let second = 0; second < 60; second++) {
      await sim.publish(someOf(sim.nodes.slice(0, half), second))
      await sim.publish(someOf(sim.nodes.slice(half), second))
      await stage.pass(1)
      const wrong = stillTrusted(stage, half)
      if (wrong.length === 0) seenSeconds ??= second + 1
      assert.ok(seenSeconds !== undefined || second < SEEN_SECONDS_MAX, `each side believes the other dead: ${wrong[0]}`)
      if (second === 50) for (const node of victims) await sim.start(node)
    }
    stage.figures.seenSeconds = seenSeconds ?? Number.NaN
    stage.heal()
    stage.figures.sameMs = await stage.everybodyHoldsTheSameWithin(15)
    stage.figures.aliveMs = await stage.everybodyIsAliveWithin(15)
  },
}

function someOf(side: readonly SimNode[], turn: number): SimNode {
  const running = side.filter(({ run }) => run !== undefined)
  const node = running[turn % running.length]
  assert.ok(node)
  return node
}

/** Who believes whom of the other side to be there. */
function stillTrusted({ sim }: Stage, half: number): string[] {
  const members = sim.nodes.filter(({ role }) => role !== 'client')
  return sim.running.flatMap(({ index, overlay }) =>
    members
      .filter((other) => other.index < half !== index < half && overlay.member(other.id)?.state !== 'dead')
      .map((other) => `${index} has ${other.index} ${overlay.member(other.id)?.state}`),
  )
}

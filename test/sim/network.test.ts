import assert from 'node:assert/strict'
import { play } from './play.ts'
import { SCENARIOS } from './scenarios/index.ts'
import { Simulation } from './simulation.ts'

/** The seed of this run of the tests: another one with P2PT_SIM_SEED=N. */
const SEED = Number(process.env.P2PT_SIM_SEED ?? 1)

describe('a simulated network', () => {
  for (const [scenario, { proves, nodes }] of Object.entries(SCENARIOS)) {
    it(`of ${nodes}: ${proves}`, async () => {
      await play({ scenario, nodes, seed: SEED })
    }).timeout(60_000)
  }

  it('of 100: a crash is seen everywhere, and nobody else is declared dead', async () => {
    const { deadMs = Number.NaN } = await play({ scenario: 'crash', nodes: 100, seed: SEED })
    assert.ok(deadMs <= 20_000)
  }).timeout(60_000)

  it('goes the same way for the same seed', async () => {
    const traces: string[] = []
    for (let run = 0; run < 2; run++) {
      const sim = new Simulation({ seed: SEED, nodes: 15, loss: 0.1 })
      await sim.startAll(1_000)
      await sim.publish(sim.at(3))
      await sim.time.advance(20_000)
      traces.push(JSON.stringify([sim.traffic, sim.nodes.map(({ log }) => [...log.versionVector()].sort())]))
      await sim[Symbol.asyncDispose]()
    }
    assert.equal(traces[0], traces[1])
  })

  it('names the one command that runs a failure again', async () => {
    await assert.rejects(play({ scenario: 'liars', nodes: 3, seed: 77 }), (error: Error) =>
      error.message.includes('npm run test:sim -- --scenario liars --nodes 3 --seed 77'),
    )
  })
})

import { Simulation, type SimulationOptions } from './simulation.ts'

/** The seed of this run of the tests: another one with P2PT_SIM_SEED=N. */
export const SEED = Number(process.env.P2PT_SIM_SEED ?? 1)

/**
 * Runs a story in a simulation and clears up after it. A failure names the options of the run, which are all it takes to
 * have it again, and the command for that.
 */
export async function story(options: Omit<SimulationOptions, 'seed'>, tell: (sim: Simulation) => Promise<void>): Promise<void> {
  const sim = new Simulation({ seed: SEED, ...options })
  try {
    await tell(sim)
    if (sim.notices.length > 0) throw new Error(`a node had a fault of its own: ${sim.notices[0]}`)
  } catch (error) {
    const again = `P2PT_SIM_SEED=${SEED} npx mocha test/sim/network.test.ts`
    if (error instanceof Error) error.message += `\n  ${JSON.stringify(sim.options)}\n  again: ${again}`
    throw error
  } finally {
    await sim[Symbol.asyncDispose]()
  }
}

import { SCENARIOS } from './scenarios/index.ts'
import { Simulation } from './simulation.ts'
import { Stage } from './stage.ts'

/** A story with its network: all it takes to have a run again. */
export type Play = { readonly scenario: string; readonly nodes: number; readonly seed: number }

/** From so many nodes on, a network that only has to be there is not started message by message. */
const STANDING_FROM = 200

export const commandOf = ({ scenario, nodes, seed }: Play): string =>
  `npm run test:sim -- --scenario ${scenario} --nodes ${nodes} --seed ${seed}`

/**
 * Runs one story in a simulation of its own. @returns what it measured
 * @throws Error whose message has the options of the run and the one command that runs it again
 */
export async function play(run: Play): Promise<Readonly<Record<string, number>>> {
  const scenario = SCENARIOS[run.scenario]
  if (scenario === undefined) throw new RangeError(`there is no scenario ${run.scenario}`)
  const { seed, nodes } = run
  const standing = nodes >= STANDING_FROM && run.scenario !== 'cold-start'
  const sim = new Simulation({ seed, nodes, standing, ...scenario.options })
  const stage = new Stage(sim)
  try {
    await scenario.tell(stage)
    if (sim.notices.length > 0) throw new Error(`a node had a fault of its own: ${sim.notices[0]}`)
    return stage.figures
  } catch (error) {
    if (error instanceof Error) error.message += `\n  ${JSON.stringify(sim.options)}\n  again: ${commandOf(run)}`
    throw error
  } finally {
    await sim[Symbol.asyncDispose]()
  }
}

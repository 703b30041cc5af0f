import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { allAlive, allBelieve, deathsIn, holdTheSame, missingEvents } from './laws.ts'
import { forked } from './random.ts'
import type { SimNode, Simulation, SimulationOptions } from './simulation.ts'

/** A story about a network: what it proves, what network it needs, and how it goes. */
export type Scenario = {
  /** One sentence that is true if the story ends well. */
  readonly proves: string
  /** Nodes unless the caller wants another number, and the most it is meant for. */
  readonly nodes: number
  readonly nodesMax: number
  readonly options?: Partial<SimulationOptions>
  tell(stage: Stage): Promise<void>
}

const SECOND_MS = 1_000

/** The verbs that stories are told with. */
export class Stage {
  readonly sim: Simulation
  /** A stream of its own for what the story draws. */
  readonly random: () => number
  /** What was measured, for whoever prints it. */
  readonly figures: Record<string, number> = {}

  constructor(sim: Simulation) {
    this.sim = sim
    this.random = forked(sim.options.seed, 9)
  }

  get size(): number {
    return this.sim.nodes.length
  }

  async everybodyStarts(overMs = SECOND_MS): Promise<void> {
    await this.sim.startAll(overMs)
    await this.everybodyIsAliveWithin(15)
  }

  async pass(seconds: number): Promise<void> {
    await this.sim.time.advance(seconds * SECOND_MS)
  }

  /** @throws AssertionError if the condition does not come true in time. @returns the ms it took */
  async within(seconds: number, what: string, condition: () => boolean): Promise<number> {
    const took = await this.sim.time.until(condition, seconds * SECOND_MS, this.size > 200 ? 250 : 50)
    assert.ok(took !== undefined, `${what}: not within ${seconds} s (missing events: ${missingEvents(this.sim)})`)
    return took
  }

  everybodyIsAliveWithin(seconds: number): Promise<number> {
    return this.within(seconds, 'every running member alive in all tables', () => allAlive(this.sim))
  }

  everybodyHoldsTheSameWithin(seconds: number): Promise<number> {
    return this.within(seconds, 'the same events everywhere', () => holdTheSame(this.sim))
  }

  everybodyBelieves(subject: SimNode, state: string, seconds: number): Promise<number> {
    return this.within(seconds, `node ${subject.index} ${state} everywhere`, () => allBelieve(this.sim, subject, state))
  }

  someMember(): SimNode {
    const members = this.sim.running.filter(({ role }) => role !== 'client')
    const chosen = members[Math.floor(this.random() * members.length)]
    if (chosen === undefined) throw new Error('nobody is left')
    return chosen
  }

  /** Cuts the network in two; the first so many nodes are one side. */
  cut(count: number): void {
    const first = new Set<NodeId>(this.sim.nodes.slice(0, count).map(({ id }) => id))
    this.sim.network.partition((id) => (first.has(id) ? 1 : 2))
  }

  heal(): void {
    this.sim.network.heal()
  }

  /** Nobody's log has a death, but of those named. */
  async nobodyDied(...but: readonly SimNode[]): Promise<void> {
    for (const node of this.sim.running) {
      const deaths = (await deathsIn(node)).filter(({ subject }) => !but.some(({ id }) => id === subject))
      assert.deepEqual(deaths, [])
    }
  }

  /** Events that were new, and copies of them, over all running nodes. */
  copies(): { fresh: number; received: number } {
    const sum = { fresh: 0, received: 0 }
    for (const { overlay } of this.sim.running) {
      const { eventsIn, duplicates } = overlay.status()
      sum.fresh += eventsIn
      sum.received += eventsIn + duplicates
    }
    return sum
  }

  /** Bytes a second a node, from now for so many seconds. */
  async traffic(seconds: number): Promise<number> {
    const before = this.sim.traffic.bytes
    await this.pass(seconds)
    return (this.sim.traffic.bytes - before) / seconds / this.size
  }
}

import { allBelieve, deathsIn, missingEvents } from '../test/sim/laws.ts'
import { type SimNode, Simulation } from '../test/sim/simulation.ts'
import { Stage } from '../test/sim/stage.ts'

const SETTLE_S = 15
const REST_S = 30
const EVENTS = 20
const CRASHES = 3
const CRASH_SECONDS_MAX = 120

export type Calm = {
  readonly bytesPerSecond: number
  readonly copies: number
  readonly hops: number
  readonly deliveredShare: number
  readonly crashSeconds: readonly number[]
}

/** A network that stands: at rest, then with some events, then with some crashes. `clientShare`: 0 to 1. */
export async function calm(nodes: number, seed: number, clientShare = 0): Promise<Calm> {
  await using sim = new Simulation({ seed, nodes, clientShare, standing: true })
  const stage = new Stage(sim)
  await sim.startAll()
  await stage.pass(SETTLE_S)
  const bytesPerSecond = await stage.traffic(REST_S)

  const before = stage.copies()
  const watch = sim.watchHops()
  for (let count = 0; count < EVENTS; count++) {
    await sim.publish(stage.someMember())
    await sim.time.advance(250)
  }
  await stage.pass(5)
  const hops = watch()
  const after = stage.copies()
  const fresh = after.fresh - before.fresh

  const crashSeconds: number[] = []
  for (let count = 0; count < CRASHES; count++) {
    const victim = stage.someMember()
    sim.crash(victim)
    const ms = await sim.time.until(() => allBelieve(sim, victim, 'dead'), CRASH_SECONDS_MAX * 1_000, 100)
    crashSeconds.push((ms ?? CRASH_SECONDS_MAX * 1_000) / 1_000)
    await stage.pass(2)
  }
  return {
    bytesPerSecond,
    copies: (after.received - before.received) / fresh,
    hops,
    deliveredShare: fresh / (EVENTS * (nodes - 1)),
    crashSeconds,
  }
}

/**
 * A minute of 20 % loss, in which a tenth of the nodes is killed and comes back and a quarter is cut off for a third of the
 * time; then at most another minute, still with the loss. @returns the share of what live nodes should hold that they hold
 */
export async function troubled(nodes: number, seed: number): Promise<number> {
  await using sim = new Simulation({ seed, nodes, standing: true, loss: 0.2 })
  const stage = new Stage(sim)
  await sim.startAll()
  await stage.pass(5)
  const everySeconds = 60 / Math.max(1, nodes / 10)
  const away: { node: SimNode; back: number }[] = []
  let kills = 0
  for (let second = 0; second < 60; second++) {
    if (second === 20) stage.cut(nodes >> 2)
    if (second === 40) stage.heal()
    await sim.publish(stage.someMember())
    for (; kills * everySeconds < second; kills++) {
      const node = stage.someMember()
      sim.crash(node)
      away.push({ node, back: second + 10 })
    }
    for (const { node } of away.filter(({ back }) => back === second)) await sim.start(node)
    await stage.pass(1)
  }
  for (const { node } of away.filter(({ back }) => back >= 60)) await sim.start(node)
  // What was said until now; what members go on saying under the loss has its own time.
  const union = new Map<string, number>()
  for (const { log } of sim.running) {
    for (const [author, head] of log.versionVector()) union.set(author, Math.max(head, union.get(author) ?? 0))
  }
  const lacking = (): number => {
    let missing = 0
    for (const { log } of sim.running) {
      const vector = log.versionVector()
      for (const [author, head] of union) missing += Math.max(0, head - (vector.get(author as never) ?? 0))
    }
    return missing
  }
  await sim.time.until(() => lacking() === 0, 60_000, 1_000)
  const total = [...union.values()].reduce((sum, head) => sum + head, 0) * sim.running.length
  return 1 - lacking() / total
}

/** Members declared dead who were not, in so many virtual seconds of 5 % loss with a tenth of the nodes slow. */
export async function falseDeaths(nodes: number, seed: number, seconds: number): Promise<number> {
  await using sim = new Simulation({ seed, nodes, standing: true, loss: 0.05, slow: 0.1, slowMs: 400 })
  const stage = new Stage(sim)
  await sim.startAll()
  await stage.pass(seconds)
  const dead = new Set<string>()
  for (const node of sim.running) for (const { subject } of await deathsIn(node)) dead.add(subject)
  return dead.size
}

/** A network that does not stand yet: seconds until all who start within five seconds know all, and hold the same. */
export async function cold(nodes: number, seed: number): Promise<number> {
  await using sim = new Simulation({ seed, nodes })
  await sim.startAll(5_000)
  const ms = await sim.time.until(() => missingEvents(sim) === 0, 120_000, 500)
  return (ms ?? Number.NaN) / 1_000
}

import assert from 'node:assert/strict'
import { allAlive, allBelieve, deathsIn, holdTheSame, missingEvents } from './laws.ts'
import { forked } from './random.ts'
import { SEED, story } from './seeded.ts'
import type { SimNode, Simulation } from './simulation.ts'

async function within(sim: Simulation, ms: number, what: string, condition: () => boolean): Promise<number> {
  const took = await sim.time.until(condition, ms)
  assert.ok(took !== undefined, `${what}: not within ${ms} ms (missing events: ${missingEvents(sim)})`)
  return took
}

const copies = (sim: Simulation): { fresh: number; received: number } => {
  const sum = { fresh: 0, received: 0 }
  for (const { overlay } of sim.running) {
    const { eventsIn, duplicates } = overlay.status()
    sum.fresh += eventsIn
    sum.received += eventsIn + duplicates
  }
  return sum
}

async function noDeaths(sim: Simulation): Promise<void> {
  for (const node of sim.running) assert.deepEqual(await deathsIn(node), [])
}

describe('a simulated network', () => {
  it('of 15 started at once: all know all within 10 s', () =>
    story({ nodes: 15 }, async (sim) => {
      await sim.startAll(100)
      await within(sim, 10_000, 'all alive', () => allAlive(sim))
      await within(sim, 1_000, 'same events', () => holdTheSame(sim))
    }))

  it('of 15 sees a crash everywhere within 15 s, and the restarted node within 10 s', () =>
    story({ nodes: 15 }, async (sim) => {
      await sim.startAll(100)
      await within(sim, 10_000, 'all alive', () => allAlive(sim))
      await sim.time.advance(10_000)
      const victim = sim.at(7)
      sim.crash(victim)
      await within(sim, 15_000, 'dead everywhere', () => allBelieve(sim, victim, 'dead'))
      await sim.start(victim)
      await within(sim, 10_000, 'alive everywhere', () => allAlive(sim))
    }))

  it('of 15 cut 7 | 8 for a minute holds the same events, and trusts all again, soon after it is healed', () =>
    story({ nodes: 15 }, async (sim) => {
      await sim.startAll(100)
      await within(sim, 10_000, 'all alive', () => allAlive(sim))
      const side = new Map(sim.nodes.map(({ id, index }) => [id, index < 7 ? 1 : 2]))
      sim.network.partition((id) => side.get(id) ?? 0)
      for (let second = 0; second < 60; second++) {
        await sim.publish(sim.at(second % 7))
        await sim.publish(sim.at(7 + (second % 8)))
        await sim.time.advance(1_000)
      }
      assert.ok(
        sim
          .at(0)
          .overlay.members()
          .filter(({ state }) => state === 'dead').length === 8,
      )
      sim.network.heal()
      await within(sim, 15_000, 'same events', () => holdTheSame(sim))
      await within(sim, 15_000, 'all alive', () => allAlive(sim))
    }))

  it('of 15 loses no event to loss, copies and churn', () =>
    story({ nodes: 15, loss: 0.2, duplication: 0.05 }, async (sim) => {
      const random = forked(SEED, 9)
      await sim.startAll(1_000)
      const away: SimNode[] = []
      for (let second = 0; second < 60; second++) {
        const node = sim.running[Math.floor(random() * sim.running.length)]
        if (node !== undefined) await sim.publish(node)
        if (second % 20 === 5) {
          const victim = sim.at(Math.floor(random() * 15))
          sim.crash(victim)
          away.push(victim)
        }
        if (second % 20 === 15) for (const back of away.splice(0)) await sim.start(back)
        await sim.time.advance(1_000)
      }
      sim.network.faults.loss = 0
      await within(sim, 15_000, 'same events', () => holdTheSame(sim))
      await within(sim, 20_000, 'all alive', () => allAlive(sim))
      assert.equal(sim.running.length, 15)
    }))

  it('of 15 declares nobody dead in ten minutes of 5 % loss with slow nodes among them', () =>
    story({ nodes: 15, loss: 0.05, slow: 0.1, slowMs: 400 }, async (sim) => {
      await sim.startAll(1_000)
      await sim.time.advance(10 * 60_000)
      await noDeaths(sim)
      await within(sim, 10_000, 'all alive', () => allAlive(sim))
    }))

  it('of 15 goes the same way for the same seed', async () => {
    const traces: string[] = []
    for (let run = 0; run < 2; run++) {
      await story({ nodes: 15, loss: 0.1 }, async (sim) => {
        await sim.startAll(1_000)
        await sim.publish(sim.at(3))
        await sim.time.advance(20_000)
        traces.push(JSON.stringify([sim.traffic, sim.nodes.map(({ log }) => [...log.versionVector()].sort())]))
      })
    }
    assert.equal(traces[0], traces[1])
  })

  it('of 100 brings an event to all with few copies, sees a crash, and is quiet at rest', () =>
    story({ nodes: 100 }, async (sim) => {
      await sim.startAll(1_000)
      await within(sim, 10_000, 'all alive', () => allAlive(sim))
      await sim.time.advance(5_000)
      const before = copies(sim)
      for (let count = 0; count < 40; count++) {
        await sim.publish(sim.at((count * 37) % 100))
        await sim.time.advance(100)
      }
      await within(sim, 15_000, 'same events', () => holdTheSame(sim))
      const after = copies(sim)
      assert.equal(after.fresh - before.fresh, 40 * 99)
      assert.ok((after.received - before.received) / (after.fresh - before.fresh) <= 2)
      const bytes = sim.traffic.bytes
      await sim.time.advance(10_000)
      const bytesPerSecond = (sim.traffic.bytes - bytes) / 10 / 100
      assert.ok(bytesPerSecond < 500, `${bytesPerSecond} bytes a second a node`)
      sim.crash(sim.at(50))
      await within(sim, 20_000, 'dead everywhere', () => allBelieve(sim, sim.at(50), 'dead'))
      assert.ok((await deathsIn(sim.at(0))).every(({ subject }) => subject === sim.at(50).id))
    })).timeout(60_000)
})

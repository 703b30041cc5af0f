import assert from 'node:assert/strict'
import { Hostile } from '../hostile.ts'
import { allBelieve, missingEvents } from '../laws.ts'
import type { Scenario } from '../stage.ts'

const MEMBERS_HOSTILE = 0.05
const CLIENTS_HOSTILE = 0.3
const DEAD_MS_MAX = 1_000
const TURN_S = 0.5
/** So many of them act in one turn, on average: what each does, all nodes have to hear. */
const ACTING = 12

export const hostile: Scenario = {
  proves:
    'one hostile member to 20, and three hostile clients to ten, keep no honest event from anybody, and have nobody held dead for a second',
  nodes: 100,
  nodesMax: 1_000,
  options: { clientShare: 0.3 },
  async tell(stage) {
    const { sim, figures, random } = stage
    await stage.everybodyStarts()
    await stage.pass(3)
    const members = sim.nodes.filter(({ role }) => role !== 'client')
    const clients = sim.nodes.length - members.length
    const bad: Hostile[] = []
    for (let count = 0; count < Math.max(1, Math.round(members.length * MEMBERS_HOSTILE)); count++)
      bad.push(new Hostile(sim, 'index', bad.length, random))
    for (let count = 0; count < Math.round(clients * CLIENTS_HOSTILE); count++)
      bad.push(new Hostile(sim, 'client', bad.length, random))
    for (const one of bad) await one.start()
    await stage.pass(3)

    const isLarge = stage.size >= 100
    const deadSince = new Map<string, number>()
    let longestDeadMs = 0
    let notAlive = 0
    let looks = 0
    const look = () => {
      const now = sim.time.now()
      for (const node of sim.running) {
        for (const member of members) {
          if (member.run === undefined || member.id === node.id) continue
          const state = node.overlay.member(member.id)?.state
          looks++
          if (state !== 'alive') notAlive++
          const key = `${node.index} ${member.index}`
          if (state !== 'dead' && state !== 'left') deadSince.delete(key)
          else {
            const since = deadSince.get(key) ?? now
            deadSince.set(key, since)
            longestDeadMs = Math.max(longestDeadMs, now - since)
          }
        }
      }
    }
    for (let turn = 0; turn < (isLarge ? 12 : 40); turn++) {
      const turnMembers = Array.from({ length: isLarge ? 1 : 3 }, () => stage.someMember())
      for (const one of bad) if (random() < ACTING / bad.length) one.act(turnMembers)
      const author = sim.running[Math.floor(random() * sim.running.length)]
      assert.ok(author)
      await sim.publish(author)
      for (let step = 0; step < (isLarge ? 1 : 2); step++) {
        await stage.pass(isLarge ? TURN_S : TURN_S / 2)
        look()
      }
    }
    Object.assign(figures, { hostile: bad.length, longestDeadMs, aliveShare: 1 - notAlive / looks })
    assert.ok(longestDeadMs <= DEAD_MS_MAX, `an honest member was held dead for ${longestDeadMs} ms`)
    assert.ok(
      notAlive / looks < 0.01,
      `honest members were not alive in ${((100 * notAlive) / looks).toFixed(1)} % of the looks`,
    )

    const honest = new Set(sim.nodes.map(({ id }) => id))
    figures.sameMs = await stage.within(
      20,
      'all honest events at all honest nodes',
      () => missingEvents(sim, (id) => honest.has(id)) === 0,
    )
    // Who is really gone is seen to be, whatever they say.
    const crashed = stage.someMember()
    sim.crash(crashed)
    figures.deadMs = await stage.within(60, 'a crash seen by all', () => allBelieve(sim, crashed, 'dead'))
  },
}

import assert from 'node:assert/strict'
import type { Millis } from '../../../src/events/index.ts'
import { allBelieve, believers } from '../laws.ts'
import { SIM_LAMPORT_MAX } from '../simulation.ts'
import type { Scenario } from '../stage.ts'
import { Stranger } from '../stranger.ts'

export const liars: Scenario = {
  proves: 'a liar can have nobody held dead who answers, cannot name an incarnation out of reach, and moves no clock',
  nodes: 15,
  nodesMax: 100,
  async tell(stage) {
    const { sim, figures } = stage
    await stage.everybodyStarts()
    await stage.pass(5)
    const victim = sim.at(7)
    const liar = new Stranger(sim)
    await liar.link(sim.at(0))
    await stage.pass(1)
    const lie = (kind: 'member.dead' | 'member.suspect', incarnation: number, seq: number) => {
      const address = { host: '10.0.0.1', port: 8, dhtPort: 0 }
      const event = { kind, subject: victim.id, incarnation, role: 'index', ...address } as const
      const signed = liar.event(seq, sim.at(0).log.lamport + 1, event)
      liar.send(sim.at(0), { type: 'push', events: [{ event: signed, hops: 0 }] })
    }
    lie('member.dead', Number.MAX_SAFE_INTEGER - 1, 1)
    await stage.everybodyHoldsTheSameWithin(5)
    assert.ok(allBelieve(sim, victim, 'alive'), 'an incarnation that was never announced counts for nothing')
    lie('member.dead', victim.overlay.incarnation, 2)
    const incarnation = victim.overlay.incarnation
    for (let steps = 0; steps < 30; steps++) {
      await stage.pass(0.05)
      assert.equal(believers(sim, victim, ['suspect', 'dead']), 0, 'nobody believes it, not for a moment')
      if (victim.overlay.incarnation === incarnation) figures.refutedMs = (steps + 2) * 50
    }
    assert.ok(victim.overlay.incarnation > incarnation, 'the word has been heard')
    await stage.everybodyHoldsTheSameWithin(5)
    assert.ok(allBelieve(sim, victim, 'alive'))

    const before = sim.at(0).log.lamport
    for (let seq = 3; seq < 13; seq++) {
      const event = liar.event(seq, SIM_LAMPORT_MAX + seq)
      liar.send(sim.at(0), { type: 'push', events: [{ event, hops: 0 }] })
    }
    await stage.pass(90)
    assert.ok(sim.at(0).log.lamport < before + 1_000, 'the clock stays')
    let counted = 0
    for await (const { event } of sim.at(0).log.read({ kinds: ['event.quarantined'] })) {
      assert.ok(event.kind === 'event.quarantined' && event.reason === 'clock-jump' && event.sender === liar.id)
      counted += event.count
    }
    assert.equal(counted, 10)
    assert.ok((sim.time.now() as Millis) > 0)
    await stage.everybodyIsAliveWithin(5)
  },
}

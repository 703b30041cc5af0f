import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { Membership } from '../../../src/network/membership/membership.ts'
import type { MembershipEffect, MembershipTimer } from '../../../src/network/membership/membership-protocol.ts'
import { PING_TIMEOUT_MS, PROBE_EVERY_MS } from '../../../src/network/membership/prober.ts'
import type { MembershipMessage } from '../../../src/network/wire.ts'

const idOf = (index: number) => index.toString(16).padStart(64, '0') as NodeId
const SELF = idOf(1)
const OTHERS = [2, 3, 4, 5, 6].map(idOf)
const PROBE = { type: 'timer', timer: { name: 'probe' } } as const

type Effects = readonly MembershipEffect[]
const sent = <T extends MembershipMessage['type']>(effects: Effects, type: T) =>
  effects.flatMap((effect) => (effect.do === 'send' && effect.message.type === type ? [effect] : []))
const timer = (effects: Effects, name: MembershipTimer['name']) => {
  const wake = effects.find((effect) => effect.do === 'wake' && effect.timer.name === name)
  assert.ok(wake?.do === 'wake', `no timer "${name}"`)
  return wake
}

/** A member that knows five others. */
function member(): Membership {
  const address = { host: '10.0.0.1', port: 4_700, dhtPort: 0 }
  const membership = new Membership({
    self: SELF,
    role: 'index',
    incarnation: 1,
    address: () => address,
    isLinked: () => true,
    random: () => 0.5,
    heardAt: () => undefined,
    isAdmitted: () => true,
  })
  for (const id of OTHERS) {
    const member = { id, role: 'index', address, state: 'alive', incarnation: 1 } as const
    membership.handle({ type: 'remember', member }, 0)
  }
  return membership
}

/** One period in which the member that was pinged says nothing, and so many helpers say that it does not. */
function missedProbe(membership: Membership, now: number, nacks: number): void {
  const ticked = membership.handle(PROBE, now)
  const watched = membership.handle({ type: 'timer', timer: timer(ticked, 'unanswered').timer }, now + 200)
  const late = membership.handle({ type: 'timer', timer: timer(watched, 'late').timer }, now + PING_TIMEOUT_MS)
  const asked = sent(late, 'ping-request')
  assert.equal(asked.length, 3)
  for (const { to, message } of asked.slice(0, nacks)) {
    const seq = message.type === 'ping-request' ? message.seq : 0
    membership.handle({ type: 'message', from: to, message: { type: 'nack', seq } }, now + 900)
  }
  membership.handle({ type: 'timer', timer: timer(watched, 'missed').timer }, now + 980)
}

describe('membership', () => {
  it('doubts itself when nobody says anything: neither who was pinged nor any helper', () => {
    const membership = member()
    missedProbe(membership, 0, 0)
    assert.equal(membership.healthMultiplier, 4)
    assert.equal(timer(membership.handle(PROBE, 4_000), 'probe').afterMs, 4 * PROBE_EVERY_MS)
  })

  it('does not doubt itself because helpers are gone, with half of the network: one no in time proves that words pass', () => {
    const membership = member()
    for (let period = 0; period < 20; period++) missedProbe(membership, period * PROBE_EVERY_MS, 1)
    assert.equal(membership.healthMultiplier, 1)
  })

  it('trusts itself again as words pass again, even if they only say no', () => {
    const membership = member()
    missedProbe(membership, 0, 0)
    for (let period = 1; period <= 3; period++) missedProbe(membership, period * 10_000, 1)
    assert.equal(membership.healthMultiplier, 1)
  })
})

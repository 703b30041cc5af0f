import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { Membership, PING_TIMEOUT_MS, PROBE_EVERY_MS } from '../../../src/network/membership/membership.ts'
import type { Effect } from '../../../src/network/protocol.ts'
import type { MembershipMessage } from '../../../src/network/wire.ts'

const idOf = (index: number) => index.toString(16).padStart(64, '0') as NodeId
const SELF = idOf(1)
const OTHERS = [2, 3, 4, 5, 6].map(idOf)

type Effects = readonly Effect<MembershipMessage>[]
const sent = <T extends MembershipMessage['type']>(effects: Effects, type: T) =>
  effects.flatMap((effect) => (effect.do === 'send' && effect.message.type === type ? [effect] : []))
const timer = (effects: Effects, name: string) => {
  const wake = effects.find((effect) => effect.do === 'wake' && effect.timer.startsWith(name))
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
  })
  for (const id of OTHERS) membership.remember({ id, role: 'index', address, state: 'alive', incarnation: 1 }, 0)
  return membership
}

/** One period in which the member that was pinged says nothing, and so many helpers say that it does not. */
function missedProbe(membership: Membership, now: number, nacks: number): void {
  const ticked = membership.wake('probe', now)
  const watched = membership.wake(timer(ticked, 'unanswered').timer, now + 200)
  const late = membership.wake(timer(watched, 'late').timer, now + PING_TIMEOUT_MS)
  const asked = sent(late, 'ping-request')
  assert.equal(asked.length, 3)
  for (const { to, message } of asked.slice(0, nacks)) {
    membership.receive(to, { type: 'nack', seq: message.type === 'ping-request' ? message.seq : 0 }, now + 900)
  }
  membership.wake(timer(watched, 'missed').timer, now + 980)
}

describe('membership', () => {
  it('doubts itself when nobody says anything: neither who was pinged nor any helper', () => {
    const membership = member()
    missedProbe(membership, 0, 0)
    assert.equal(membership.healthMultiplier, 4)
    assert.equal(timer(membership.wake('probe', 4_000), 'probe').afterMs, 4 * PROBE_EVERY_MS)
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

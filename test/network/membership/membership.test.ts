import assert from 'node:assert/strict'
import type { Event, NodeId } from '../../../src/events/index.ts'
import type { MemberEvent, MemberEventKind } from '../../../src/network/membership/member-table.ts'
import { Membership, type MembershipOptions } from '../../../src/network/membership/membership.ts'
import type { MembershipEffect, MembershipTimer } from '../../../src/network/membership/membership-protocol.ts'
import { PING_TIMEOUT_MS, PROBE_EVERY_MS } from '../../../src/network/membership/prober.ts'
import type { AppendFailure } from '../../../src/network/protocol.ts'
import type { MembershipMessage } from '../../../src/network/wire.ts'
import { ADDRESS, DrivenMembership, id, SELF } from './driven-membership.ts'

const idOf = (index: number) => index.toString(16).padStart(64, '0') as NodeId
const US = idOf(1)
const OTHERS = [2, 3, 4, 5, 6].map(idOf)
const MANY = Array.from({ length: 12 }, (_, index) => idOf(20 + index))
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
    self: US,
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

describe('membership at its door', () => {
  const [PEER, OTHER, THIRD] = [id('a'), id('b'), id('c')]
  const LINKED_PROBE_MS = 10_000
  const ROLL_UP_MS = 300_000
  const word = (kind: MemberEventKind, subject = PEER, incarnation = 1): MemberEvent => ({
    ...{ kind, subject, incarnation, role: 'index', ...ADDRESS },
  })
  let lamport: number
  beforeEach(() => {
    lamport = 100
  })
  const stored = (driven: DrivenMembership, author: NodeId, event: MemberEvent) =>
    driven.membership.handle({ type: 'stored', author, event, lamport: ++lamport }, driven.now)
  const pingsTo = (effects: Effects) => sent(effects, 'ping').map(({ to }) => to)
  const ids = (driven: DrivenMembership) => [...driven.membership.members(driven.now)].map((one) => one.id).sort()

  it('begins with its announcement, and timers for its turn and for the roll-up of beats', () => {
    const options: MembershipOptions = {
      ...{ self: SELF, role: 'index', incarnation: 4, address: () => ADDRESS, isLinked: () => true, random: () => 0.25 },
      ...{ heardAt: () => undefined, isAdmitted: () => true },
    }
    assert.deepEqual(new Membership(options).handle({ type: 'start' }, 0), [
      { do: 'append', event: word('member.alive', SELF, 4) },
      { do: 'wake', afterMs: 0.25 * PROBE_EVERY_MS, timer: { name: 'probe' } },
      { do: 'wake', afterMs: ROLL_UP_MS, timer: { name: 'roll-up' } },
    ])
    assert.deepEqual(new Membership({ ...options, role: 'client' }).handle({ type: 'start' }, 0), [
      { do: 'wake', afterMs: 0.25 * LINKED_PROBE_MS, timer: { name: 'links-probe' } },
    ])
  })

  it('has nobody in its table whom the network does not admit as that, whoever speaks of it, nor itself', () => {
    const driven = new DrivenMembership([], { isAdmitted: (node, role) => node !== PEER && role === 'index' })
    for (const author of [PEER, OTHER]) assert.deepEqual(stored(driven, author, word('member.alive')), [])
    assert.deepEqual(stored(driven, OTHER, { ...word('member.alive', OTHER), role: 'bootstrap' }), [])
    const member = { role: 'index', address: ADDRESS, state: 'alive', incarnation: 9 } as const
    for (const one of [SELF, PEER]) driven.remember({ ...member, id: one })
    assert.deepEqual([ids(driven), driven.membership.incarnation], [[], 1])
    driven.remember({ ...member, id: OTHER })
    stored(driven, THIRD, word('member.alive', THIRD))
    assert.deepEqual(ids(driven), [OTHER, THIRD])
  })

  it('answers every ping, and a member also about itself', () => {
    const driven = new DrivenMembership([OTHER])
    const ping = (belief: 'alive' | 'dead', incarnation: number) =>
      driven.membership.handle({ type: 'message', from: PEER, message: { type: 'ping', seq: 6, belief, incarnation } }, 0)
    const pong = { do: 'send', to: PEER, message: { type: 'pong', seq: 6 } }
    assert.deepEqual(ping('alive', 1), [pong])
    assert.deepEqual(ping('dead', 1), [pong, { do: 'append', event: word('member.refuted', SELF, 2) }])
    assert.equal(driven.membership.healthMultiplier, 2, 'there may have been reason')
    const client = new DrivenMembership([], { role: 'client' })
    client.pinged('dead', 1)
    assert.deepEqual([client.sent.length, client.attempts], [1, []])
  })

  it('refutes what is signed against it, and hears nothing else about itself from others', () => {
    for (const [kind, refuted] of [
      ['member.suspect', 1],
      ['member.dead', 1],
      ['member.alive', 0],
      ['member.left', 0],
      ['member.refuted', 0],
    ] as const) {
      const effects = stored(new DrivenMembership([]), PEER, word(kind, SELF))
      assert.equal(effects.length, refuted, kind)
      assert.deepEqual(stored(new DrivenMembership([], { role: 'client' }), PEER, word(kind, SELF)), [])
    }
  })

  it('does not say again what a later word of its own has replaced, nor what the log refuses', () => {
    const { membership } = new DrivenMembership([])
    membership.handle({ type: 'stored', author: PEER, event: word('member.dead', SELF), lamport: 9 }, 0)
    const failed = (event: Event, why: AppendFailure) => membership.handle({ type: 'append-failed', event, why }, 0)
    assert.deepEqual(failed(word('member.alive', SELF), 'unwritable'), [])
    assert.deepEqual(failed(word('member.refuted', SELF, 2), 'refused'), [])
    assert.deepEqual(failed({ kind: 'node.stopped', reason: 'x' }, 'unwritable'), [])
    const wake = { do: 'wake', afterMs: 1_000, timer: { name: 'say-again' } }
    assert.deepEqual(failed(word('member.refuted', SELF, 2), 'unwritable'), [wake])
    assert.deepEqual(failed(word('member.suspect', PEER), 'unwritable'), [], 'the same timer is for all')
  })

  it('pings who is believed gone and is linked again, to tell it, and nobody else', () => {
    const driven = new DrivenMembership([OTHER])
    driven.remember({ id: PEER, role: 'index', address: ADDRESS, state: 'dead', incarnation: 1 })
    const up = (peer: NodeId) => driven.membership.handle({ type: 'link-up', peer }, 0)
    assert.deepEqual([pingsTo(up(PEER)), up(OTHER), up(THIRD)], [[PEER], [], []])
  })

  it('looks next at a member whose link broke, if it is believed alive and that says something', () => {
    for (const [isHint, state, isNext] of [
      [true, 'alive', true],
      [false, 'alive', false],
      [true, 'suspect', false],
    ] as const) {
      const driven = new DrivenMembership([], { random: () => 0.999 })
      // With this draw the last of the table is the first of the round.
      for (const one of MANY.toSpliced(-1, 0, PEER))
        driven.remember({ id: one, role: 'index', address: ADDRESS, state: one === PEER ? state : 'alive', incarnation: 1 })
      for (const peer of [idOf(99), PEER]) driven.feed({ type: 'link-down', peer, isHint })
      assert.deepEqual(pingsTo(driven.membership.handle(PROBE, 0)), [isNext ? PEER : MANY.at(-1)], `${isHint} ${state}`)
    }
  })

  it('looks at who is accused, if it is linked or answered within ten seconds, once for each change', () => {
    const accusedAfter = (answeredMsAgo: number | undefined, isLinked: boolean) => {
      const driven = new DrivenMembership([PEER, OTHER, THIRD], { isLinked: () => isLinked })
      if (answeredMsAgo !== undefined) driven.feed({ type: 'message', from: PEER, message: { type: 'pong', seq: 4_000 } })
      driven.now += answeredMsAgo ?? 0
      const effects = [stored(driven, OTHER, word('member.suspect')), stored(driven, OTHER, word('member.suspect'))]
      return effects.map((each) => pingsTo(each).length)
    }
    assert.deepEqual(accusedAfter(undefined, true), [1, 0])
    assert.deepEqual(accusedAfter(undefined, false), [0, 0])
    assert.deepEqual(accusedAfter(10_000, false), [1, 0])
    assert.deepEqual(accusedAfter(10_001, false), [0, 0])
  })

  it('tells that a member is gone: when it has left, or when its death is believed here', () => {
    const driven = new DrivenMembership([PEER, OTHER, THIRD])
    const gone = (effects: Effects) => effects.flatMap((effect) => (effect.do === 'member-gone' ? [effect.member] : []))
    assert.deepEqual(gone(stored(driven, OTHER, word('member.left', OTHER))), [OTHER])
    stored(driven, THIRD, word('member.dead'))
    assert.deepEqual(gone(stored(driven, SELF, word('member.dead'))), [PEER], 'also by our own word')
    assert.deepEqual(driven.membership.member(PEER, driven.now)?.state, 'dead')
  })

  it('ends a suspicion that is refuted: its time is over in vain', () => {
    const driven = new DrivenMembership([PEER, OTHER])
    stored(driven, OTHER, word('member.suspect'))
    stored(driven, PEER, word('member.refuted', PEER, 2))
    const timer = { name: 'suspect', of: PEER } as const
    assert.deepEqual(driven.membership.handle({ type: 'timer', timer }, 60_000), [])
  })

  it('begins a suspicion anew of who was held dead in between', () => {
    const driven = new DrivenMembership([PEER, OTHER, THIRD, id('d'), id('e')])
    const lastsMs = (effects: Effects) => effects.flatMap((effect) => (effect.do === 'wake' ? [effect.afterMs] : []))
    const [first] = lastsMs(stored(driven, OTHER, word('member.suspect')))
    stored(driven, THIRD, word('member.dead'))
    assert.equal(driven.membership.member(PEER, 90_000)?.state, 'dead')
    // It takes that back: the other's word alone makes a suspicion.
    stored(driven, THIRD, word('member.alive'))
    driven.now += 1_000
    const [again] = lastsMs(stored(driven, id('d'), word('member.suspect')))
    assert.equal(again, first)
  })

  it('remembers from before its start who was suspected, and goes on with that', () => {
    const driven = new DrivenMembership([OTHER, THIRD])
    const member = { id: PEER, role: 'index', address: ADDRESS, state: 'suspect', incarnation: 3 } as const
    const [wake, ...more] = driven.membership.handle({ type: 'remember', member }, 0)
    assert.ok(wake?.do === 'wake' && wake.timer.name === 'suspect' && wake.timer.of === PEER)
    const { state, incarnation, address } = driven.membership.member(PEER, 0) ?? {}
    assert.deepEqual([more, state, incarnation, address], [[], 'suspect', 3, ADDRESS])
    stored(driven, PEER, word('member.refuted', PEER, 4))
    assert.equal(driven.membership.member(PEER, 0)?.state, 'alive')
  })

  it('says goodbye once, with the beats so far, and is silent then', () => {
    const driven = new DrivenMembership([PEER])
    driven.until(PROBE_EVERY_MS / 2)
    const ping = driven.sent.find(({ message }) => message.type === 'ping')
    assert.ok(ping?.message.type === 'ping')
    driven.feed({ type: 'message', from: PEER, message: { type: 'pong', seq: ping.message.seq } })
    driven.feed({ type: 'leave' })
    driven.feed({ type: 'leave' })
    assert.deepEqual(
      driven.attempts.slice(1).map(({ event }) => event.kind),
      ['heartbeat.rolled-up', 'member.left'],
    )
    assert.deepEqual(driven.membership.handle({ type: 'timer', timer: { name: 'probe' } }, 9_000), [])
    assert.deepEqual(stored(driven, OTHER, word('member.dead', SELF)), [])
    const client = new DrivenMembership([PEER], { role: 'client' })
    client.feed({ type: 'leave' })
    assert.deepEqual(client.attempts, [], 'a client comes and goes')
  })

  it('knows how long a peer took to answer, and who is seen alive against the word of others', () => {
    const driven = new DrivenMembership([PEER, OTHER, THIRD], { heardAt: (peer) => (peer === PEER ? 0 : undefined) })
    assert.deepEqual([driven.membership.roundTripMs(PEER), driven.membership.roundTripMs(THIRD)], [undefined, undefined])
    driven.until(PROBE_EVERY_MS / 2)
    const [ping] = driven.sent
    assert.ok(ping?.message.type === 'ping')
    driven.now += 12
    driven.feed({ type: 'message', from: ping.to, message: { type: 'pong', seq: ping.message.seq } })
    assert.equal(driven.membership.roundTripMs(ping.to), 12)
    for (const by of [OTHER, THIRD]) stored(driven, by, word('member.dead'))
    const isSeen = (one: NodeId) => driven.membership.isSeenAlive(one, driven.now)
    assert.deepEqual([isSeen(PEER), isSeen(id('9'))], [true, false])
    const unseen = new DrivenMembership([PEER])
    assert.equal(unseen.membership.isSeenAlive(PEER, 0), false, 'it is believed, and was not heard')
  })
})

import assert from 'node:assert/strict'
import type { MemberEvent, MemberEventKind } from '../../../src/network/membership/member-table.ts'
import { ADDRESS, DrivenMembership, id, SELF } from './driven-membership.ts'

const OTHERS = [...'123456'].map(id)

const word = (kind: MemberEventKind, incarnation: number, subject = SELF): MemberEvent => ({
  ...{ kind, subject, incarnation, role: 'index', ...ADDRESS },
})

/** Intervals between attempts that fail, ms. */
const WAITS = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]

describe('a word about a member that the log does not take', () => {
  it('is no refutation: the incarnation is the stored one, and the word is said again until it is stored', () => {
    const driven = new DrivenMembership([])
    driven.failure = 'unwritable'
    driven.pinged('dead', 1)
    assert.equal(driven.membership.incarnation, 1)
    const attempts = [0]
    for (const wait of WAITS) attempts.push((attempts.at(-1) ?? 0) + wait)
    for (let at = 0; at < (attempts.at(-1) ?? 0); at += 500) {
      driven.until(at)
      driven.pinged('dead', 1)
    }
    driven.until(attempts.at(-1) ?? 0)
    assert.deepEqual(driven.timesOf('member.refuted'), attempts, 'not for each ping, and ever more seldom')
    driven.failure = undefined
    driven.until(driven.now + 60_000)
    assert.deepEqual(driven.storedOf('member.refuted'), [word('member.refuted', 2)])
    assert.equal(driven.membership.incarnation, 2)
    driven.until(driven.now + 300_000)
    assert.equal(driven.timesOf('member.refuted').length, attempts.length + 1, 'and then no more')
    driven.pinged('dead', 2)
    assert.equal(driven.membership.incarnation, 3)
  })

  it('waits from the start again once the log has taken one', () => {
    const driven = new DrivenMembership([])
    for (const incarnation of [1, 2]) {
      driven.failure = 'unwritable'
      driven.pinged('suspect', incarnation)
      driven.until(driven.now + 3_500)
      driven.failure = undefined
      driven.until(driven.now + 10_000)
    }
    assert.deepEqual(driven.timesOf('member.refuted'), [0, 1_000, 3_000, 7_000, 13_500, 14_500, 16_500, 20_500])
  })

  it('is said at once when the log has taken an event of somebody', () => {
    const driven = new DrivenMembership(OTHERS)
    driven.failure = 'unwritable'
    driven.pinged('dead', 1)
    driven.until(40_000)
    driven.failure = undefined
    const before = driven.storedOf('member.refuted').length
    driven.feed({ type: 'stored', author: id('2'), event: word('member.alive', 2, id('2')), lamport: 9 })
    assert.deepEqual([before, driven.storedOf('member.refuted').length], [0, 1])
  })

  it('is not said any more when a later word of ours is there, which an earlier run said', () => {
    const driven = new DrivenMembership([])
    driven.failure = 'unwritable'
    driven.pinged('suspect', 1)
    driven.feed({ type: 'stored', author: SELF, event: word('member.alive', 5), lamport: 9 })
    driven.failure = undefined
    driven.until(10_000)
    assert.deepEqual(driven.storedOf('member.refuted'), [])
    assert.deepEqual(driven.storedOf('member.alive').slice(1), [word('member.alive', 6)])
    assert.equal(driven.membership.incarnation, 6)
  })

  it('is said again if it is that we are here at all', () => {
    const driven = new DrivenMembership([], { incarnation: 7 }, 'unwritable')
    driven.until(3_500)
    driven.failure = undefined
    driven.until(100_000)
    assert.deepEqual(driven.timesOf('member.alive'), [0, 1_000, 3_000, 7_000])
    assert.deepEqual(driven.storedOf('member.alive'), [word('member.alive', 7)])
  })

  it('is not said again when it failed while a later one is under way', () => {
    const driven = new DrivenMembership([])
    const { membership } = driven
    assert.deepEqual(membership.handle({ type: 'stored', author: id('1'), event: word('member.dead', 1), lamport: 9 }, 0), [
      { do: 'append', event: word('member.refuted', 2) },
    ])
    assert.deepEqual(membership.handle({ type: 'append-failed', event: word('member.alive', 1), why: 'unwritable' }, 0), [])
    const failed = membership.handle({ type: 'append-failed', event: word('member.refuted', 2), why: 'unwritable' }, 0)
    assert.deepEqual(failed, [{ do: 'wake', afterMs: 1_000, timer: { name: 'say-again' } }])
  })

  it('is dropped when the log refuses it for good: others hear of it no more often for being pinged', () => {
    const driven = new DrivenMembership([])
    driven.failure = 'refused'
    for (let at = 0; at < 100_000; at += 1_000) {
      driven.until(at)
      driven.pinged('dead', 1)
    }
    assert.equal(driven.timesOf('member.refuted').length, 1)
  })

  it('is dropped when the node has left', () => {
    const driven = new DrivenMembership([])
    driven.failure = 'unwritable'
    driven.pinged('dead', 1)
    driven.feed({ type: 'leave' })
    driven.until(200_000)
    assert.deepEqual(driven.timesOf('member.refuted'), [0])
    assert.deepEqual(driven.timesOf('member.left'), [0])
  })

  it('says goodbye above a refutation that may still be stored', () => {
    const driven = new DrivenMembership([])
    driven.failure = 'unwritable'
    driven.pinged('dead', 1)
    driven.failure = undefined
    driven.feed({ type: 'leave' })
    assert.deepEqual(driven.storedOf('member.left'), [word('member.left', 2)])
  })

  it('accuses a member that answers nobody once the log can be written, first suspect and then dead', () => {
    const driven = new DrivenMembership([id('1')])
    driven.failure = 'unwritable'
    driven.until(20_000)
    const attempts = driven.timesOf('member.suspect')
    assert.ok(attempts.length >= 4 && attempts.length <= 6, `${attempts.length} attempts in 20 s`)
    driven.failure = undefined
    driven.until(60_000)
    assert.deepEqual(driven.storedOf('member.suspect'), [word('member.suspect', 1, id('1'))])
    assert.deepEqual(driven.storedOf('member.dead'), [word('member.dead', 1, id('1'))])
  })

  it('declares a death when it can, that it could not declare when the time was over', () => {
    const driven = new DrivenMembership([id('1')])
    while (driven.storedOf('member.suspect').length === 0) driven.until(driven.now + 100)
    driven.failure = 'unwritable'
    driven.until(driven.now + 30_000)
    const attempts = driven.timesOf('member.dead').length
    assert.ok(attempts >= 4 && attempts <= 6, `${attempts} attempts`)
    driven.failure = undefined
    driven.until(driven.now + 60_000)
    assert.deepEqual(driven.storedOf('member.dead'), [word('member.dead', 1, id('1'))])
  })

  it('does not accuse a member that has answered meanwhile', () => {
    const driven = new DrivenMembership([id('1')])
    driven.failure = 'unwritable'
    while (driven.timesOf('member.suspect').length === 0) driven.until(driven.now + 100)
    const answering = () => {
      const ping = driven.sent.at(-1)?.message
      assert.ok(ping?.type === 'ping')
      driven.feed({ type: 'message', from: id('1'), message: { type: 'pong', seq: ping.seq } })
    }
    driven.sent.length = 0
    while (driven.sent.length === 0) driven.until(driven.now + 10)
    answering()
    driven.failure = undefined
    for (const until = driven.now + 70_000; driven.now < until; ) {
      driven.sent.length = 0
      driven.until(driven.now + 100)
      if (driven.sent.some(({ message }) => message.type === 'ping')) answering()
    }
    assert.deepEqual(driven.storedOf('member.suspect'), [])
  })
})

describe('beats of which the log did not take the roll-up', () => {
  it('are told by the next one, each once', () => {
    const driven = new DrivenMembership([id('1')])
    driven.failure = 'unwritable'
    driven.until(300_000)
    const [first] = driven.attempts.flatMap(({ event }) => (event.kind === 'heartbeat.rolled-up' ? [event] : []))
    assert.ok(first !== undefined && first.beatsMissed > 0)
    driven.failure = undefined
    driven.until(600_000)
    const [told] = driven.storedOf('heartbeat.rolled-up')
    assert.ok(told !== undefined && told.beatsMissed > first.beatsMissed)
    assert.equal(told.firstAt, first.firstAt)
    driven.until(900_000)
    assert.deepEqual(driven.storedOf('heartbeat.rolled-up').slice(1), [], 'it is dead by now, and not probed')
  })
})

describe('a dial that this node did not make', () => {
  const probedWith = (why: 'not-dialled' | 'unreachable', seconds: number): DrivenMembership => {
    const driven = new DrivenMembership([id('1')], { isLinked: () => false })
    for (let at = 100; at <= seconds * 1_000; at += 100) {
      driven.until(at)
      for (const { to, message } of driven.sent.splice(0)) driven.feed({ type: 'send-failed', to, message, why })
    }
    return driven
  }

  it('is no evidence against the member, nor a reason for doubt', () => {
    const driven = probedWith('not-dialled', 30)
    assert.deepEqual(
      driven.attempts.map(({ event }) => event.kind),
      ['member.alive'],
    )
    assert.equal(driven.membership.healthMultiplier, 1)
  })

  it('is told from one that was made in vain', () => {
    assert.ok(probedWith('unreachable', 30).storedOf('member.dead').length === 1)
  })

  it('to a helper makes it no silent one', () => {
    const driven = new DrivenMembership(OTHERS, { isLinked: (peer) => peer === id('1') })
    for (let at = 100; at <= 1_500; at += 100) {
      driven.until(at)
      for (const { to, message } of driven.sent.splice(0))
        if (message.type === 'ping-request') driven.feed({ type: 'send-failed', to, message, why: 'not-dialled' })
    }
    // One miss, and no helper that was asked: 3 would count if they were silent.
    assert.equal(driven.membership.healthMultiplier, 2)
  })

  it('for somebody else is no answer to it', () => {
    const driven = new DrivenMembership(OTHERS, { isLinked: () => false })
    const request = { type: 'ping-request', seq: 9, target: id('2'), belief: 'alive', incarnation: 1 } as const
    driven.feed({ type: 'message', from: id('1'), message: request })
    const [ping] = driven.sent.splice(0)
    assert.ok(ping?.message.type === 'ping' && ping.to === id('2'))
    driven.feed({ type: 'send-failed', to: ping.to, message: ping.message, why: 'not-dialled' })
    driven.until(450)
    assert.deepEqual(driven.sent, [])
  })
})

import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import type { MemberEvent, MemberEventKind } from '../../../src/network/membership/member-table.ts'
import { BELIEVED_AFTER_MS, SEEN_MS } from '../../../src/network/membership/own-eyes.ts'
import { ADDRESS, DrivenMembership, id, SELF } from './driven-membership.ts'

const [VICTIM, LIAR, OTHER] = [id('a'), id('b'), id('c')]
const MEMBERS = [VICTIM, LIAR, OTHER]

const word = (kind: MemberEventKind, subject: NodeId, incarnation = 1): MemberEvent => ({
  ...{ kind, subject, incarnation, role: 'index' },
  ...ADDRESS,
})

describe("a node's own eyes", () => {
  const says = (driven: DrivenMembership, author: NodeId, event: MemberEvent) =>
    driven.feed({ type: 'stored', author, event, lamport: ++driven.lamport })
  const accused = (driven: DrivenMembership, ...accusers: NodeId[]) => {
    for (const by of accusers)
      for (const kind of ['member.suspect', 'member.dead'] as const) says(driven, by, word(kind, VICTIM))
  }
  const stateOf = (driven: DrivenMembership) => driven.membership.member(VICTIM, driven.now)?.state
  /** Somewhere in the life of the node, nobody answers its probes. */
  const drivenOf = (heardAt: (peer: NodeId) => number | undefined = () => undefined, isLinked = true) => {
    const driven = new DrivenMembership(MEMBERS, { role: 'client', heardAt, isLinked: () => isLinked })
    driven.now = 100_000
    return driven
  }

  it('are stronger than any accusations for ten seconds after a message on its link', () => {
    const driven = drivenOf((peer) => (peer === VICTIM ? 99_000 : undefined))
    accused(driven, LIAR, OTHER)
    driven.now = 99_000 + SEEN_MS - 1
    assert.equal(stateOf(driven), 'alive')
    assert.equal(driven.membership.isSeenAlive(VICTIM, driven.now), true)
    assert.equal([...driven.membership.members(driven.now)].find((one) => one.id === VICTIM)?.state, 'alive')
    driven.now++
    assert.equal(stateOf(driven), 'dead')
    assert.equal(driven.membership.isSeenAlive(VICTIM, driven.now), false)
  })

  it('look at who is accused, at once and once for each word that changes something', () => {
    const driven = drivenOf()
    const pings = () => driven.sent.filter(({ to, message }) => to === VICTIM && message.type === 'ping').length
    accused(driven, LIAR, LIAR, LIAR)
    assert.equal(pings(), 1, 'a death by the word of one is a suspicion, and stays one')
    accused(driven, OTHER)
    assert.equal(pings(), 2)
    const far = drivenOf(() => undefined, false)
    accused(far, LIAR)
    assert.equal(far.sent.length, 0, 'nobody is dialled for it')
  })

  it('see the answer', () => {
    const driven = drivenOf()
    accused(driven, LIAR, OTHER)
    driven.now += BELIEVED_AFTER_MS
    assert.equal(stateOf(driven), 'dead')
    const ping = driven.sent.find(({ to }) => to === VICTIM)?.message
    assert.ok(ping?.type === 'ping')
    driven.feed({ type: 'message', from: VICTIM, message: { type: 'pong', seq: ping.seq } })
    assert.equal(stateOf(driven), 'alive')
  })

  it('leave a refutation two seconds, where they have seen nothing', () => {
    const driven = drivenOf(() => undefined, false)
    for (let incarnation = 1; incarnation < 50; incarnation++) {
      for (const by of [LIAR, OTHER]) says(driven, by, word('member.dead', VICTIM, incarnation))
      driven.now += BELIEVED_AFTER_MS - 1
      assert.equal(stateOf(driven), 'alive')
      says(driven, VICTIM, word('member.refuted', VICTIM, incarnation + 1))
    }
    accused(driven, LIAR)
    for (const by of [LIAR, OTHER]) says(driven, by, word('member.dead', VICTIM, 50))
    driven.now += BELIEVED_AFTER_MS
    assert.equal(stateOf(driven), 'dead')
  })

  it('close with our own probes that fail, and open with the next word of the member', () => {
    let heardAt = 0
    const driven = new DrivenMembership(MEMBERS, { heardAt: (peer) => (peer === VICTIM ? heardAt : undefined) })
    driven.until(1)
    heardAt = 1
    // The others answer, it does not.
    for (let at = 500; at < 9_000; at += 100) {
      driven.until(at)
      for (const { to, message } of driven.sent.splice(0))
        if (to !== VICTIM && message.type === 'ping')
          driven.feed({ type: 'message', from: to, message: { type: 'pong', seq: message.seq } })
    }
    assert.equal(driven.storedOf('member.suspect')[0]?.subject, VICTIM)
    assert.equal(stateOf(driven), 'suspect', 'by our own word, which needs no time')
    heardAt = 9_000
    assert.equal(stateOf(driven), 'alive')
  })

  it('keep the tree from a root that is only said to be gone, until it is', () => {
    const driven = drivenOf(() => 99_000)
    const gone = (effects: readonly { do: string }[]) => effects.filter((effect) => effect.do === 'member-gone').length
    const event = word('member.dead', VICTIM)
    const handle = (by: NodeId) =>
      driven.membership.handle({ type: 'stored', author: by, event, lamport: ++driven.lamport }, driven.now)
    assert.equal(gone([...handle(LIAR), ...handle(OTHER)]), 0)
    const look = () => driven.membership.handle({ type: 'timer', timer: { name: 'links-probe' } }, driven.now)
    assert.equal(gone(look()), 0)
    driven.now = 99_000 + SEEN_MS
    assert.equal(gone(look()), 1)
    assert.equal(gone(look()), 0)
  })
})

describe('a member that the network does not admit', () => {
  it('is in no table and is pinged by nobody, whoever speaks of it', () => {
    const fake = id('f')
    const driven = new DrivenMembership(MEMBERS, { isAdmitted: (node) => node !== fake })
    for (const author of [LIAR, fake, SELF])
      driven.feed({ type: 'stored', author, event: word('member.alive', fake), lamport: 1 })
    driven.remember({ id: fake, role: 'index', address: ADDRESS, state: 'alive', incarnation: 1 })
    driven.until(30_000)
    assert.equal(driven.membership.member(fake, driven.now), undefined)
    assert.equal(driven.sent.filter(({ to }) => to === fake).length, 0)
  })

  it('is dialled by key, not where somebody else says, while it has not spoken itself', () => {
    const driven = new DrivenMembership([])
    driven.feed({ type: 'stored', author: LIAR, event: word('member.alive', VICTIM), lamport: 1 })
    driven.until(5_000)
    const dialled = driven.sent.filter(({ to }) => to === VICTIM).map(({ dial }) => dial)
    assert.ok(dialled.includes('by-key'))
    assert.ok(dialled.every((dial) => dial === 'by-key' || dial === undefined))
  })
})

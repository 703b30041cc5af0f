import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { Answers } from '../../../src/network/membership/answers.ts'
import { type MemberEvent, type MemberEventKind, MemberTable } from '../../../src/network/membership/member-table.ts'
import { BELIEVED_AFTER_MS, OwnEyes, SEEN_MS } from '../../../src/network/membership/own-eyes.ts'
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

describe('own eyes by themselves', () => {
  const FAR = -1_000_000
  let table: MemberTable
  let answers: Answers
  let eyes: OwnEyes
  let heardAt: number | undefined
  let lamport: number
  beforeEach(() => {
    table = new MemberTable(10)
    answers = new Answers()
    heardAt = undefined
    lamport = 0
    eyes = new OwnEyes({ table, answers, heardAt: (peer) => (peer === VICTIM ? heardAt : undefined) })
    says(VICTIM, 'member.alive')
    says(OTHER, 'member.alive', OTHER)
  })
  const says = (by: NodeId, kind: MemberEventKind, subject = VICTIM, incarnation = 1) =>
    table.fold(by, word(kind, subject, incarnation), ++lamport)
  const member = (id = VICTIM) => table.get(id) ?? assert.fail('it is not in the table')
  const accused = (kind: 'member.suspect' | 'member.dead', isOurs: boolean, now: number) => {
    for (const by of [LIAR, id('d')]) says(by, kind)
    eyes.changed(member(), isOurs, now)
  }
  const stateAt = (now: number) => eyes.view(member(), now).state

  it('believe a word of our own at once, and one of others after two seconds from the first', () => {
    accused('member.suspect', true, 0)
    assert.equal(stateAt(0), 'suspect')
    says(VICTIM, 'member.refuted', VICTIM, 2)
    eyes.changed(member(), false, 10)
    assert.equal(stateAt(10), 'alive')
    for (const by of [LIAR, id('d')]) says(by, 'member.suspect', VICTIM, 2)
    eyes.changed(member(), false, 20)
    assert.equal(stateAt(20 + BELIEVED_AFTER_MS - 1), 'alive', 'a new accusation has a time of its own')
    for (const by of [LIAR, id('d')]) says(by, 'member.dead', VICTIM, 2)
    eyes.changed(member(), false, 1_000)
    assert.deepEqual([stateAt(20 + BELIEVED_AFTER_MS - 1), stateAt(20 + BELIEVED_AFTER_MS)], ['alive', 'dead'])
    eyes.changed(member(), true, 1_000)
    assert.equal(stateAt(1_000), 'dead', 'and our own needs none')
  })

  it('leave the table as it is, and who is alive or has left', () => {
    accused('member.dead', false, 0)
    assert.deepEqual([stateAt(0), member().state], ['alive', 'dead'])
    assert.equal(eyes.view(member(OTHER), 0), member(OTHER))
    says(VICTIM, 'member.left')
    heardAt = 0
    assert.equal(stateAt(0), 'left', 'it has said so itself')
  })

  it('see what was heard or answered of late, and not failed since: at the same time is not since', () => {
    assert.equal(eyes.sees(VICTIM, 0), false)
    heardAt = 1_000
    assert.deepEqual([eyes.sees(VICTIM, 1_000 + SEEN_MS - 1), eyes.sees(VICTIM, 1_000 + SEEN_MS)], [true, false])
    answers.add(VICTIM, 1_500, undefined)
    assert.equal(eyes.sees(VICTIM, 1_500 + SEEN_MS - 1), true)
    eyes.missed(VICTIM, 1_499)
    assert.equal(eyes.sees(VICTIM, 1_600), true)
    eyes.missed(VICTIM, 1_500)
    assert.equal(eyes.sees(VICTIM, 1_600), false)
    heardAt = 1_501
    assert.equal(eyes.sees(VICTIM, 1_600), true)
  })

  it('remember no failed probe of who is in no table', () => {
    eyes.missed(id('e'), 2_000)
    answers.add(id('e'), 1_000, undefined)
    assert.equal(eyes.sees(id('e'), 2_000), true)
  })

  it('tell a death that was not believed once it is, and once', () => {
    heardAt = 0
    accused('member.dead', false, FAR)
    assert.equal(eyes.isGone(member(), 0), false)
    assert.deepEqual(eyes.believed(SEEN_MS - 1), [])
    assert.deepEqual([eyes.believed(SEEN_MS), eyes.believed(SEEN_MS)], [[member()], []])
    assert.equal(eyes.isGone(member(), SEEN_MS), true)
    assert.deepEqual(eyes.believed(SEEN_MS), [], 'what was believed at once is told by whoever asked')
  })

  it('tell no death that was refuted, or of which the table has forgotten the member, before it was believed', () => {
    heardAt = 0
    accused('member.dead', false, FAR)
    eyes.isGone(member(), 0)
    says(VICTIM, 'member.refuted', VICTIM, 2)
    // Of this the table tells nobody: it is only looked at.
    assert.deepEqual(eyes.believed(0), [])
    for (const by of [LIAR, id('d')]) says(by, 'member.dead', VICTIM, 2)
    assert.deepEqual(eyes.believed(SEEN_MS), [], 'that was forgotten with the refutation')
    eyes.isGone(member(), 0)
    says(VICTIM, 'member.refuted', VICTIM, 3)
    eyes.changed(member(), false, 0)
    for (const by of [LIAR, id('d')]) says(by, 'member.dead', VICTIM, 3)
    assert.deepEqual(eyes.believed(SEEN_MS), [])
    eyes.isGone(member(), 0)
    forgets(VICTIM)
    assert.deepEqual(eyes.believed(SEEN_MS), [])
  })

  /** The table is full, and a newcomer takes the place of who is dead. */
  const forgets = (gone: NodeId) => {
    for (let digit = 0; table.get(gone) !== undefined; digit++) {
      const newcomer = digit.toString().padStart(64, '9') as NodeId
      assert.ok(digit < 20)
      says(newcomer, 'member.alive', newcomer)
    }
  }

  it('forget what the table forgets, and nothing else', () => {
    heardAt = 0
    accused('member.dead', false, 0)
    eyes.missed(VICTIM, 100)
    eyes.isGone(member(), 0)
    eyes.forgetUnknown()
    answers.add(VICTIM, 50, undefined)
    assert.deepEqual([stateAt(BELIEVED_AFTER_MS - 1), eyes.sees(VICTIM, 100)], ['alive', false], 'it is known still')
    const before = member()
    forgets(VICTIM)
    eyes.forgetUnknown()
    assert.equal(eyes.sees(VICTIM, 100), true, 'the failed probe')
    answers.add(VICTIM, FAR, undefined)
    heardAt = undefined
    assert.equal(eyes.view(before, 0).state, 'dead', 'the time of the accusation')
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

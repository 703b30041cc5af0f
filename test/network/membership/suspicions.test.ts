import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { type MemberEvent, type MemberEventKind, MemberTable } from '../../../src/network/membership/member-table.ts'
import type { MembershipEffect } from '../../../src/network/membership/membership-protocol.ts'
import { ProbeList } from '../../../src/network/membership/probe-list.ts'
import { CONFIRMATIONS_EXPECTED, suspicionMs } from '../../../src/network/membership/suspicion.ts'
import { Suspicions } from '../../../src/network/membership/suspicions.ts'
import { ADDRESS, id, SELF } from './driven-membership.ts'

const VICTIM = id('a')
const ACCUSERS = [...'bcdef'].map(id)
/** Victim, accusers, three who say nothing; and ourselves. */
const MEMBERS = [VICTIM, ...ACCUSERS, ...[...'123'].map(id)]
const SIZE = MEMBERS.length + 1
const EVERY_MS = 1_000
const DECLARE_STEP_MS = 700
const SUSPECT_AGAIN_MS = 2_000

describe('suspicions', () => {
  let table: MemberTable
  let list: ProbeList
  let suspicions: Suspicions
  let random: number
  let lamport: number
  const begin = (isMember = true) => {
    random = 0.999
    lamport = 0
    table = new MemberTable(100, SELF)
    list = new ProbeList(() => random)
    suspicions = new Suspicions({ self: SELF, isMember, table, list, probeEveryMs: EVERY_MS, random: () => random })
    for (const member of MEMBERS) fold(member, word('member.alive', 1, member))
  }
  beforeEach(() => begin())

  const word = (kind: MemberEventKind, incarnation = 1, subject = VICTIM): MemberEvent => ({
    ...{ kind, subject, incarnation, role: 'index', ...ADDRESS },
  })
  const fold = (author: NodeId, event: MemberEvent) => table.fold(author, event, ++lamport)
  /** Somebody's accusation, as it is stored: first the table has it, then the suspicions. @returns how long it lasts from now on */
  const accused = (by: NodeId, now: number, incarnation = 1, subject = VICTIM): number | undefined => {
    const event = word('member.suspect', incarnation, subject)
    fold(by, event)
    const [wake, ...more] = suspicions.heard(by, event, now)
    assert.deepEqual(more, [])
    if (wake === undefined) return undefined
    assert.ok(wake.do === 'wake')
    assert.deepEqual(wake.timer, { name: 'suspect', of: subject })
    return wake.afterMs
  }
  const member = () => {
    const found = table.get(VICTIM)
    assert.ok(found)
    return found
  }
  const saidIn = (effects: readonly MembershipEffect[]): string[] =>
    effects.map((effect) => {
      if (effect.do === 'wake') return `again in ${effect.afterMs}`
      assert.ok(effect.do === 'append' && 'incarnation' in effect.event)
      return `${effect.event.kind} ${effect.event.incarnation}`
    })
  const probeFails = (now = 0) => saidIn(suspicions.probeFailed(member(), now))
  const timeIsOver = () => saidIn(suspicions.timeIsOver(VICTIM))
  const sayAgain = () => saidIn(suspicions.sayAgain(VICTIM))

  describe('of others', () => {
    it('last the shorter, counted from the first, the more there are, and each leaves time to those before it', () => {
      const lasts = (accusers: number) => suspicionMs(SIZE, accusers - 1, EVERY_MS) + accusers * DECLARE_STEP_MS
      const [first, second, third, fourth, fifth] = ACCUSERS as [NodeId, NodeId, NodeId, NodeId, NodeId]
      assert.equal(accused(first, 1_000), lasts(1))
      assert.equal(accused(first, 1_500), lasts(1) - 500, 'once each')
      assert.equal(accused(second, 2_000), lasts(2) - 1_000)
      assert.equal(accused(third, 2_000), lasts(3) - 1_000)
      assert.equal(accused(fourth, 2_000), lasts(4) - 1_000)
      assert.equal(
        accused(fifth, 2_000),
        lasts(4) - 1_000,
        `more than ${CONFIRMATIONS_EXPECTED} besides the first change nothing`,
      )
      assert.equal(accused(fifth, 1_000_000), 0, 'and are over then')
    })

    it('leave our own word its turn', () => {
      accused(SELF, 0)
      assert.equal(accused(ACCUSERS[0] as NodeId, 0), suspicionMs(SIZE, 1, EVERY_MS), 'we were first')
      begin()
      accused(ACCUSERS[0] as NodeId, 0)
      assert.equal(accused(SELF, 0), suspicionMs(SIZE, 1, EVERY_MS) + DECLARE_STEP_MS)
    })

    it('count where the table believes them, of that incarnation, and for members', () => {
      assert.equal(accused(ACCUSERS[0] as NodeId, 0, 2), undefined, 'of an incarnation that it did not announce')
      assert.deepEqual(suspicions.heard(ACCUSERS[0] as NodeId, word('member.suspect'), 0), [], 'the table does not have it')
      assert.deepEqual(suspicions.heard(ACCUSERS[0] as NodeId, word('member.suspect', 1, id('9')), 0), [], 'of nobody')
      begin(false)
      assert.equal(accused(ACCUSERS[0] as NodeId, 0), undefined, 'a client accuses nobody')
    })

    it('begin anew with the next incarnation', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      accused(ACCUSERS[1] as NodeId, 0)
      fold(VICTIM, word('member.refuted', 2))
      suspicions.end(VICTIM)
      assert.equal(accused(ACCUSERS[1] as NodeId, 5_000, 2), suspicionMs(SIZE, 0, EVERY_MS) + DECLARE_STEP_MS)
      // Also where nobody has told of the end of the first.
      fold(VICTIM, word('member.refuted', 3))
      assert.equal(accused(ACCUSERS[2] as NodeId, 9_000, 3), suspicionMs(SIZE, 0, EVERY_MS) + DECLARE_STEP_MS)
    })

    it('are looked at next, at once, by eight members on average', () => {
      const isNext = (draw: number) => {
        begin()
        random = draw
        accused(ACCUSERS[0] as NodeId, 0)
        // The order of the round is then that of the table, from its end.
        random = 0.999
        return list.take(table)?.id === VICTIM
      }
      // Among ten: by four in five.
      assert.equal(SIZE, 10)
      assert.deepEqual([isNext(0), isNext(0.799), isNext(0.8)], [true, true, false])
      begin()
      accused(ACCUSERS[0] as NodeId, 0)
      random = 0
      accused(ACCUSERS[1] as NodeId, 0)
      random = 0.999
      assert.notEqual(list.take(table)?.id, VICTIM, 'those that follow are no news')
    })
  })

  describe('of our own', () => {
    it('are said when our probes fail, once', () => {
      assert.deepEqual([probeFails(), probeFails()], [['member.suspect 1'], []])
    })

    it('are said unless four others say so already', () => {
      for (const by of ACCUSERS.slice(0, CONFIRMATIONS_EXPECTED)) accused(by, 0)
      assert.deepEqual(probeFails(), ['member.suspect 1'])
      begin()
      for (const by of ACCUSERS.slice(0, CONFIRMATIONS_EXPECTED + 1)) accused(by, 0)
      assert.deepEqual(probeFails(), [])
    })

    it('are said again of who was thought alive in between', () => {
      probeFails()
      suspicions.end(VICTIM)
      assert.deepEqual(probeFails(), ['member.suspect 1'])
    })
  })

  describe('whose time is over', () => {
    it('are a death if our own probe has failed, once', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      probeFails()
      assert.deepEqual([timeIsOver(), timeIsOver()], [['member.dead 1'], []])
    })

    it('have us look at who we did not try, or who has answered since, every two seconds', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      assert.deepEqual(timeIsOver(), [`again in ${SUSPECT_AGAIN_MS}`])
      assert.equal(list.take(table)?.id, VICTIM)
      probeFails()
      suspicions.answered(VICTIM)
      assert.deepEqual(timeIsOver(), [`again in ${SUSPECT_AGAIN_MS}`])
      probeFails()
      assert.deepEqual(timeIsOver(), ['member.dead 1'])
    })

    it('have us look again at who has refuted, and is accused again, before our probes have failed of that', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      probeFails()
      // The accusation of what follows has come before the refutation: the member is suspected all the time.
      table.fold(ACCUSERS[1] as NodeId, word('member.suspect', 2), 1_000)
      fold(VICTIM, word('member.refuted', 2))
      assert.deepEqual([member().state, member().incarnation], ['suspect', 2])
      assert.deepEqual(timeIsOver(), [`again in ${SUSPECT_AGAIN_MS}`])
      assert.deepEqual(probeFails(), ['member.suspect 2'])
      assert.deepEqual(timeIsOver(), ['member.dead 2'])
    })

    it('are nothing where the member is not suspected any more, or nobody knows it', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      probeFails()
      fold(VICTIM, word('member.refuted', 2))
      assert.deepEqual(timeIsOver(), [])
      assert.deepEqual(suspicions.timeIsOver(id('9')), [])
    })

    it('are nothing once they have ended', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      probeFails()
      suspicions.end(VICTIM)
      suspicions.answered(VICTIM)
      assert.deepEqual(timeIsOver(), [])
    })
  })

  describe('that the log did not take', () => {
    it('are said again if the member is still thought alive, and has not answered', () => {
      probeFails()
      assert.deepEqual([sayAgain(), sayAgain()], [['member.suspect 1'], ['member.suspect 1']])
      suspicions.answered(VICTIM)
      assert.deepEqual(sayAgain(), [])
    })

    it('are not said again where others have said so meanwhile', () => {
      probeFails()
      accused(ACCUSERS[0] as NodeId, 0)
      assert.deepEqual(sayAgain(), [])
    })

    it('are said again as a death, if that was it', () => {
      accused(ACCUSERS[0] as NodeId, 0)
      probeFails()
      timeIsOver()
      assert.deepEqual([sayAgain(), timeIsOver()], [['member.dead 1'], []])
      suspicions.answered(VICTIM)
      assert.deepEqual(sayAgain(), [`again in ${SUSPECT_AGAIN_MS}`], 'if it has answered, only after another look')
    })

    it('are left where the member has gone on to another incarnation, or is forgotten', () => {
      probeFails()
      fold(VICTIM, word('member.alive', 2))
      assert.deepEqual([sayAgain(), saidIn(suspicions.sayAgain(id('9')))], [[], []])
      suspicions.end(VICTIM)
      assert.deepEqual(sayAgain(), [])
    })
  })
})

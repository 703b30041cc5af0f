import assert from 'node:assert/strict'
import type { MemberEvent } from '../../../src/network/membership/member-table.ts'
import { UNSIGNED_REFUTED_EVERY_MS } from '../../../src/network/membership/membership.ts'
import { ADDRESS, DrivenMembership, id, SELF } from './driven-membership.ts'

const accused = (incarnation: number): MemberEvent => ({
  ...{ kind: 'member.dead', subject: SELF, incarnation, role: 'index', ...ADDRESS },
})

describe('what a ping says of us', () => {
  it('costs one event in five seconds, however often and knowingly it is said', () => {
    const driven = new DrivenMembership([])
    for (let at = 0; at <= 3 * UNSIGNED_REFUTED_EVERY_MS; at += 100) {
      driven.until(at)
      driven.pinged('dead', driven.membership.incarnation)
    }
    const times = [0, 1, 2, 3].map((count) => count * UNSIGNED_REFUTED_EVERY_MS)
    assert.deepEqual(driven.timesOf('member.refuted'), times)
  })

  it('costs nothing when a client says it', () => {
    const driven = new DrivenMembership([], { isAdmitted: () => false })
    driven.pinged('dead', 1)
    assert.deepEqual(driven.timesOf('member.refuted'), [])
    assert.equal(driven.sent.at(-1)?.message.type, 'pong')
  })

  it('keeps no signed accusation from being refuted at once', () => {
    const driven = new DrivenMembership([id('1')])
    driven.pinged('dead', 1)
    driven.feed({ type: 'stored', author: id('1'), event: accused(2), lamport: 9 })
    assert.deepEqual(driven.timesOf('member.refuted'), [0, 0])
  })
})
